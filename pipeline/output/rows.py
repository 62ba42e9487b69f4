"""A composed dialogue to its rows; clips are named here and filled in by the sink."""

from ieat.pipeline.output.cells import (
    cause_cells,
    clip_cell,
    codes,
    has_sound,
    has_unscored_words,
    is_baseline_state,
    is_held_out,
    is_voiceless,
    label_from,
    provenance_cell,
    span_cell,
    state_at,
    trainable_cell,
    voice_events_at,
)
from ieat.pipeline.output.distillation import distillation_cell
from ieat.pipeline.split_keys import script_ids, speaker_ids
from ieat.prompts.instructions import ALIGNMENT, ATTRIBUTES, choose_instruction
from ieat.prompts.library import RELEASED, PromptLibrary, TemplateFile
from ieat.schemas.cells import AttributesCell, ShiftCell, TurnCell, WordsCell
from ieat.schemas.emotion import EmotionalState
from ieat.schemas.records import ComposedDialogue, DistilledDialogue
from ieat.schemas.rows import DialogueRow, Stage1Row


def dialogue_row(composed: DistilledDialogue) -> DialogueRow:
    """Return the canonical row of a dialogue: every turn, audio by reference."""
    dialogue = composed.dialogue
    states = [state for trajectory in composed.trajectories for state in trajectory.states]
    return DialogueRow(
        row_id=dialogue.dialogue_id,
        dialogue_id=dialogue.dialogue_id,
        corpus=dialogue.corpus,
        language=dialogue.language,
        split=dialogue.split,
        corpus_split=dialogue.corpus_split or dialogue.split,
        speaker_ids=speaker_ids(dialogue),
        script_ids=script_ids(dialogue),
        license=dialogue.license,
        source=dialogue.source,
        source_sha256=dialogue.source_sha256,
        tasks=dialogue.tasks,
        turns=tuple(turn_cell(composed, turn.index) for turn in dialogue.turns),
        shifts=tuple(
            ShiftCell(
                speaker=trajectory.speaker,
                from_turn=shift.from_turn,
                turn_index=shift.turn_index,
                from_emotion=shift.from_emotion,
                to_emotion=shift.to_emotion,
                direction=shift.direction,
            )
            for trajectory in composed.trajectories
            for shift in trajectory.shifts
        ),
        causes=tuple(
            cell for attribution in composed.attributions for cell in cause_cells(attribution)
        ),
        failures=tuple(
            f"{failure.unit}:{failure.turn_index}:{failure.code}" for failure in composed.failures
        ),
        provenance=provenance_cell(
            composed,
            range(len(dialogue.turns)),
            states,
            composed.attributions,
            composed.samples,
            distillations=composed.distillations,
        ),
        flags=codes(dialogue.flags),
    )


def stage1_rows(
    composed: DistilledDialogue, prompts: PromptLibrary = RELEASED
) -> tuple[Stage1Row, ...]:
    """Return one row per turn with words, of every speaker, with or without audio.

    Args:
        composed: The dialogue.
        prompts: The templates of the build, from which instructions are chosen.
    """
    template = prompts.template("instructions", composed.dialogue.language)
    return tuple(
        _stage1_row(composed, said.turn_index, template)
        for said in composed.transcript.utterances
        if said.clean
    )


def turn_cell(composed: ComposedDialogue, turn_index: int) -> TurnCell:
    """Return a turn with all that is known of it."""
    turn = composed.dialogue.turns[turn_index]
    said = composed.transcript.utterances[turn_index]
    state = state_at(composed, turn_index)
    return TurnCell(
        turn_index=turn_index,
        source_turn_id=turn.source_turn_id,
        speaker=turn.speaker,
        audio=span_cell(composed, turn_index),
        clean=said.clean,
        tagged=said.tagged,
        source_text=turn.text,
        words=said.words,
        confidence=said.confidence,
        gold=state.gold if state else None,
        text=state.text if state else None,
        voice=state.voice if state else None,
        voice_events=voice_events_at(composed, turn_index),
        emotion=state.chosen if state else None,
        intensity=state.intensity if state else None,
        conflict=state.conflict if state else False,
        cues=composed.cues[turn_index],
        flags=_turn_flags(composed, turn_index, state),
    )


