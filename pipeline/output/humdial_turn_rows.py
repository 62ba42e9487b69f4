"""Rows of HumDial's tasks T3 and T4, which rest on no look back."""

from collections.abc import Iterator, Sequence

from ieat.pipeline.emotion_vocabulary import WORDS
from ieat.pipeline.humdial_tasks import tables_of, user_of
from ieat.pipeline.output.cells import (
    codes,
    is_baseline_state,
    is_held_out,
    is_voiceless,
    provenance_cell,
    span_cell,
    trainable_cell,
)
from ieat.pipeline.output.humdial_conversations import asked_turn, clip_cells
from ieat.pipeline.output.humdial_rows import HumdialRowSettings, look_back_ends
from ieat.pipeline.output.messages import AUDIO_TAG, context_turns
from ieat.pipeline.output.stage2_rows import RowSettings, stage2_row
from ieat.pipeline.questions import choose_question
from ieat.schemas.cells import MessageCell, SpanCell
from ieat.schemas.emotion import Emotion, EmotionalState
from ieat.schemas.humdial_rows import CueRelation, HumdialRow, HumdialT3Row, HumdialT4Row, T3Rule
from ieat.schemas.records import ComposedDialogue
from ieat.schemas.retrospection import RowEnd


def humdial_ends(
    composed: ComposedDialogue, settings: RowSettings
) -> Iterator[tuple[str, HumdialRow | RowEnd]]:
    """Yield what becomes of every row that a dialogue could give to the tables of HumDial's tasks.

    Tables of tasks that the dialogue does not belong to are passed over: it could give them none.
    """
    yield from look_back_ends(composed, settings.humdial)
    tables = tables_of(composed.dialogue, settings.humdial.tables)
    if "humdial_t3" in tables:
        yield "humdial_t3", _t3_end(composed, settings)
    if "humdial_t4" in tables:
        for end in _t4_ends(composed, settings.humdial):
            yield "humdial_t4", end


def find_target_turns(states: Sequence[EmotionalState]) -> dict[T3Rule, int | None]:
    """Return the target turn of T3 by both rules; unknown states count as neutral ones do.

    The official script takes a missing emotion for one that is not neutral; nothing is made of
    what is not known here, and the row has the flag `t3_unknown_states`.
    """
    felt = [state.turn_index for state in states if state.chosen not in (None, Emotion.NEUTRAL)]
    return {
        "last_non_neutral": felt[-1] if felt else None,
        "second_non_neutral": felt[1] if len(felt) > 1 else None,
    }


def _t3_end(composed: ComposedDialogue, settings: RowSettings) -> HumdialT3Row | RowEnd:
    dialogue = composed.dialogue
    user = user_of(dialogue, settings.humdial.user_speaker)
    states = [
        state
        for trajectory in composed.trajectories
        if trajectory.speaker == user
        for state in trajectory.states
    ]
    targets = find_target_turns(states)
    turn = targets[settings.humdial.t3_rule]
    if turn is None:
        return RowEnd(table="humdial_t3", end="filtered", code="t3_no_target")
    sample = next((one for one in composed.samples if one.target.turn_index == turn), None)
    if sample is None:
        return _without_sample(composed, turn)
    row = stage2_row(composed, sample, settings)
    clips = {span.turn_index: number for number, span in enumerate(row.audio_spans)}
    context = context_turns(
        composed, sample.target, settings.max_context_turns, settings.max_context_seconds
    )
    flags = [*row.flags]
    if len({target for target in targets.values() if target is not None}) > 1:
        flags.append("t3_rules_differ")
    if any(state.chosen is None for state in states):
        flags.append("t3_unknown_states")
    return HumdialT3Row(
        row_id=f"{dialogue.dialogue_id}/humdial_t3",
        dialogue_id=dialogue.dialogue_id,
        user_speaker=user,
        language=dialogue.language,
        split=dialogue.split,
        license=dialogue.license,
        turns=tuple(
            asked_turn(composed, index, user, clips.get(index), is_question=False)
            for index in (*context, *sample.target.user_turns)
        ),
        messages=row.messages,
        audios=row.audios,
        audio_spans=row.audio_spans,
        # The sample answers of HumDial are references, not gold: one that is fit for learning to
        # think is not fit as an empathic answer.
        trainable=trainable_cell(row.trainable.reasons),
        provenance=row.provenance,
        flags=codes(flags),
        turn_index=turn,
        t3_rule=settings.humdial.t3_rule,
        target_turn_last_non_neutral=targets["last_non_neutral"],
        target_turn_second_non_neutral=targets["second_non_neutral"],
        target_emotion=_emotion_at(states, turn),
        trajectory_so_far=row.trajectory_so_far,
        stage2_row_id=row.row_id,
        thinking=row.thinking,
        response=row.response,
    )


