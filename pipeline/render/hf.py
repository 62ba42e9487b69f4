"""Hugging Face chat: messages whose content is a list of parts, as chat templates take them.

The format is that of the Transformers documentation on multimodal chat templates: a part is
`{"type": "audio", "audio": PATH}` or `{"type": "text", "text": WORDS}`. Beside its content each
message has `loss`, a list with one entry a part; templates pass over it. What is learned is always
the end of the conversation: everything from the first part with loss on.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ieat.pipeline.output.messages import AUDIO_TAG
from ieat.pipeline.output.reading import ThinkMode
from ieat.pipeline.render.exchange import Exchange
from ieat.pipeline.render.format import Line
from ieat.pipeline.render.modes import Modes
from ieat.pipeline.render.tags import Tags


class HuggingFace:
    """Writes Hugging Face's chat format."""

    name = "hf"
    default_tags = "think"

    def refuse(self, modes: Modes, tags: Tags) -> None:
        """Refuse nothing: a loss for each part expresses every mode."""

    def line(self, exchange: Exchange, paths: tuple[str, ...]) -> Line:
        """Return one line."""
        left = iter(paths)
        messages = [
            _message(said.role, [(part, False) for part in _parts(said.content, left)])
            for said in exchange.said
        ]
        messages.append(
            _message(
                "assistant",
                [({"type": "text", "text": part.text}, part.loss) for part in exchange.answer],
            )
        )
        value = {
            "messages": messages,
            "row_id": exchange.row_id,
            "task": exchange.task,
            "think_mode": exchange.mode,
        }
        return Line(value, paths)

    def extra_files(self, files: Mapping[str, str]) -> dict[str, Any]:
        """Return nothing: `datasets` reads a JSONL file by its path."""
        return {}

    def notes(self, modes: Collection[ThinkMode]) -> tuple[str, ...]:
        """Return what has to be done before training."""
        return ("labels are made from the loss of the parts: docs/rendering.md has the lines",)


def _message(role: str, parts: list[tuple[dict[str, str], bool]]) -> dict[str, Any]:
    return {
        "role": role,
        "content": [part for part, _ in parts],
        "loss": [loss for _, loss in parts],
    }


def _parts(content: str, paths: Iterator[str]) -> Iterator[dict[str, str]]:
    """Yield the parts of a message, at least one; line ends between clips and words are dropped."""
    if not content:
        yield {"type": "text", "text": ""}
    for place, words in enumerate(content.split(AUDIO_TAG)):
        if place:
            yield {"type": "audio", "audio": next(paths)}
        if words.strip("\n"):
            yield {"type": "text", "text": words.strip("\n")}
