"""The rows of HumDial's tasks T1, T2 and T4 as something to learn; T3 is a row as of stage 2."""

from functools import partial

from ieat.pipeline.failures import Filtered
from ieat.pipeline.output.messages import AUDIO_TAG
from ieat.pipeline.render.exchange import Candidate, Exchange, Part, Said, clips_of, user_first
from ieat.schemas.humdial_rows import HumdialRow, HumdialT4Row


def candidate_of(row: HumdialRow, task: str, *, all_rows: bool) -> Candidate:
    """Return a row of a task without thinking.

    Args:
        row: The row.
        task: Its task: t1, t2 or t4.
        all_rows: Whether every row counts as fit.
    """
    return Candidate(
        task=task,
        reasons=() if all_rows else row.trainable.reasons,
        wanted=None,
        make=partial(_exchange, row, task),
    )


def _exchange(row: HumdialRow, task: str) -> Exchange:
    """Return the turns, the question last, and the target.

    Raises:
        Filtered: A turn of T4 has no emotion to name.
    """
    *before, answer = row.messages
    if answer.kind != "write":
        raise Filtered("unknown_emotion", "the emotion of the turn is unknown")
    said, changes = user_first([Said(message.role, message.content) for message in before])
    instruction = None
    if said[-1].content.startswith(f"{AUDIO_TAG}\n"):
        # A clip with a question beside it: one of the list, which has no sound.
        instruction = said[-1].content.removeprefix(f"{AUDIO_TAG}\n")
    return Exchange(
        row_id=row.row_id,
        task=task,
        mode=None,
        language=row.language,
        said=said,
        clips=clips_of(row.audio_spans, row.audios),
        instruction=instruction,
        answer=(Part(answer.content, loss=True),),
        thinking=None,
        response=answer.content,
        emotion=row.emotion if isinstance(row, HumdialT4Row) else None,
        changes=changes,
    )
