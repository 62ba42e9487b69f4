"""ms-swift: `messages` with a loss for each message of the assistant, and `audios`.

The format is that of ms-swift's documentation (Customization/Custom-dataset: `messages`, one
`<audio>` tag for each path of `audios`) and of its code: `loss` of an assistant's message switches
the loss on or off whatever the loss scale is (`LossScale._inner_call`), and neighboring messages of
the assistant are made one turn whose parts keep their own loss (`Template._swift_prepare_inputs`,
from 4.3.0 on; up to 4.1 the first loss counts for all).
"""

from collections.abc import Collection, Mapping
from typing import Any

from ieat.pipeline.output.reading import ThinkMode
from ieat.pipeline.render.exchange import Exchange
from ieat.pipeline.render.format import Line, refuse_words
from ieat.pipeline.render.modes import Modes
from ieat.pipeline.render.tags import Tags

REPLACED = ("<image>", "<video>", "<bbox>", "<ref-object>", "<cot-process>")
"""Words that ms-swift replaces by something that rows do not have."""


class Swift:
    """Writes ms-swift's standard format."""

    name = "swift"
    default_tags = "think"

    def refuse(self, modes: Modes, tags: Tags) -> None:
        """Refuse nothing: a loss for each message expresses every mode."""

    def line(self, exchange: Exchange, paths: tuple[str, ...]) -> Line:
        """Return one line; every message of the assistant says whether it is learned.

        Raises:
            Filtered: Words look like a tag that ms-swift replaces.
        """
        refuse_words(exchange, REPLACED)
        messages: list[dict[str, Any]] = [
            {"role": said.role, "content": said.content}
            | ({"loss": False} if said.role == "assistant" else {})
            for said in exchange.said
        ]
        messages += [
            {"role": "assistant", "content": part.text, "loss": part.loss}
            for part in exchange.answer
        ]
        value = {
            "messages": messages,
            "audios": list(paths),
            "row_id": exchange.row_id,
            "task": exchange.task,
            "think_mode": exchange.mode,
        }
        return Line(value, paths)

    def extra_files(self, files: Mapping[str, str]) -> dict[str, Any]:
        """Return nothing: ms-swift reads a JSONL file by its path."""
        return {}

    def notes(self, modes: Collection[ThinkMode]) -> tuple[str, ...]:
        """Return what must be set, by the modes that are used."""
        notes = ["start training in this folder, or name it in ROOT_IMAGE_DIR"]
        if "injected" in modes:
            notes.append("injected needs ms-swift 4.3.0 or later, with its own template backend")
        if "implicit" in modes:
            notes.append(
                "--add_non_thinking_prefix false, or models that may think get an empty block"
            )
        return tuple(notes)
