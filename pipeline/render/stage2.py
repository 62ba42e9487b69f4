"""A row that thinks before it answers as something to learn, in one think mode.

These are rows of stage 2, and those of HumDial's task T3, which hold the same.
"""

from collections.abc import Sequence
from functools import partial

from ieat.pipeline.failures import ConfigError, Filtered
from ieat.pipeline.output.messages import AUDIO_TAG
from ieat.pipeline.output.reading import ThinkMode
from ieat.pipeline.output.stage2_rows import MODE_REASONS
from ieat.pipeline.render.exchange import Candidate, Exchange, Part, Said, clips_of, user_first
from ieat.pipeline.render.modes import MODES, Modes, draw_mode
from ieat.pipeline.render.tags import Tags
from ieat.schemas.cells import TrainableCell
from ieat.schemas.humdial_rows import HumdialT3Row
from ieat.schemas.rows import Stage2Row

TASK = "answer"
"""Task of every row of stage 2."""

ThinkingRow = Stage2Row | HumdialT3Row


def candidate_of(
    row: ThinkingRow, task: str, modes: Modes, tags: Tags, *, all_rows: bool
) -> Candidate:
    """Return a row in the mode that is drawn for it.

    Args:
        row: The row.
        task: Its task.
        modes: Think modes with their shares.
        tags: What stands around the thinking.
        all_rows: Whether rows count as fit for every mode.
    """
    fit = tuple(modes.shares) if all_rows else fit_modes(row)
    wanted, chosen = draw_mode(row.row_id, modes, fit)
    mode = chosen or wanted
    return Candidate(
        task=task,
        reasons=() if chosen else reasons_against(row, wanted),
        wanted=wanted,
        make=partial(exchange_of, row, task, mode, tags),
    )


def fit_modes(row: ThinkingRow) -> tuple[ThinkMode, ...]:
    """Return the modes that a row is fit for."""
    if isinstance(row.trainable, TrainableCell):
        return MODES if row.trainable.is_trainable else ()
    fit: dict[ThinkMode, bool] = {
        "explicit": row.trainable.explicit,
        "injected": row.trainable.injected,
        "implicit": row.trainable.implicit,
    }
    return tuple(mode for mode, is_fit in fit.items() if is_fit)


def reasons_against(row: ThinkingRow, mode: ThinkMode) -> tuple[str, ...]:
    """Return what speaks against a row in a mode, as codes."""
    if mode == "explicit" and isinstance(row, Stage2Row):
        return tuple(code for code in row.trainable.reasons if code not in MODE_REASONS)
    return row.trainable.reasons


def exchange_of(row: ThinkingRow, task: str, mode: ThinkMode, tags: Tags) -> Exchange:
    """Return a row in a think mode.

    `explicit` has one piece that is learned, thinking and response; `injected` has the thinking
    as a piece that is not learned; `implicit` has the response alone, without any tag.

    Raises:
        Filtered: Words look like a tag of the thinking.
        ConfigError: The row is not in the form of a build.
    """
    *before, think, write = row.messages
    kinds = [message.kind for message in row.messages]
    is_sound = kinds.count("think") == 1 and (think.kind, write.kind) == ("think", "write")
    if not is_sound or _num_tags(row) != len(row.audios):
        raise ConfigError(f"{row.row_id} is not as a build writes it; look at it: ieat verify")
    said, changes = user_first([Said(message.role, message.content) for message in before])
    _refuse_marks([*(message.content for message in said), think.content, write.content], tags)
    return Exchange(
        row_id=row.row_id,
        task=task,
        mode=mode,
        language=row.language,
        said=said,
        clips=clips_of(row.audio_spans, row.audios),
        instruction=None,
        answer=_answer(mode, tags.around(think.content), write.content),
        thinking=None if mode == "implicit" else think.content,
        response=write.content,
        emotion=next(
            (
                state.emotion
                for state in row.trajectory_so_far
                if state.turn_index == row.turn_index
            ),
            None,
        ),
        changes=changes,
    )


def _answer(mode: ThinkMode, thinking: str, response: str) -> tuple[Part, ...]:
    if mode == "explicit":
        return (Part(thinking + response, loss=True),)
    if mode == "injected":
        return (Part(thinking, loss=False), Part(response, loss=True))
    return (Part(response, loss=True),)


def _num_tags(row: ThinkingRow) -> int:
    return sum(message.content.count(AUDIO_TAG) for message in row.messages)


def _refuse_marks(texts: Sequence[str], tags: Tags) -> None:
    """Refuse words that a trainer, or whoever cuts the thinking off, would take for a tag."""
    for mark in tags.marks:
        if any(mark in text for text in texts):
            raise Filtered("tag_in_words", f"the words hold {mark}, a tag of the thinking")
