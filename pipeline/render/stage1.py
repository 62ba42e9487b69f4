"""The tasks of rows of stage 1, and spoken questions, as something to learn."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple

from ieat.pipeline.failures import Filtered
from ieat.pipeline.output.messages import AUDIO_TAG, join_words, without_tags
from ieat.pipeline.output.stage1_reading import attributes_as_json
from ieat.pipeline.render.exchange import Candidate, Clip, Exchange, Part, Said, user_first
from ieat.schemas.aqa_rows import AqaRow
from ieat.schemas.arrow import to_record
from ieat.schemas.cells import AudioCell, SpanCell
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion
from ieat.schemas.rows import Stage1Row


class _Lesson(NamedTuple):
    """A task: what is told, and what is answered."""

    task: str
    instruction: str
    target: str
    is_cut: bool = False
    """Whether the answer was cut, so that its end is no end."""


def candidates_of_turns(rows: Iterable[Stage1Row], *, all_rows: bool) -> Iterator[Candidate]:
    """Yield the tasks of turns, in the order of the rows.

    Args:
        rows: Turns, those of a dialogue together and in order.
        all_rows: Whether every task counts as fit.
    """
    for _, of_dialogue in groupby(rows, key=lambda row: row.dialogue_id):
        before: dict[int, Stage1Row] = {}
        for row in of_dialogue:
            before[row.turn_index] = row
            for lesson, reasons, context in _lessons(row, before):
                yield Candidate(
                    task=lesson.task,
                    reasons=() if all_rows else reasons,
                    wanted=None,
                    make=partial(_exchange, row, lesson, context),
                )


def candidate_of_question(row: AqaRow, *, all_rows: bool) -> Candidate:
    """Return a spoken question."""
    lesson = _Lesson(row.task, row.instruction, row.target_text)
    return Candidate(
        task=lesson.task,
        reasons=() if all_rows else row.trainable.reasons,
        wanted=None,
        make=partial(_exchange, row, lesson, ()),
    )


def _lessons(
    row: Stage1Row, before: dict[int, Stage1Row]
) -> Iterator[tuple[_Lesson, tuple[str, ...], tuple[tuple[Stage1Row, bool], ...]]]:
    """Yield each task with what speaks against it, and the turns before that it rests on."""
    words, attributes, taught = row.words, row.attributes, row.distillation
    yield (
        _Lesson(words.task, words.instruction, words.clean),
        words.trainable.reasons,
        (),
    )
    yield (
        _Lesson(attributes.task, attributes.instruction, attributes_as_json(to_record(attributes))),
        attributes.trainable.reasons,
        (),
    )
    if taught is not None:
        yield (
            _Lesson(taught.task, taught.instruction, taught.target_text, taught.early_stop),
            taught.trainable.reasons,
            tuple((before[turn], turn in taught.assistant_turns) for turn in taught.context_turns),
        )


def _exchange(
    row: Stage1Row | AqaRow, lesson: _Lesson, context: Sequence[tuple[Stage1Row, bool]]
) -> Exchange:
    """Return a task as turns before, a clip with its instruction, and the answer.

    Raises:
        Filtered: The turn has no sound, or the answer was cut.
    """
    if row.audio is None or row.audio_span is None:
        raise Filtered("text_in_turn", "the turn has no sound to learn from")
    if lesson.is_cut:
        raise Filtered("answer_cut", "the answer was cut, and its end would be learned")
    spoken: list[tuple[Said, Clip | None]] = [
        _context(before, is_assistant=is_assistant) for before, is_assistant in context
    ]
    spoken.append((Said("user", AUDIO_TAG), _clip(row.audio, row.audio_span)))
    joined = _joined([said for said, _ in spoken], row.language)
    instruction = without_tags(lesson.instruction)
    joined[-1] = Said("user", f"{joined[-1].content}\n{instruction}")
    said, changes = user_first(joined)
    target = without_tags(lesson.target)
    return Exchange(
        row_id=f"{row.row_id}/{lesson.task}" if isinstance(row, Stage1Row) else row.row_id,
        task=lesson.task,
        mode=None,
        language=row.language,
        said=said,
        clips=tuple(clip for _, clip in spoken if clip is not None),
        instruction=instruction,
        answer=(Part(target, loss=True),),
        thinking=None,
        response=target,
        emotion=_emotion(row),
        changes=changes,
    )


def _context(row: Stage1Row, *, is_assistant: bool) -> tuple[Said, Clip | None]:
    """Return a turn before: the user's is heard where it sounds, the assistant's is words."""
    if is_assistant:
        return Said("assistant", without_tags(row.words.clean)), None
    if row.audio is None or row.audio_span is None:
        return Said("user", without_tags(row.words.clean)), None
    return Said("user", AUDIO_TAG), _clip(row.audio, row.audio_span)


def _joined(said: Sequence[Said], language: Language) -> list[Said]:
    """Join neighboring messages of one role, as rows of stage 2 do."""
    joined = []
    for role, group in groupby(said, key=lambda message: message.role):
        texts = [message.content for message in group]
        content = "\n".join(texts) if role == "user" else join_words(texts, language)
        joined.append(Said(role, content))
    return joined


def _clip(audio: AudioCell, span: SpanCell) -> Clip:
    return Clip(span, audio.bytes)


def _emotion(row: Stage1Row | AqaRow) -> Emotion | None:
    return row.attributes.emotion if isinstance(row, Stage1Row) else None
