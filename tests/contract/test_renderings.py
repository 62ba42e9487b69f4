"""Every rendering holds to the documented rules of its code base, in every mode and language."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import soundfile

from ieat.pipeline.output.reading import read_samples
from ieat.pipeline.render.rendering import FORMATS, RenderSettings, render
from tests.contract.trainer_rules import (
    Learned,
    Processor,
    read_as_hugging_face,
    read_as_llamafactory,
    read_as_osum,
    read_as_swift,
)

EN, ZH = "talks/en1/003/stage2", "talks/zh1/002/stage2"
"""Rows of two turns of the user; a reply stands before the first of the English one."""

SAYABLE = {
    "swift": ("explicit", "injected", "implicit"),
    "llamafactory": ("explicit", "implicit"),
    "osum": ("explicit", "implicit"),
    "hf": ("explicit", "injected", "implicit"),
}
"""Modes that each format can express."""

CASES = [(name, mode) for name, modes in SAYABLE.items() for mode in modes]


@pytest.fixture(scope="module")
def renderings(out, tmp_path_factory):
    """Each format in each mode that it can express; gives the folders."""
    folder = tmp_path_factory.mktemp("rendered")
    for name, mode in CASES:
        render(str(out), str(folder / name / mode), RenderSettings(format=name, mode=mode))
    return folder


@pytest.fixture(scope="module")
def rows(out):
    """The rows of the build by their ids."""
    return {
        row["row_id"]: row
        for split in ("train", "dev")
        for row in read_samples(str(out), split=split)
    }


def lines(folder: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for split in ("train", "dev")
        for line in (folder / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    ]


def line(folder: Path, row_id: str) -> dict[str, Any]:
    return next(one for one in lines(folder) if row_id in (one.get("row_id"), one.get("key")))


def read(folder: Path, name: str, one: dict[str, Any]) -> Learned:
    if name == "llamafactory":
        described = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
        assert set(described) == {"ieat_train", "ieat_dev"}
        assert all((folder / each["file_name"]).is_file() for each in described.values())
        return read_as_llamafactory(one, described["ieat_train"])
    readers = {"swift": read_as_swift, "osum": read_as_osum, "hf": read_as_hugging_face}
    return readers[name](one)


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_every_line_is_read_and_learned_as_intended(renderings, rows, name, mode):
    folder = renderings / name / mode
    found = lines(folder)
    assert len(found) == len(rows) == 7
    for one in found:
        row = rows[one.get("row_id") or one["key"]]
        learned = read(folder, name, one)
        thinking, response = row["thinking"]["text"], row["response"]["text"]
        tags = ("<think>", "<think end>") if name == "osum" else ("<think>\n", "\n</think>\n\n")
        thought = f"{tags[0]}{thinking}{tags[1]}"
        # A chat template ends the answer with its own mark, which is learned with it.
        end = "<|end|>" if name == "hf" else ""
        assert learned.learned == (thought if mode == "explicit" else "") + response + end
        assert learned.context.endswith(thought if mode == "injected" else "")
        assert learned.context.count("think>") == (2 if mode == "injected" else 0)
        if mode == "implicit":
            assert "think" not in json.dumps(one).replace("think_mode", "")


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_every_tag_has_one_file_that_decodes_and_every_file_is_heard(renderings, rows, name, mode):
    folder = renderings / name / mode
    heard = []
    for one in lines(folder):
        audios = read(folder, name, one).audios
        row = rows[one.get("row_id") or one["key"]]
        for path, cell in zip(reversed(audios), reversed(row["audios"]), strict=False):
            content = (folder / path).read_bytes()
            assert content == cell["bytes"]
            samples, rate = soundfile.read(io.BytesIO(content))
            assert rate == 16000
            assert samples.ndim == 1
            assert len(samples) > rate
        if name != "osum":
            assert len(audios) == len(row["audios"])
        heard += audios
    files = [file.relative_to(folder).as_posix() for file in folder.rglob("*.flac")]
    assert sorted(files) == sorted(set(heard))
    # Both dialogues are cut from one recording: four turns of it are heard, each by many rows.
    assert len(files) == 4
    assert len(heard) > 7


def test_what_swift_gets_of_an_english_and_a_chinese_row(renderings, rows):
    explicit, injected, implicit = (
        line(renderings / "swift" / mode, EN) for mode in SAYABLE["swift"]
    )
    thought = f"<think>\n{rows[EN]['thinking']['text']}\n</think>\n\n"
    said = rows[EN]["response"]["text"]
    before = [
        {"role": "user", "content": ""},
        {"role": "assistant", "content": "You look pale", "loss": False},
        {"role": "user", "content": "<audio>"},
        {"role": "assistant", "content": "Oh no", "loss": False},
        {"role": "user", "content": "<audio>"},
    ]
    assert explicit["messages"] == [
        *before, {"role": "assistant", "content": thought + said, "loss": True}
    ]  # fmt: skip
    assert injected["messages"] == [
        *before,
        {"role": "assistant", "content": thought, "loss": False},
        {"role": "assistant", "content": said, "loss": True},
    ]
    assert implicit["messages"] == [*before, {"role": "assistant", "content": said, "loss": True}]
    assert [one["think_mode"] for one in (explicit, injected, implicit)] == [*SAYABLE["swift"]]
    assert {tuple(one["audios"]) for one in (explicit, injected, implicit)} == {
        tuple(explicit["audios"])
    }
    chinese = line(renderings / "swift" / "explicit", ZH)
    assert chinese["messages"] == [
        {"role": "user", "content": "<audio>"},
        {"role": "assistant", "content": "怎么会这样", "loss": False},
        {"role": "user", "content": "<audio>"},
        {
            "role": "assistant",
            "content": f"<think>\n{rows[ZH]['thinking']['text']}\n</think>\n\n"
            + rows[ZH]["response"]["text"],
            "loss": True,
        },
    ]


def test_what_llamafactory_gets_of_an_english_and_a_chinese_row(renderings, rows):
    thought = f"<think>\n{rows[ZH]['thinking']['text']}\n</think>\n\n"
    said = rows[ZH]["response"]["text"]
    before = [
        {"from": "human", "value": "<audio>"},
        {"from": "gpt", "value": "怎么会这样"},
        {"from": "human", "value": "<audio>"},
    ]
    explicit = line(renderings / "llamafactory" / "explicit", ZH)
    assert explicit["conversations"] == [*before, {"from": "gpt", "value": thought + said}]
    implicit = line(renderings / "llamafactory" / "implicit", ZH)
    assert implicit["conversations"] == [*before, {"from": "gpt", "value": said}]
    english = line(renderings / "llamafactory" / "implicit", EN)
    assert [one["value"] for one in english["conversations"]] == [
        "", "You look pale", "<audio>", "Oh no", "<audio>", rows[EN]["response"]["text"]
    ]  # fmt: skip


def test_what_osum_gets_of_an_english_and_a_chinese_row(renderings, rows):
    folder = renderings / "osum" / "explicit"
    chinese = line(folder, ZH)
    wav, earlier = chinese.pop("wav"), chinese.pop("wav_1")
    assert [wav, earlier] == line(renderings / "swift" / "explicit", ZH)["audios"][::-1]
    assert chinese == {
        "key": ZH,
        "txt": rows[ZH]["response"]["text"],
        "txt_1": "怎么会这样",
        "extra": {
            "dataset": "talks",
            "age": "<UNK>",
            "gender": "<UNK>",
            "q_emotion": "<ANGER>",
            "think_str": rows[ZH]["thinking"]["text"],
            "speech_token": [],
            "speech_token_1": [],
        },
        "task": "<S2TCHAT> <TEXT2TOKEN> <THINK>",
    }
    first = line(renderings / "osum" / "implicit", "talks/en1/000/stage2")
    del first["wav"]
    assert first == {
        "key": "talks/en1/000/stage2",
        "txt": rows["talks/en1/000/stage2"]["response"]["text"],
        "extra": {
            "dataset": "talks", "age": "<UNK>", "gender": "<UNK>", "q_emotion": "<NEUTRAL>"
        },
        "task": "<S2TCHAT>",
    }  # fmt: skip
    # A reply that nobody was heard to ask for has no place among numbered turns.
    english = line(folder, EN)
    assert (english["txt_1"], "txt_2" in english) == ("Oh no", False)


def test_what_hugging_face_gets_of_an_english_and_a_chinese_row(renderings, rows):
    folder = renderings / "hf"
    for row_id in (EN, ZH):
        paths = line(renderings / "swift" / "injected", row_id)["audios"]
        injected = line(folder / "injected", row_id)
        thought = f"<think>\n{rows[row_id]['thinking']['text']}\n</think>\n\n"
        said = {"type": "text", "text": rows[row_id]["response"]["text"]}
        *_, heard, answer = injected["messages"]
        assert heard == {
            "role": "user",
            "content": [{"type": "audio", "audio": paths[-1]}],
            "loss": [False],
        }
        assert answer == {
            "role": "assistant",
            "content": [{"type": "text", "text": thought}, said],
            "loss": [False, True],
        }
        implicit = line(folder / "implicit", row_id)["messages"][-1]
        assert implicit == {"role": "assistant", "content": [said], "loss": [True]}
    assert line(folder / "implicit", EN)["messages"][0] == {
        "role": "user", "content": [{"type": "text", "text": ""}], "loss": [False]
    }  # fmt: skip


@pytest.mark.parametrize("mode", SAYABLE["hf"])
def test_the_lines_of_the_docs_tell_what_is_learned(renderings, mode):
    page = (Path(__file__).parents[2] / "docs" / "rendering.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    scope: dict[str, Any] = {}
    exec(code, scope)
    for one in lines(renderings / "hf" / mode):
        prompt, learned = scope["prompt_and_learned"](one["messages"], Processor())
        assert (prompt, learned) == read_as_hugging_face(one)[:2]


@pytest.mark.parametrize("name", FORMATS)
def test_datasets_reads_the_lines_as_they_are_written(renderings, name):
    datasets = pytest.importorskip("datasets", reason="needs the package datasets")
    folder = renderings / name / "explicit"
    loaded = datasets.load_dataset(
        "json", data_files=str(folder / "train.jsonl"), split="train", cache_dir=str(folder / "hf")
    )
    written = [one for one in lines(folder) if "/en1/" in (one.get("row_id") or one["key"])]
    assert [without_nulls(one) for one in loaded] == [without_nulls(one) for one in written]


def without_nulls(value: Any) -> Any:
    """Leave out what is null: a column of `datasets` has every key in every row."""
    if isinstance(value, dict):
        return {key: without_nulls(part) for key, part in value.items() if part is not None}
    return [without_nulls(part) for part in value] if isinstance(value, list) else value
