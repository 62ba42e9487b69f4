"""A teacher's answer as a part of its stage-1 row, and whether it is fit to train on."""

from ieat.pipeline.output.cells import (
    codes,
    has_sound,
    has_unscored_words,
    is_baseline_state,
    is_voiceless,
    state_at,
    trainable_cell,
)
from ieat.schemas.distillation import Distillation
from ieat.schemas.records import DistilledDialogue
from ieat.schemas.stage1_cells import DistillationCell, SamplingCell


def distillation_cell(dialogue: DistilledDialogue, taught: Distillation) -> DistillationCell:
    """Return the self-distillation part of a row."""
    return DistillationCell(
        instruction=taught.instruction,
        context=taught.context,
        context_turns=taught.context_turns,
        assistant_turns=taught.assistant_turns,
        teacher_messages=taught.messages,
        target_text=taught.target,
        emotion=taught.emotion,
        events=taught.events,
        teacher_id=taught.teacher_id,
        sampling=SamplingCell(**dict(taught.sampling)),
        stop_reason=taught.stop_reason,
        early_stop=taught.early_stop,
        trainable=trainable_cell(_against(dialogue, taught)),
        flags=codes(taught.flags),
    )


def _against(dialogue: DistilledDialogue, taught: Distillation) -> list[str]:
    """Return what speaks against it: what the student cannot hear, or the teacher read wrongly."""
    reasons = []
    seen = (*taught.context_turns, taught.turn_index)
    for turn in (turn for turn in seen if turn not in taught.assistant_turns):
        if not has_sound(dialogue, turn):
            reasons.append("no_audio")
        if is_voiceless(dialogue, turn):
            reasons.append("no_voice")
        state = state_at(dialogue, turn)
        if state is not None and is_baseline_state(state):
            reasons.append("baseline_labeler")
    if any(has_unscored_words(dialogue, turn) for turn in seen):
        reasons.append("unscored_words")
    return reasons
