"""How far the corpus, the words and the voice name the same emotion."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ieat.pipeline.output.card.emotions import KNOWN
from ieat.pipeline.output.card.markdown import NOTHING, share, table

PAIRS = (("gold", "text"), ("gold", "voice"), ("text", "voice"))
"""Sources that are compared."""

NAMES = {"gold": "the corpus", "text": "the words", "voice": "the voice"}
"""What a person calls a source."""

Confusion = Counter[tuple[str, str]]
"""Turns by what the first and the second source name."""


@dataclass
class Agreement:
    """Turns with labels of two sources."""

    pairs: dict[tuple[str, str], Confusion] = field(
        default_factory=lambda: {pair: Counter() for pair in PAIRS}
    )
    """Turns by what both name, for each pair of sources."""
    num_heard: int = 0
    """Turns whose voice was labeled."""
    num_unheard: int = 0
    """Turns whose voice could not be labeled."""
    num_conflicts: int = 0
    """Turns whose sources name different emotions."""

    def add_turn(self, turn: dict[str, Any]) -> None:
        """Count a turn of a row of `dialogues`."""
        for pair, confusion in self.pairs.items():
            first, second = (turn[source] and turn[source]["emotion"] for source in pair)
            if first and second:
                confusion[first, second] += 1
        self.num_heard += turn["voice"] is not None
        self.num_unheard += "voice_failed" in turn["flags"]
        self.num_conflicts += turn["conflict"]


def kappa(confusion: Confusion) -> float | None:
    """Return Cohen's kappa (Cohen 1960); null where both sources only ever name one emotion."""
    total = confusion.total()
    if not total:
        return None
    first: Counter[str] = Counter()
    second: Counter[str] = Counter()
    for (one, other), count in confusion.items():
        first[one] += count
        second[other] += count
    # Whole numbers up to the division: a chance of one is exactly one.
    by_chance = sum(first[name] * second[name] for name in first)
    if by_chance == total * total:
        return None
    return (total * num_alike(confusion) - by_chance) / (total * total - by_chance)


def num_alike(confusion: Confusion) -> int:
    """Return the turns that both sources name alike."""
    return sum(count for (one, other), count in confusion.items() if one == other)


def agreement_lines(agreement: Agreement) -> Iterator[str]:
    """Yield agreement and kappa of each pair of sources, and confusions with the corpus."""
    compared = [(pair, found) for pair, found in agreement.pairs.items() if found]
    if not compared:
        yield (
            "Nothing to compare: no turn has labels of two sources. `labels.also_gold` labels "
            "the turns that have the corpus' own label too."
        )
    else:
        yield from table(
            ("sources", "turns with both", "alike", "share", "Cohen's kappa"),
            [
                (
                    f"{NAMES[one]} and {NAMES[other]}",
                    found.total(),
                    num_alike(found),
                    share(num_alike(found), found.total()),
                    kappa(found),
                )
                for (one, other), found in compared
            ],
        )
        yield ""
        yield (
            "Kappa is 1 where both always name the same and 0 where they agree as often as by "
            f"chance; {NOTHING} where only one emotion is ever named."
        )
    for (one, other), found in compared:
        if one == "gold":
            yield ""
            yield f"Rows: {NAMES[one]}; columns: {NAMES[other]}."
            yield ""
            yield from confusion_lines(found)
    if agreement.num_heard or agreement.num_unheard:
        yield ""
        yield (
            f"Voices labeled: {agreement.num_heard:,}; that could not be: "
            f"{agreement.num_unheard:,}. Turns whose sources name different emotions: "
            f"{agreement.num_conflicts:,}."
        )


def confusion_lines(confusion: Confusion) -> Iterator[str]:
    """Yield a confusion matrix of the emotions that occur, with the recall of each row."""
    rows = [felt for felt in KNOWN if any(confusion[felt, other] for other in KNOWN)]
    columns = [felt for felt in KNOWN if any(confusion[other, felt] for other in KNOWN)]
    yield from table(
        ("", *columns, "all", "named alike"),
        [
            (
                felt,
                *(confusion[felt, other] for other in columns),
                sum(confusion[felt, other] for other in columns),
                share(confusion[felt, felt], sum(confusion[felt, other] for other in columns)),
            )
            for felt in rows
        ],
    )
