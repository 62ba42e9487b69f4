"""Choose between several answers to the same question by how many agree."""

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import NamedTuple


class Outcome(NamedTuple):
    """What a vote chose."""

    chosen: int
    """0-based index of the chosen answer: the first of those that agree."""
    agreement: float
    """Share of the answers asked for that say the same as the chosen one."""


def take_vote(ballots: Mapping[int, Hashable], num_asked: int) -> Outcome:
    """Return the answer that most agree with; of two with as many, the one with the lower index.

    Answers that could not be used cast no ballot, and count against agreement all the same.

    Args:
        ballots: What each usable answer says, by its index.
        num_asked: Answers that were asked for.

    Raises:
        ValueError: Nobody voted.
    """
    if not ballots:
        raise ValueError("a vote without ballots")
    first: dict[Hashable, int] = {}
    for index in sorted(ballots):
        first.setdefault(ballots[index], index)
    counts = Counter(ballots.values())
    winner = min(counts, key=lambda said: (-counts[said], first[said]))
    return Outcome(first[winner], counts[winner] / num_asked)
