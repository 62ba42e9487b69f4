"""How evenly a build is spread over classes, languages, lengths, tasks and speakers."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ieat.pipeline.output.card.emotions import KNOWN, UNKNOWN, Emotions
from ieat.pipeline.output.card.markdown import NOTHING, Cell, ranked, share, table
from ieat.pipeline.output.card.size import Sizes
from ieat.pipeline.output.card.speakers import Speakers


@dataclass
class Balance:
    """Counts of dialogues that no other part of the card needs."""

    tasks: Counter[str] = field(default_factory=Counter)
    """Dialogues by task of the corpus; a dialogue may belong to several."""
    turns: Counter[int] = field(default_factory=Counter)
    """Dialogues by their number of turns."""

    def add_dialogue(self, row: dict[str, Any]) -> None:
        """Count a row of `dialogues`."""
        self.tasks.update(row["tasks"])
        self.turns[len(row["turns"])] += 1


def evenness(counts: Counter[str]) -> float | None:
    """Return Pielou's evenness (1966): entropy over its maximum; null for fewer than two groups.

    It is 1 where all groups are equally large and near 0 where one holds nearly all. A group
    without members counts as one.
    """
    total = counts.total()
    if len(counts) < 2 or not total:
        return None
    entropy = -math.fsum(n / total * math.log(n / total) for n in counts.values() if n)
    # A single group has an entropy of minus zero.
    return abs(entropy) / math.log(len(counts))


def balance_lines(
    balance: Balance, emotions: Emotions, sizes: Sizes, speakers: Speakers
) -> Iterator[str]:
    """Yield the largest and smallest group of each kind, and how even all are."""
    turns_felt: Counter[str] = Counter()
    for (_, _, _, felt), count in emotions.turns.items():
        turns_felt[felt] += count
    by_speaker: Counter[str] = Counter()
    for (speaker_id, _), speaker in speakers.found.items():
        by_speaker[f"`{speaker_id}`"] += speaker.turns
    kinds = (
        ("turns by emotion, where known", _all_emotions(turns_felt)),
        ("targets by emotion answered", _all_emotions(emotions.targets)),
        ("dialogues by language", sizes.languages),
        ("dialogues by corpus", Counter({c: size.dialogues for c, size in sizes.corpora.items()})),
        ("dialogues by task", balance.tasks),
        ("dialogues by number of turns", Counter({str(n): c for n, c in balance.turns.items()})),
        ("turns by speaker", by_speaker),
    )
    if not sizes.parts:
        yield "There is nothing to balance."
        return
    yield (
        "Evenness is the entropy over its maximum (Pielou 1966): 1 where all groups are equally "
        "large. An emotion without a turn counts as a group. What `keep_targets` left out stands "
        "in the funnel; nothing else is cut for balance."
    )
    yield ""
    yield from table(
        ("what", "groups", "largest", "share", "smallest", "share", "evenness"),
        [(name, *_cells(counts)) for name, counts in kinds if counts.total()],
    )


def _all_emotions(counts: Counter[str]) -> Counter[str]:
    return Counter({felt: counts[felt] for felt in KNOWN if felt != UNKNOWN})


def _cells(counts: Counter[str]) -> tuple[Cell, ...]:
    groups = ranked(counts)
    (largest, most), (smallest, fewest) = groups[0], groups[-1]
    total = counts.total()
    if len(groups) == 1:
        return 1, largest, share(most, total), NOTHING, NOTHING, None
    return (
        len(groups),
        largest,
        share(most, total),
        smallest,
        share(fewest, total),
        evenness(counts),
    )