def _stage1_row(composed: DistilledDialogue, turn_index: int, template: TemplateFile) -> Stage1Row:
    dialogue = composed.dialogue
    turn = dialogue.turns[turn_index]
    said = composed.transcript.utterances[turn_index]
    state = state_at(composed, turn_index)
    span = span_cell(composed, turn_index)
    row_id = f"{dialogue.turn_id(turn_index)}/stage1"
    taught = [found for found in composed.distillations if found.turn_index == turn_index]
    return Stage1Row(
        row_id=row_id,
        dialogue_id=dialogue.dialogue_id,
        turn_index=turn_index,
        source_turn_id=turn.source_turn_id,
        speaker=turn.speaker,
        language=dialogue.language,
        split=dialogue.split,
        license=dialogue.license,
        audio=clip_cell(composed, turn_index) if span else None,
        audio_span=span,
        duration=span.duration if span else None,
        words=WordsCell(
            instruction=choose_instruction(template, ALIGNMENT, row_id),
            clean=said.clean,
            tagged=said.tagged,
            confidence=said.confidence,
            trainable=trainable_cell(_against_words(composed, turn_index)),
        ),
        attributes=_attributes_cell(
            composed, turn_index, state, choose_instruction(template, ATTRIBUTES, row_id)
        ),
        distillation=distillation_cell(composed, taught[0]) if taught else None,
        provenance=provenance_cell(
            composed,
            [turn_index],
            [state] if state else [],
            [],
            [],
            distillations=taught,
            templates=[template],
        ),
        flags=_turn_flags(composed, turn_index, state),
    )


def _attributes_cell(
    composed: ComposedDialogue, turn_index: int, state: EmotionalState | None, instruction: str
) -> AttributesCell:
    cues = composed.cues[turn_index]
    chosen = label_from(state, state.chosen_from) if state else None
    return AttributesCell(
        instruction=instruction,
        emotion=state.chosen if state else None,
        chosen_from=state.chosen_from if state else None,
        confidence=chosen.confidence if chosen else None,
        soft_labels=chosen.soft if chosen else None,
        intensity=state.intensity if state else None,
        conflict=state.conflict if state else False,
        events=composed.transcript.utterances[turn_index].events,
        voice_events=voice_events_at(composed, turn_index),
        rate=cues.rate if cues else None,
        pitch=cues.pitch if cues else None,
        level=cues.level if cues else None,
        trainable=trainable_cell(_against_attributes(composed, turn_index, state)),
    )


def _against_words(composed: ComposedDialogue, turn_index: int) -> list[str]:
    reasons = []
    if not has_sound(composed, turn_index):
        reasons.append("no_audio")
    if is_voiceless(composed, turn_index):
        reasons.append("no_voice")
    if has_unscored_words(composed, turn_index):
        reasons.append("unscored_words")
    if is_held_out(composed):
        reasons.append("held_out")
    return reasons


def _against_attributes(
    composed: ComposedDialogue, turn_index: int, state: EmotionalState | None
) -> list[str]:
    reasons = []
    if not has_sound(composed, turn_index):
        reasons.append("no_audio")
    if is_voiceless(composed, turn_index):
        reasons.append("no_voice")
    if state is None or state.chosen is None:
        reasons.append("unknown_emotion")
    elif is_baseline_state(state):
        reasons.append("baseline_labeler")
    if is_held_out(composed):
        reasons.append("held_out")
    return reasons


def _turn_flags(
    composed: ComposedDialogue, turn_index: int, state: EmotionalState | None
) -> tuple[str, ...]:
    sound = composed.sounds[turn_index]
    flags = [*composed.transcript.utterances[turn_index].flags]
    if sound:
        flags += sound.flags
    if state:
        flags += state.flags
        if state.conflict:
            flags.append("label_conflict")
    return codes(flags)
