"""The conversation of a row of T1 or T2: the whole dialogue, the question, the answer."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from ieat.pipeline.output.cells import clip_cell, has_sound, span_cell, state_at
from ieat.pipeline.output.messages import AUDIO_TAG, WRITTEN_TAG, join_words, without_tags
from ieat.schemas.cells import AudioCell, MessageCell, SpanCell
from ieat.schemas.humdial_rows import AskedTurnCell, QuestionCell
from ieat.schemas.records import ComposedDialogue


class Told(NamedTuple):
    """What a row shows."""

    turns: tuple[AskedTurnCell, ...]
    """The turns, in order."""
    messages: tuple[MessageCell, ...]
    """The messages to train on."""
    spans: tuple[SpanCell, ...]
    """Where each clip comes from, in order."""
    flags: tuple[str, ...]
    """What is odd about the conversation, as codes."""


def tell(
    composed: ComposedDialogue,
    user: str,
    shown: Sequence[int],
    question: QuestionCell,
    answer: str,
) -> Told:
    """Return the conversation of a row; roles alternate, the loss is on the answer alone.

    The user is heard where there is sound, everybody else is read.

    Args:
        composed: The dialogue.
        user: Whose turns are heard.
        shown: 0-based turns with words that are shown, in order.
        question: What is asked; one of the list follows the last turn as words.
        answer: The target.
    """
    said = composed.transcript.utterances
    messages = []
    for is_user, group in groupby(shown, key=lambda turn: _is_of(composed, user, turn)):
        turns = list(group)
        words = [without_tags(said[turn].clean) for turn in turns]
        if is_user:
            lines = [
                AUDIO_TAG if has_sound(composed, turn) else text
                for turn, text in zip(turns, words, strict=True)
            ]
            messages.append(_listened("\n".join(lines)))
        else:
            content = join_words(words, composed.dialogue.language)
            messages.append(
                MessageCell(role="assistant", kind="write", content=content, loss=False)
            )
    if question.is_synthetic and messages[-1].role == "user":
        messages[-1] = _listened(f"{messages[-1].content}\n{question.text}")
    elif question.is_synthetic:
        messages.append(_listened(question.text))
    answering = MessageCell(role="assistant", kind="write", content=without_tags(answer), loss=True)
    spans = tuple(
        span
        for turn in shown
        if _is_of(composed, user, turn) and (span := span_cell(composed, turn)) is not None
    )
    clips = {span.turn_index: number for number, span in enumerate(spans)}
    return Told(
        turns=tuple(
            asked_turn(composed, turn, user, clips.get(turn), turn == question.turn_index)
            for turn in shown
        ),
        messages=(*messages, answering),
        spans=spans,
        flags=_flags(composed, user, shown, answer),
    )


def asked_turn(
    composed: ComposedDialogue,
    turn_index: int,
    user: str,
    clip_index: int | None,
    is_question: bool,
) -> AskedTurnCell:
    """Return one turn as a row shows it."""
    turn = composed.dialogue.turns[turn_index]
    said = composed.transcript.utterances[turn_index]
    state = state_at(composed, turn_index)
    return AskedTurnCell(
        turn_index=turn_index,
        source_turn_id=turn.source_turn_id,
        speaker=turn.speaker,
        role="user" if turn.speaker == user else "assistant",
        clean=said.clean,
        tagged=said.tagged,
        gold=state.gold.emotion if state and state.gold else None,
        emotion=state.chosen if state else None,
        intensity=state.intensity if state else None,
        chosen_from=state.chosen_from if state else None,
        is_question=is_question,
        clip_index=clip_index,
    )


def clip_cells(
    composed: ComposedDialogue, spans: Sequence[SpanCell], *, is_embedded: bool
) -> tuple[AudioCell, ...]:
    """Return the clips of a row: by name for the sink to fill, or by reference."""
    return tuple(
        clip_cell(composed, span.turn_index)
        if is_embedded
        else AudioCell(bytes=None, path=span.uri)
        for span in spans
    )


def _is_of(composed: ComposedDialogue, user: str, turn_index: int) -> bool:
    return composed.dialogue.turns[turn_index].speaker == user


def _listened(content: str) -> MessageCell:
    return MessageCell(role="user", kind="listen", content=content, loss=False)


def _flags(
    composed: ComposedDialogue, user: str, shown: Sequence[int], answer: str
) -> tuple[str, ...]:
    flags = []
    if not _is_of(composed, user, shown[0]):
        flags.append("assistant_first")
    if len({composed.dialogue.turns[turn].speaker for turn in shown}) > 2:
        flags.append("third_speaker")
    read = [
        composed.transcript.utterances[turn].clean
        for turn in shown
        if not (_is_of(composed, user, turn) and has_sound(composed, turn))
    ]
    if any(WRITTEN_TAG.search(text) for text in (*read, answer)):
        flags.append("audio_tag_in_words")
    return tuple(flags)
