"""How long turns, thinking and responses are."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ieat.pipeline.output.card.markdown import Cell, table
from ieat.pipeline.output.word_errors import split_words
from ieat.schemas.dialogue import Language

QUANTILES = (Fraction(5, 100), Fraction(1, 2), Fraction(95, 100))
"""Shares of the rows that are no longer than the length that is told."""

TENTHS = 10
"""Seconds are counted in tenths, so that what is kept does not grow with the rows."""

ORDER = ("turn, seconds", "turn", "thinking", "response", "dialogue, turns")
"""What is measured, in the order of the table."""


@dataclass
class Lengths:
    """Rows by length."""

    found: dict[tuple[str, str], Counter[int]] = field(default_factory=dict)
    """By what is measured and language: words or characters, turns, tenths of a second."""

    def add_turn(self, row: dict[str, Any]) -> None:
        """Measure a row of stage 1."""
        self._add("turn", row["language"], _num_words(row["words"]["clean"], row["language"]))
        if row["duration"] is not None:
            self._add("turn, seconds", row["language"], round(row["duration"] * TENTHS))

    def add_target(self, row: dict[str, Any]) -> None:
        """Measure a row of stage 2."""
        for part in ("thinking", "response"):
            self._add(part, row["language"], _num_words(row[part]["text"], row["language"]))

    def add_dialogue(self, row: dict[str, Any]) -> None:
        """Measure a row of `dialogues`."""
        self._add("dialogue, turns", row["language"], len(row["turns"]))

    def _add(self, what: str, language: str, length: int) -> None:
        self.found.setdefault((what, language), Counter())[length] += 1


def quantile(lengths: Counter[int], share: Fraction) -> int:
    """Return the shortest length that at least this share of the rows does not exceed."""
    wanted = share * lengths.total()
    so_far = 0
    for length in sorted(lengths):
        so_far += lengths[length]
        if so_far >= wanted:
            return length
    raise ValueError("there are no lengths")


def length_lines(lengths: Lengths) -> Iterator[str]:
    """Yield median and 5th and 95th percentile of every length."""
    rows: list[tuple[Cell, ...]] = []
    for what, language in sorted(lengths.found, key=lambda key: (ORDER.index(key[0]), key[1])):
        counts = lengths.found[what, language]
        is_tenths = what.endswith("seconds")
        told = [quantile(counts, share) for share in QUANTILES]
        unit = "characters" if language == Language.ZH.value else "words"
        name = what if "," in what else f"{what}, {unit}"
        rows.append(
            (
                name,
                language,
                counts.total(),
                *(f"{length / TENTHS:.1f}" if is_tenths else f"{length:,}" for length in told),
            )
        )
    if not rows:
        yield "There is nothing to measure."
        return
    yield from table(("length of", "language", "count", "5 %", "median", "95 %"), rows)


def _num_words(text: str, language: str) -> int:
    return len(split_words(text, Language(language)))
