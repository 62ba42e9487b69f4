"""Kinds of causes, and where their quotes lie."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ieat.pipeline.output.card.markdown import Cell, share, table
from ieat.schemas.attribution import CauseKind

KINDS = tuple(kind.value for kind in CauseKind)
DISTANCES = ("own turn", "turn before", "earlier")
"""How far before its state a quote lies."""


@dataclass
class Causes:
    """Counts of causes and quotes."""

    kinds: Counter[str] = field(default_factory=Counter)
    """Causes by kind."""
    unquoted: Counter[str] = field(default_factory=Counter)
    """Causes without a quote, by kind."""
    unappraised: Counter[str] = field(default_factory=Counter)
    """Causes without an appraisal, by kind."""
    distances: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Quotes by kind of the cause and distance."""
    own: Counter[str] = field(default_factory=Counter)
    """Quotes of the speaker's own words, by kind of the cause."""
    word_timed: int = 0
    """Quotes whose place in the sound is known to the word."""
    states: int = 0
    """States with a cause."""
    voted: int = 0
    """Causes that several answers were asked for."""
    agreement: float = 0.0
    """Sum of the agreement of those."""
    read_back: Counter[str] = field(default_factory=Counter)
    """Causes that another model read, by what it found: alike, differs, unclear."""

    def add_dialogue(self, row: dict[str, Any]) -> None:
        """Count the causes of a row of `dialogues`."""
        self.states += len({(cause["speaker"], cause["turn_index"]) for cause in row["causes"]})
        for cause in row["causes"]:
            kind = cause["kind"]
            self.kinds[kind] += 1
            self.unquoted[kind] += not cause["evidence"]
            self.unappraised[kind] += cause["appraisal"] is None
            if cause["agreement"] is not None:
                self.voted += 1
                self.agreement += cause["agreement"]
            if cause["agrees"] is not None:
                self.read_back[_found(cause)] += 1
            for shown in cause["evidence"]:
                before = cause["turn_index"] - shown["turn_index"]
                self.distances[kind, DISTANCES[min(before, len(DISTANCES) - 1)]] += 1
                self.own[kind] += shown["speaker"] == cause["speaker"]
                self.word_timed += shown["is_word_timed"]


def cause_lines(causes: Causes) -> Iterator[str]:
    """Yield causes by kind, with the distance and the speaker of their quotes."""
    total = causes.kinds.total()
    if not total:
        yield "No cause was found."
        return
    rows: list[tuple[Cell, ...]] = [
        _row(causes, kind, (kind,)) for kind in KINDS if causes.kinds[kind]
    ]
    if len(rows) > 1:
        rows.append(_row(causes, "all", KINDS))
    yield (
        f"{total:,} causes of {causes.states:,} states. Quotes are counted by how far they lie "
        "before the state, and by whose words they are."
    )
    yield ""
    yield from table(
        (
            "kind",
            "causes",
            "without quote",
            "without appraisal",
            "quotes",
            *DISTANCES,
            "own words",
            "another's",
        ),
        rows,
    )
    quotes = causes.distances.total()
    if quotes:
        yield ""
        yield (
            f"Quotes timed to the word: {causes.word_timed:,} of {quotes:,} "
            f"({share(causes.word_timed, quotes)}); the others have the times of their turn."
        )
    yield from _trust_lines(causes)


def _found(cause: dict[str, Any]) -> str:
    if cause["agrees"]:
        return "alike"
    return "unclear" if cause["repredicted"] is None else "differs"


def _trust_lines(causes: Causes) -> Iterator[str]:
    """Tell what several answers and another model say, in builds that ask them."""
    if causes.voted:
        yield ""
        yield (
            f"Several answers were asked for {causes.voted:,} causes; on average "
            f"{causes.agreement / causes.voted:.0%} of them cite the turns of the one that counts."
        )
    total = causes.read_back.total()
    if total:
        alike = causes.read_back["alike"]
        yield ""
        yield (
            f"Another model, which read the cause alone, found the emotion again in {alike:,} of "
            f"{total:,} ({share(alike, total)}); another one in {causes.read_back['differs']:,}, "
            f"none for sure in {causes.read_back['unclear']:,}."
        )


def _row(causes: Causes, name: str, kinds: tuple[str, ...]) -> tuple[Cell, ...]:
    distances = [sum(causes.distances[kind, far] for kind in kinds) for far in DISTANCES]
    own = sum(causes.own[kind] for kind in kinds)
    return (
        name,
        *(
            sum(counts[kind] for kind in kinds)
            for counts in (causes.kinds, causes.unquoted, causes.unappraised)
        ),
        sum(distances),
        *distances,
        own,
        sum(distances) - own,
    )
