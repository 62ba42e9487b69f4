"""Emotions of turns by intensity, and how they change."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ieat.pipeline.output.card.markdown import Cell, counted, ranked, share, table
from ieat.schemas.emotion import Emotion, Intensity

UNKNOWN = "unknown"
"""Stands for an emotion or intensity that nobody gives."""

NUM_WORDS = 12
"""Words of the corpus outside the seven that are named."""

KNOWN = tuple(emotion.value for emotion in Emotion)
EMOTIONS = (*KNOWN, UNKNOWN)
INTENSITIES = (*(intensity.value for intensity in Intensity), UNKNOWN)


@dataclass
class Emotions:
    """Counts of emotions."""

    turns: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    """Turns of stage 1 by split, language, intensity and emotion."""
    shifts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Shifts by the earlier and the new emotion."""
    directions: Counter[str] = field(default_factory=Counter)
    """Shifts by direction."""
    outside: Counter[str] = field(default_factory=Counter)
    """Turns by the corpus' own word, where it is outside the seven."""
    targets: Counter[str] = field(default_factory=Counter)
    """Targets by the emotion that is answered."""

    def add_turn(self, split: str, row: dict[str, Any]) -> None:
        """Count a row of stage 1."""
        felt = row["attributes"]
        key = (split, row["language"], felt["intensity"] or UNKNOWN, felt["emotion"] or UNKNOWN)
        self.turns[key] += 1

    def add_dialogue(self, row: dict[str, Any]) -> None:
        """Count the shifts of a row of `dialogues`, and words of the corpus outside the seven."""
        for turn in row["turns"]:
            if turn["gold"] and turn["gold"]["emotion"] is None:
                self.outside[turn["gold"]["raw"] or UNKNOWN] += 1
        for shift in row["shifts"]:
            self.shifts[shift["from_emotion"], shift["to_emotion"]] += 1
            self.directions[shift["direction"]] += 1

    def add_target(self, row: dict[str, Any]) -> None:
        """Count a row of stage 2."""
        felt = [
            state["emotion"]
            for state in row["trajectory_so_far"]
            if state["turn_index"] == row["turn_index"]
        ]
        self.targets[(felt[0] if felt else None) or UNKNOWN] += 1


def emotion_lines(emotions: Emotions) -> Iterator[str]:
    """Yield turns by emotion and intensity, a block of rows for each split and language."""
    if not emotions.turns:
        yield "No turn was written."
        return
    rows: list[tuple[Cell, ...]] = []
    for split, language in sorted({(split, language) for split, language, *_ in emotions.turns}):
        for intensity in INTENSITIES:
            counts = [emotions.turns[split, language, intensity, felt] for felt in EMOTIONS]
            if any(counts):
                rows.append((split, language, intensity, *counts, sum(counts)))
    yield "Turns with words, by how strongly the emotion shows."
    yield ""
    yield from table(("split", "language", "intensity", *EMOTIONS, "all"), rows)
    if emotions.outside:
        words = Counter(dict(ranked(emotions.outside)[:NUM_WORDS]))
        more = emotions.outside.total() - words.total()
        yield ""
        yield (
            f"Words of the corpus outside the seven: {counted(words)}"
            f"{f', others {more:,}' if more else ''}."
        )
    total = emotions.targets.total()
    if total:
        neutral = emotions.targets[Emotion.NEUTRAL.value]
        yield ""
        yield f"Neutral targets: {neutral:,} of {total:,} ({share(neutral, total)})."


def shift_lines(emotions: Emotions) -> Iterator[str]:
    """Yield the matrix of shifts: rows the earlier emotion, columns the new one."""
    if not emotions.shifts:
        yield "No emotion changes between known states of one speaker."
        return
    olds = [felt for felt in KNOWN if any(emotions.shifts[felt, new] for new in KNOWN)]
    news = [felt for felt in KNOWN if any(emotions.shifts[old, felt] for old in KNOWN)]
    yield (
        "Changes between neighboring known states of one speaker: rows the earlier emotion, "
        "columns the new one."
    )
    yield ""
    yield from table(
        ("from", *(f"to {new}" for new in news), "all"),
        [
            (
                old,
                *(None if old == new else emotions.shifts[old, new] for new in news),
                sum(emotions.shifts[old, new] for new in news),
            )
            for old in olds
        ],
    )
    told = ", ".join(
        f"{emotions.directions[direction]:,} {word}"
        for direction, word in (
            ("better", "to the better"),
            ("worse", "to the worse"),
            ("level", "between equals"),
        )
    )
    yield ""
    yield f"By valence: {told}."
