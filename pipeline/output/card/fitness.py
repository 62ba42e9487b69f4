"""What is fit to train on, in every table and think mode, and what speaks against the rest."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ieat.pipeline.output.card.funnel import meaning_of
from ieat.pipeline.output.card.markdown import counted, share, table
from ieat.pipeline.output.stage2_rows import MODE_REASONS
from ieat.schemas.arrow import take_apart
from ieat.schemas.base import Value
from ieat.schemas.cells import ModesCell, TrainableCell

MODES = ("explicit", "injected", "implicit")
"""The think modes."""


class FitPart(NamedTuple):
    """A part of a row that says whether it is fit."""

    path: tuple[str, ...]
    """Fields that lead to it."""
    has_modes: bool
    """Whether it says so for each think mode."""

    @property
    def column(self) -> str:
        """The column of the table that holds it."""
        return ".".join(self.path)

    @property
    def name(self) -> str:
        """What a person calls the part; empty for the whole row."""
        return ".".join(self.path[:-1])


def fit_parts(row_type: type[Value], before: tuple[str, ...] = ()) -> tuple[FitPart, ...]:
    """Return the parts of a row model that say whether they are fit, in the model's order."""
    found: list[FitPart] = []
    for name, described in row_type.model_fields.items():
        kind, _ = take_apart(described.annotation)
        if kind in (TrainableCell, ModesCell):
            found.append(FitPart((*before, name), kind is ModesCell))
        elif isinstance(kind, type) and issubclass(kind, Value):
            found += fit_parts(kind, (*before, name))
    return tuple(found)


@dataclass
class Fitness:
    """Counts of rows, or parts of them, that are fit."""

    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rows that have the part, by table and part."""
    fit: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Those that are fit, by table, part and mode; the mode of a part without modes is empty."""
    reasons: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    """What speaks against it, by table and part."""
    parts: dict[str, tuple[FitPart, ...]] = field(default_factory=dict)
    """The parts of each table that was read."""

    def add_row(self, name: str, parts: tuple[FitPart, ...], row: Mapping[str, Any]) -> None:
        """Count a row of a table."""
        self.parts[name] = parts
        for part in parts:
            cell: Any = row
            for step in part.path:
                cell = cell[step] if cell is not None else None
            if cell is None:
                continue
            key = (name, part.name)
            self.rows[key] += 1
            self.reasons.setdefault(key, Counter()).update(cell["reasons"])
            for mode in MODES if part.has_modes else ("",):
                self.fit[(*key, mode)] += bool(cell[mode or "is_trainable"])


def fitness_lines(fitness: Fitness) -> Iterator[str]:
    """Yield how much is fit, and the meaning of every reason."""
    rows = []
    named: set[str] = set()
    for name, parts in fitness.parts.items():
        for part in parts:
            key = (name, part.name)
            if not fitness.rows[key]:
                continue
            against = fitness.reasons.get(key, Counter())
            named.update(against)
            for mode in MODES if part.has_modes else ("",):
                fit, total = fitness.fit[(*key, mode)], fitness.rows[key]
                counts = Counter(
                    {
                        code: count
                        for code, count in against.items()
                        if mode != "explicit" or code not in MODE_REASONS
                    }
                )
                what = ", ".join(word for word in (f"`{name}`", part.name, mode) if word)
                rows.append((what, fit, total, share(fit, total), counted(counts)))
    if not rows:
        yield "No row says whether it is fit."
        return
    yield (
        "Readers of ieat pass over what is not fit unless asked for it. A row may have several "
        "reasons."
    )
    yield ""
    yield from table(("what", "fit", "of", "share", "reasons against the others"), rows)
    if named:
        yield ""
        yield from table(
            ("reason", "what it means"),
            [(f"`{code}`", meaning_of(code)) for code in sorted(named)],
        )