def _emotion_at(states: Sequence[EmotionalState], turn: int) -> Emotion:
    for state in states:
        if state.turn_index == turn and state.chosen is not None:
            return state.chosen
    raise ValueError(f"turn {turn} is a target without an emotion")


def _without_sample(composed: ComposedDialogue, turn: int) -> RowEnd:
    """Return why the target turn has no thinking and response."""
    for failure in composed.failures:
        if failure.unit == "target" and failure.turn_index == turn:
            return RowEnd(
                table="humdial_t3",
                end="dead",
                code="needs_failed_target",
                message=f"the target of turn {turn} failed: {failure.code}",
                response_keys=failure.response_keys,
            )
    left_out = dict(composed.filtered).get(turn, "t3_no_answer")
    return RowEnd(table="humdial_t3", end="filtered", code=left_out)


def _t4_ends(
    composed: ComposedDialogue, settings: HumdialRowSettings
) -> Iterator[HumdialT4Row | RowEnd]:
    for trajectory in composed.trajectories:
        for state in trajectory.states:
            span = span_cell(composed, state.turn_index)
            if span is None:
                yield RowEnd(table="humdial_t4", end="filtered", code="text_only")
            else:
                yield _t4_row(composed, state, span, settings)


def _t4_row(
    composed: ComposedDialogue, state: EmotionalState, span: SpanCell, settings: HumdialRowSettings
) -> HumdialT4Row:
    dialogue, turn = composed.dialogue, state.turn_index
    row_id = f"{dialogue.turn_id(turn)}/humdial_t4"
    template = settings.prompts.template("questions", dialogue.language)
    asked = choose_question(template, "t4", row_id)
    gold = state.gold.emotion if state.gold else None
    emotion = gold or state.chosen
    word = WORDS[dialogue.language][emotion] if emotion else None
    messages = [
        MessageCell(role="user", kind="listen", content=f"{AUDIO_TAG}\n{asked.text}", loss=False)
    ]
    if word is not None:
        messages.append(MessageCell(role="assistant", kind="write", content=word, loss=True))
    known = provenance_cell(composed, [turn], [state], [], [])
    prompts = dict(zip(known.prompt_ids, known.prompt_sha256s, strict=True))
    prompts[template.prompt_id] = template.sha256
    return HumdialT4Row(
        row_id=row_id,
        dialogue_id=dialogue.dialogue_id,
        user_speaker=state.speaker,
        language=dialogue.language,
        split=dialogue.split,
        license=dialogue.license,
        turns=(asked_turn(composed, turn, state.speaker, 0, is_question=False),),
        messages=tuple(messages),
        audios=clip_cells(composed, (span,), is_embedded=settings.is_embedded),
        audio_spans=(span,),
        trainable=trainable_cell(_against_t4(composed, state, gold, emotion)),
        provenance=known.model_copy(
            update={
                "prompt_ids": tuple(sorted(prompts)),
                "prompt_sha256s": tuple(prompts[prompt_id] for prompt_id in sorted(prompts)),
            }
        ),
        flags=codes((*state.flags, *(("label_conflict",) if state.conflict else ()))),
        turn_index=turn,
        instruction=asked.text,
        instruction_id=asked.question_id,
        gold=gold,
        text_emotion=state.text.emotion if state.text else None,
        text_confidence=state.text.confidence if state.text else None,
        audio_emotion=state.voice.emotion if state.voice else None,
        audio_confidence=state.voice.confidence if state.voice else None,
        relation=relation_of(state),
        emotion=emotion,
        word=word,
    )


def relation_of(state: EmotionalState) -> CueRelation:
    """Tell whether words and voice name the same emotion."""
    text = state.text.emotion if state.text else None
    voice = state.voice.emotion if state.voice else None
    if text is None or voice is None:
        return "unknown"
    return "aligned" if text is voice else "conflict"


def _against_t4(
    composed: ComposedDialogue,
    state: EmotionalState,
    gold: Emotion | None,
    emotion: Emotion | None,
) -> list[str]:
    reasons = []
    if is_voiceless(composed, state.turn_index):
        reasons.append("no_voice")
    if emotion is None:
        reasons.append("unknown_emotion")
    elif gold is None and is_baseline_state(state):
        reasons.append("baseline_labeler")
    if is_held_out(composed):
        reasons.append("held_out")
    return reasons
