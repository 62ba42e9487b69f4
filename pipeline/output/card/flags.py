"""What is odd about rows, by code."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ieat.pipeline.output.card.funnel import meaning_of
from ieat.pipeline.output.card.markdown import ranked, share, table
from ieat.schemas.arrow import take_apart
from ieat.schemas.base import Value


def flag_paths(row_type: type[Value]) -> tuple[tuple[str, ...], ...]:
    """Return the fields that lead to the flags of a row and of its parts."""
    found: list[tuple[str, ...]] = []
    for name, described in row_type.model_fields.items():
        kind, _ = take_apart(described.annotation)
        if name == "flags":
            found.append((name,))
        elif isinstance(kind, type) and issubclass(kind, Value):
            found += [(name, *path) for path in flag_paths(kind)]
    return tuple(found)


def flags_in(row: Mapping[str, Any], paths: Iterable[tuple[str, ...]]) -> set[str]:
    """Return the flags of a row and of its parts; a part may be missing."""
    found: set[str] = set()
    for path in paths:
        cell: Any = row
        for step in path:
            cell = cell[step] if cell is not None else None
        found.update(cell or ())
    return found


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
