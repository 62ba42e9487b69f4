"""Renderings go through the real code of ms-swift and LLaMA-Factory, where it is installed.

Both need torch to be imported. What they make of a line before any tensor is plain Python, which
is taken out of their files: `pip install --no-deps ms-swift llamafactory` is enough.
"""

import json
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest

from ieat.pipeline.render.rendering import RenderSettings, render
from ieat.schemas.dialogue import Language
from tests.builders import composed
from tests.contract.torchless import STANDARD, Warnings, find_package, take_out
from tests.contract.trainer_rules import Learned, read_as_llamafactory, read_as_swift
from tests.dialogues import TALK
from tests.written_rows import embedded, write_build

PLACEHOLDERS = ("AUDIO_PLACEHOLDER", "IMAGE_PLACEHOLDER", "VIDEO_PLACEHOLDER")
CHINESE = (("ann", "我的包丢了"), ("bob", "在哪里丢的"), ("ann", "被偷了"), ("bob", "太糟糕了"))


def rendered(tmp_path, name, mode):
    rows = [
        *embedded(composed((("bob", "Hello"), *TALK))),
        *embedded(composed(CHINESE, name="d2", language=Language.ZH, thinking="她很生气。")),
    ]
    out = write_build(tmp_path / "out", rows)
    folder = tmp_path / name
    render(out, str(folder), RenderSettings(format=name, mode=mode))
    text = (folder / "train.jsonl").read_text(encoding="utf-8")
    found = [json.loads(line) for line in text.splitlines()]
    assert len(found) == 4
    return folder, found


class Swift:
    """ms-swift's own way from the messages of a line to texts with a loss, in ChatML."""

    def __init__(self) -> None:
        package = find_package("ms-swift", "swift")
        scope: dict[str, Any] = {**STANDARD, "logger": Warnings(), "List": list, "Context": str}
        take_out(package / "template" / "utils.py", scope)
        scope["ALL_BASE_STRATEGY"] = ["default", "last_round", "all"]
        take_out(package / "loss_scale" / "base.py", scope, "LossScale")
        take_out(package / "template" / "base.py", scope, "Template")
        # The property finds a loss scale by importing ms-swift.
        kind = type("Template", (scope["Template"],), {"loss_scale": scope["LossScale"]("default")})
        self._template = object.__new__(kind)
        vars(self._template).update(
            template_backend="swift", use_chat_template=True, add_non_thinking_prefix=False,
            response_prefix=None, enable_thinking=None, preserve_thinking=None,
            task_type="causal_lm", mode="train",
            template_meta=SimpleNamespace(
                prefix=[], system_prefix=["<|im_start|>system\n{{SYSTEM}}<|im_end|>\n"],
                prompt=["<|im_start|>user\n{{QUERY}}<|im_end|>\n<|im_start|>assistant\n"],
                chat_sep=["<|im_end|>\n"], suffix=["<|im_end|>\n"], stop_words=["<|im_end|>"],
                default_system=None, auto_add_bos=False, is_post_system=False,
                support_multi_round=True, is_thinking=False, thinking_prefix="",
                non_thinking_prefix="", preserve_thinking=None, history_thinking_prefix="",
                check_system=lambda system: None,
            ),
        )  # fmt: skip

    def read(self, line: dict[str, Any]) -> Learned:
        """Return what is context and what is learned."""
        inputs = SimpleNamespace(
            messages=deepcopy(line["messages"]), system=None, tools=None,
            chat_template_kwargs={}, extra_kwargs={},
        )  # fmt: skip
        self._template._swift_prepare_inputs(inputs)
        texts, losses, _ = self._template._swift_encode(inputs)
        pairs = list(zip(texts, losses, strict=True))
        context = "".join(text for text, loss in pairs if not loss)
        return Learned(
            context, "".join(text for text, loss in pairs if loss == 1.0), line["audios"]
        )


