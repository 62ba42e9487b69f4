"""Tables and numbers as Markdown that any viewer shows."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

Cell = str | int | float | None
"""What may stand in a table; null is a dash."""

NOTHING = "–"
"""Stands where there is no value."""

NUMBER = re.compile(r"[\d,]+(\.\d+)?%?|[\d,]+(:\d\d)+|–")
"""A number as it is written."""


def section(title: str, lines: Iterable[str], level: int = 2) -> str:
    """Return a headed part of a page."""
    return "\n".join([f"{'#' * level} {title}", "", *lines, ""])


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Yield a table; columns of numbers stand to the right."""
    body = [list(row) for row in rows]
    yield f"| {' | '.join(head)} |"
    marks = ["--:" if _is_number(column) else "--" for column in zip(*body, strict=True)]
    yield f"|{'|'.join(marks or ['--'] * len(head))}|"
    for row in body:
        yield f"| {' | '.join(cell_text(cell) for cell in row)} |"


def cell_text(cell: Cell) -> str:
    """Return a cell's text on one line; a bar in it would open a new column."""
    if cell is None:
        return NOTHING
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, float):
        text = f"{cell:,.2f}"
        return "0.00" if text == "-0.00" else text
    return " ".join(cell.replace("|", "\\|").split())


def share(part: int, whole: int) -> str:
    """Return a part of a whole in percent; a dash where there is no whole."""
    return f"{part / whole:.0%}" if whole else NOTHING


def clock(seconds: float) -> str:
    """Return a length of time as hours, minutes and seconds: 1:02:03."""
    whole = round(seconds)
    return f"{whole // 3600:,}:{whole // 60 % 60:02}:{whole % 60:02}"


def counted(counts: Counter[str]) -> str:
    """Return words with their counts, the most frequent first."""
    return ", ".join(f"{name} {count:,}" for name, count in ranked(counts) if count) or "none"


def ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    """Return words and counts, the most frequent first, equals by the alphabet."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _is_number(column: Sequence[Cell]) -> bool:
    return all(
        NUMBER.fullmatch(cell) is not None if isinstance(cell, str) else True for cell in column
    )
