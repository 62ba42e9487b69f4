"""What a judge is shown of a row: the conversation in the lines of HumDial's scorers.

T1 and T2 have a line of the user with the emotion, and one of the answer, up to the final one; T3
the same in English words, up to the target turn. HumDial's scorers pass silently over turns without
words or emotion, and take a missing emotion for one that is not neutral; here such a turn is shown
without an emotion.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ieat.pipeline.judging.rubric import Judged
from ieat.schemas.emotion import Emotion
from ieat.schemas.humdial_rows import AskedTurnCell, HumdialT1Row, HumdialT2Row, HumdialT3Row

JudgedRow = HumdialT1Row | HumdialT2Row | HumdialT3Row


class _Exchange(NamedTuple):
    """Something the user says, and what is answered."""

    emotion: Emotion | None
    said: str
    answer: str


def judged_of(row: JudgedRow) -> Judged:
    """Return what a judge is shown of a row."""
    if isinstance(row, HumdialT3Row):
        target = next(turn for turn in row.turns if turn.turn_index == row.turn_index)
        before = [turn for turn in row.turns if turn.turn_index <= target.turn_index]
        exchanges = list(_exchanges(before))
        exchanges[-1] = exchanges[-1]._replace(answer=row.response.text)
        return Judged(_lines(exchanges, "User", "({})"), "", row.response.text)
    emotions = (
        {step.turn_index: step.emotion for step in row.steps}
        if isinstance(row, HumdialT1Row)
        else {}
    )
    exchanges = list(_exchanges(row.turns, emotions))
    if row.question.turn_index is None:
        # A question from the list is asked by nobody: no emotion is made up for it.
        exchanges.append(_Exchange(None, row.question.text, row.answer))
    else:
        exchanges[-1] = exchanges[-1]._replace(answer=row.answer)
    history = _lines(exchanges, "用户", "(emotion:{})")
    return Judged(history, row.question.text, row.answer)


def _exchanges(
    turns: Sequence[AskedTurnCell], emotions: Mapping[int, Emotion] | None = None
) -> Iterator[_Exchange]:
    """Pair each turn of the user with what is answered, which may be nothing."""
    pending: _Exchange | None = None
    for turn in turns:
        if turn.role == "user":
            if pending is not None:
                yield pending
            emotion = (emotions or {}).get(turn.turn_index, turn.gold or turn.emotion)
            pending = _Exchange(emotion, turn.tagged, "")
        elif pending is not None:
            pending = pending._replace(answer=f"{pending.answer} {turn.clean}".strip())
    if pending is not None:
        yield pending


def _lines(exchanges: Sequence[_Exchange], user: str, tag: str) -> str:
    lines = []
    for one in exchanges:
        mark = tag.format(one.emotion.value) if one.emotion is not None else ""
        lines.append(f"{user}{mark}: {one.said}")
        if one.answer:
            lines.append(f"AI: {one.answer}")
    return "\n".join(lines)