@pytest.mark.parametrize("mode", ["explicit", "injected", "implicit"])
def test_ms_swift_learns_what_is_intended(tmp_path, mode):
    swift = Swift()
    for line in rendered(tmp_path, "swift", mode)[1]:
        real, expected = swift.read(line), read_as_swift(line)
        assert real.learned == expected.learned + "<|im_end|>\n"
        assert real.context.count("<audio>") == len(line["audios"])
        assert ("<think>" in real.context) == (mode == "injected")


class LlamaFactory:
    """LLaMA-Factory's own way from a line to labels, for a template that only joins pairs."""

    def __init__(self, described: dict[str, Any]) -> None:
        package = find_package("llamafactory", "llamafactory")
        scope: dict[str, Any] = {**STANDARD, "logger": Warnings(), "IGNORE_INDEX": -100}
        take_out(package / "extras" / "constants.py", scope, *PLACEHOLDERS)
        take_out(package / "data" / "data_utils.py", scope, "Role")
        take_out(package / "data" / "parser.py", scope, "DatasetAttr")
        take_out(package / "data" / "converter.py", scope, "DatasetConverter")
        take_out(package / "data" / "converter.py", scope, "SharegptDatasetConverter")
        take_out(package / "data" / "mm_plugin.py", scope, "MMPluginMixin")
        take_out(package / "data" / "processor" / "processor_utils.py", scope, "infer_seqlen")
        take_out(
            package / "data" / "processor" / "supervised.py", scope, "SupervisedDatasetProcessor"
        )
        attributes = scope["DatasetAttr"]("file", dataset_name="ieat")
        attributes.join(described)
        self._converter = object.__new__(scope["SharegptDatasetConverter"])
        vars(self._converter).update(
            dataset_attr=attributes, data_args=SimpleNamespace(media_dir=None)
        )
        self._scope = scope

    def read(self, line: dict[str, Any], media_dir: str) -> Learned:
        """Return what is context and what is learned, with `mask_history`."""
        self._converter.data_args.media_dir = media_dir
        found = self._converter(line)
        assert found["_response"], "the converter dropped the line"
        validate = self._scope["MMPluginMixin"]._validate_messages

        def process(messages: Any, images: Any, videos: Any, audios: Any, _: Any) -> Any:
            validate(None, messages, images, videos, audios)
            return messages

        def encode(_: Any, messages: Any, *__: Any) -> Any:
            tokens = [[ord(sign) for sign in said["content"]] for said in messages]
            return list(zip(tokens[::2], tokens[1::2], strict=True))

        processor = object.__new__(self._scope["SupervisedDatasetProcessor"])
        vars(processor).update(
            data_args=SimpleNamespace(mask_history=True, train_on_prompt=False, cutoff_len=9999),
            template=SimpleNamespace(
                efficient_eos=False, preserve_thinking=False, encode_multiturn=encode,
                mm_plugin=SimpleNamespace(
                    process_messages=process, process_token_ids=lambda *_: ([], [])
                ),
            ),
            tokenizer=None, processor=None,
        )  # fmt: skip
        tokens, labels = processor._encode_data_example(
            found["_prompt"], found["_response"], found["_system"], found["_tools"], [], [],
            found["_audios"] or [],
        )  # fmt: skip
        pairs = list(zip(tokens, labels, strict=True))
        context = "".join(chr(token) for token, label in pairs if label == -100)
        learned = "".join(chr(token) for token, label in pairs if label == token)
        return Learned(context, learned, found["_audios"])


@pytest.mark.parametrize("mode", ["explicit", "implicit"])
def test_llama_factory_learns_what_is_intended(tmp_path, mode):
    folder, lines = rendered(tmp_path, "llamafactory", mode)
    described = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))["ieat_train"]
    factory = LlamaFactory(described)
    for line in lines:
        real, expected = factory.read(line, str(folder)), read_as_llamafactory(line, described)
        assert real.learned == expected.learned
        assert real.context == expected.context.replace("|", "")
        # Its converter puts the folder of the data set before each path that it finds there.
        assert real.audios == [str(folder / path) for path in line["audios"]]
