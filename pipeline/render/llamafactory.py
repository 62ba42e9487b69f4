"""LLaMA-Factory: ShareGPT with `audios`, and the `dataset_info.json` that names the files.

The format is that of LLaMA-Factory's data/README.md and of its code: human and gpt alternate, the
human first (`SharegptDatasetConverter`, which drops others), and there are as many `<audio>` tags
as audios (`MMPlugin._validate_messages`). An answer is learned whole; answers before the last are
learned too unless `mask_history` is set (`SupervisedDatasetProcessor`).
"""

from collections.abc import Collection, Mapping
from typing import Any

from ieat.pipeline.output.reading import ThinkMode
from ieat.pipeline.render.exchange import Exchange
from ieat.pipeline.render.format import Line, refuse_injected, refuse_words
from ieat.pipeline.render.modes import Modes
from ieat.pipeline.render.tags import Tags

REPLACED = ("<image>", "<video>")
"""Words that LLaMA-Factory replaces by something that rows do not have."""

SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt"}
"""LLaMA-Factory's word for each role."""


class LlamaFactory:
    """Writes LLaMA-Factory's ShareGPT format."""

    name = "llamafactory"
    default_tags = "think"

    def refuse(self, modes: Modes, tags: Tags) -> None:
        """Refuse thinking in context.

        Raises:
            ConfigError: The mode `injected` is wanted.
        """
        refuse_injected(modes, "LLaMA-Factory")

    def line(self, exchange: Exchange, paths: tuple[str, ...]) -> Line:
        """Return one line.

        Raises:
            Filtered: Words look like a tag that LLaMA-Factory replaces.
        """
        refuse_words(exchange, REPLACED)
        (answer,) = exchange.answer
        said = [(said.role, said.content) for said in exchange.said]
        value = {
            "conversations": [
                {"from": SPEAKERS[role], "value": content}
                for role, content in [*said, ("assistant", answer.text)]
            ],
            "audios": list(paths),
            "row_id": exchange.row_id,
            "task": exchange.task,
            "think_mode": exchange.mode,
        }
        return Line(value, paths)

    def extra_files(self, files: Mapping[str, str]) -> dict[str, Any]:
        """Return `dataset_info.json`, with a data set `ieat_SPLIT` for each split."""
        return {
            "dataset_info.json": {
                f"ieat_{split}": {
                    "file_name": file,
                    "formatting": "sharegpt",
                    "columns": {"messages": "conversations", "audios": "audios"},
                    "tags": {
                        "role_tag": "from",
                        "content_tag": "value",
                        "user_tag": "human",
                        "assistant_tag": "gpt",
                        "system_tag": "system",
                    },
                }
                for split, file in files.items()
            }
        }

    def notes(self, modes: Collection[ThinkMode]) -> tuple[str, ...]:
        """Return what must be set, by the modes that are used."""
        notes = ["mask_history: true, or earlier replies are learned too; train_on_prompt: false"]
        if "implicit" in modes:
            notes.append(
                "a template that does not think, such as qwen2_audio: "
                "others learn an empty block before answers without thinking"
            )
        return tuple(notes)
