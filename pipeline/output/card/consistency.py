"""Whether answers sound as their words are meant."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ieat.pipeline.output.card.markdown import share
from ieat.pipeline.output.word_errors import NORMALIZER


@dataclass
class Consistency:
    """Counts of targets whose answer sounds."""

    compared: int = 0
    """Targets whose answer is labeled in words and voice."""
    alike: int = 0
    """Those of them that are heard as they are intended."""
    errors: float = 0.0
    """Words of answers that the recognizer heard wrong; characters for Chinese."""
    words: int = 0
    """Words of answers in the corpus' text that were compared."""

    def add_target(self, row: dict[str, Any]) -> None:
        """Count a row of `stage2`."""
        told = row["consistency"]
        if told is None:
            return
        self.compared += told["agrees"] is not None
        self.alike += bool(told["agrees"])
        if told["word_error_rate"] is not None:
            self.errors += told["word_error_rate"] * told["num_words"]
            self.words += told["num_words"]


def consistency_lines(found: Consistency) -> Iterator[str]:
    """Yield how many answers sound as they are meant, and how well their words were heard."""
    if not found.compared and not found.words:
        yield (
            "Nothing to compare: no answer has sound and labels of words and voice, or recognized "
            "words beside the corpus' own."
        )
    if found.compared:
        yield (
            f"Answers heard as their words are meant: {found.alike:,} of {found.compared:,} "
            f"({share(found.alike, found.compared)})."
        )
    if found.words:
        rate = found.errors / found.words
        yield (
            f"Words of answers that the recognizer heard wrong: {rate:.1%} of {found.words:,} "
            f"(characters for Chinese; normalizer `{NORMALIZER}`)."
        )
