"""What is odd about rows, by code."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ieat.pipeline.output.card.funnel import meaning_of
from ieat.pipeline.output.card.markdown import ranked, share, table


@dataclass
class Flags:
    """Counts of flags."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    """Rows by flag, by table; turns without words count to `stage1`."""
    rows: Counter[str] = field(default_factory=Counter)
    """Rows by table, flagged or not."""

    def add(self, name: str, flags: Iterable[str]) -> None:
        """Count the flags of one row."""
        self.rows[name] += 1
        self.counts.setdefault(name, Counter()).update(set(flags))


def flag_lines(flags: Flags, names: dict[str, str]) -> Iterator[str]:
    """Yield every flag with its count.

    Args:
        flags: Counts of flags.
        names: What a person calls the rows of a table, where that differs from its name.
    """
    rows = [
        (
            names.get(name, f"`{name}`"),
            f"`{code}`",
            count,
            share(count, flags.rows[name]),
            meaning_of(code),
        )
        for name, counts in flags.counts.items()
        for code, count in ranked(counts)
    ]
    if not rows:
        yield "Nothing is odd about any row."
        return
    yield from table(("rows of", "flag", "count", "share", "what it means"), rows)
