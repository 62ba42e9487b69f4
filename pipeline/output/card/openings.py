"""How often rows open alike: a template that shows."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ieat.pipeline.output.card.markdown import ranked, share, table
from ieat.pipeline.output.word_errors import split_words
from ieat.schemas.dialogue import Language

OPENING = {Language.EN: 3, Language.ZH: 4}
"""Words (Chinese: characters) of an opening."""

MOST = 10_000
"""Different openings that are kept of one kind; those that come first after that are not told."""

SHOWN = 3
"""Most openings that are told of one kind; each opens two rows at least."""


@dataclass
class Openings:
    """Counts of openings."""

    found: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    """Rows by opening, by what opens and language."""
    totals: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rows by what opens and language."""

    def add_target(self, row: dict[str, Any]) -> None:
        """Count a row of `stage2`."""
        language = Language(row["language"])
        for part in ("thinking", "response"):
            key = (part, language.value)
            counts = self.found.setdefault(key, Counter())
            opening = opening_of(row[part]["text"], language)
            self.totals[key] += 1
            if opening in counts or len(counts) < MOST:
                counts[opening] += 1


def opening_of(text: str, language: Language) -> str:
    """Return the first words of a text, without marks and in lower case."""
    between = " " if language is Language.EN else ""
    return between.join(split_words(text, language)[: OPENING[language]])


def opening_lines(openings: Openings) -> Iterator[str]:
    """Yield the most frequent openings with their shares."""
    rows = [
        (part, language, opening, count, share(count, openings.totals[part, language]))
        for (part, language), counts in sorted(openings.found.items())
        for opening, count in ranked(counts)[:SHOWN]
        if count > 1
    ]
    if not rows:
        yield "No two targets open alike."
        return
    yield (
        "The first three words (Chinese: four characters) that most targets share. What many rows "
        "open with is learned as a phrase; nothing is left out for it."
    )
    yield ""
    yield from table(("opening of", "language", "opening", "targets", "share"), rows)
