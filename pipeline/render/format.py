"""What a code base's format is to a rendering."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from ieat.pipeline.failures import ConfigError, Filtered
from ieat.pipeline.output.reading import ThinkMode
from ieat.pipeline.render.exchange import Exchange
from ieat.pipeline.render.modes import Modes
from ieat.pipeline.render.tags import Tags


class Line(NamedTuple):
    """One line of a JSONL file."""

    value: dict[str, Any]
    """What is written, as JSON."""
    paths: tuple[str, ...]
    """The files that it names."""
    changes: tuple[str, ...] = ()
    """What of the exchange the format has no place for, as codes."""


class Format(Protocol):
    """Writes exchanges in the form that one code base reads."""

    name: str
    """Its name on the command line."""
    default_tags: str
    """Profile of the thinking tags where none is named."""

    def refuse(self, modes: Modes, tags: Tags) -> None:
        """Refuse what the code base cannot express.

        Raises:
            ConfigError: With what to use in its place.
        """
        ...

    def line(self, exchange: Exchange, paths: tuple[str, ...]) -> Line:
        """Return the line of a JSONL file.

        Args:
            exchange: What is learned.
            paths: Path of the file of each clip, in order.

        Raises:
            Filtered: The code base cannot express this row.
        """
        ...

    def extra_files(self, files: Mapping[str, str]) -> dict[str, Any]:
        """Return further JSON files by their names.

        Args:
            files: The JSONL file of each split.
        """
        ...

    def notes(self, modes: Collection[ThinkMode]) -> tuple[str, ...]:
        """Return what a person must set in the code base so that the loss is as intended.

        Args:
            modes: Think modes that are used; none for tables without thinking.
        """
        ...


def refuse_words(exchange: Exchange, marks: Iterable[str]) -> None:
    """Refuse words that the code base would take for something that is not there.

    Raises:
        Filtered: Words hold one of the marks.
    """
    texts = [said.content for said in exchange.said] + [part.text for part in exchange.answer]
    for mark in marks:
        if any(mark in text for text in texts):
            raise Filtered("tag_in_words", f"the words hold {mark}, which the trainer replaces")


def refuse_injected(modes: Modes, name: str) -> None:
    """Refuse the mode `injected` where a code base has no loss within an answer.

    Raises:
        ConfigError: The mode, or a mix with a share of it, is wanted.
    """
    if "injected" in modes.shares:
        raise ConfigError(
            f"--mode {modes.text}: {name} learns whole answers, so thinking cannot stand in "
            "context without loss; use explicit, implicit or mix:A,0,C, or --format swift or hf"
        )
