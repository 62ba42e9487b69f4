"""The targets of a composed dialogue as rows of stage 2, and whether they are fit to train on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ieat.pipeline.output.cells import (
    BASELINE_ATTRIBUTOR,
    cause_cells,
    clip_cell,
    codes,
    has_sound,
    has_unscored_words,
    is_baseline_state,
    is_held_out,
    is_voiceless,
    provenance_cell,
    span_cell,
    state_cell,
)
from ieat.pipeline.output.consistency import consistency_cell
from ieat.pipeline.output.humdial_rows import HumdialRowSettings
from ieat.pipeline.output.messages import Conversation, compose_conversation
from ieat.prompts.library import RELEASED, PromptLibrary
from ieat.schemas.attribution import Attribution
from ieat.schemas.cells import AudioCell, ModesCell, ResponseCell, SpanCell, ThinkingCell
from ieat.schemas.emotion import EmotionalState
from ieat.schemas.records import ComposedDialogue
from ieat.schemas.rows import Stage2Row
from ieat.schemas.sample import Response, Sample

MODE_REASONS = frozenset({"corpus_response", "response_without_thinking"})
"""Reasons that speak against the modes `injected` and `implicit` only."""


@dataclass(frozen=True)
class RowSettings:
    """What of the configuration rows depend on."""

    max_context_turns: int
    """Most turns before the target that a stage-2 row shows."""
    max_context_seconds: float
    """Most seconds of earlier clips in a stage-2 row."""
    stage2_audio: Literal["embed", "reference"]
    """Whether stage-2 rows hold their clips or only say where they lie."""
    humdial: HumdialRowSettings = field(default_factory=HumdialRowSettings)
    """How rows of HumDial's tasks are made."""
    prompts: PromptLibrary = RELEASED
    """The templates of the build, from which instructions are chosen."""
    must_agree: bool = False
    """Whether a verifier must have found the emotion of each cause again."""


class _Basis(NamedTuple):
    """What the thinking of a sample rests on."""

    states: Sequence[EmotionalState]
    attributions: Sequence[Attribution]


def stage2_rows(composed: ComposedDialogue, settings: RowSettings) -> tuple[Stage2Row, ...]:
    """Return one row per sample, in turn order."""
    return tuple(stage2_row(composed, sample, settings) for sample in composed.samples)


def stage2_row(composed: ComposedDialogue, sample: Sample, settings: RowSettings) -> Stage2Row:
    """Return the row of a sample."""
    dialogue, target = composed.dialogue, sample.target
    conversation = compose_conversation(
        composed, sample, settings.max_context_turns, settings.max_context_seconds
    )
    basis = _basis_of(composed, sample)
    spans = _spans(composed, conversation.clip_turns)
    return Stage2Row(
        row_id=f"{dialogue.turn_id(target.turn_index)}/stage2",
        dialogue_id=dialogue.dialogue_id,
        turn_index=target.turn_index,
        user_speaker=target.user_speaker,
        answering_speaker=target.answering_speaker,
        language=dialogue.language,
        split=dialogue.split,
        license=dialogue.license,
        messages=conversation.messages,
        audios=tuple(
            clip_cell(composed, span.turn_index)
            if settings.stage2_audio == "embed"
            else AudioCell(bytes=None, path=span.uri)
            for span in spans
        ),
        audio_spans=spans,
        thinking=ThinkingCell(
            text=sample.thinking.text,
            template_id=sample.thinking.template_id,
            template_sha256=sample.thinking.template_sha256,
            state_turns=sample.thinking.state_turns,
            causes=tuple(
                cell for attribution in basis.attributions for cell in cause_cells(attribution)
            ),
        ),
        response=_response_cell(composed, sample),
        consistency=consistency_cell(composed, sample),
        trajectory_so_far=tuple(state_cell(state) for state in basis.states),
        trainable=_modes_cell(
            reasons_against(composed, sample, conversation, must_agree=settings.must_agree)
        ),
        provenance=provenance_cell(
            composed,
            _rests_on(sample.response, conversation, basis.attributions, sample),
            basis.states,
            basis.attributions,
            [sample],
        ),
        flags=codes(
            (
                *sample.flags,
                *sample.response.flags,
                *conversation.flags,
                *(flag for found in basis.attributions for flag in found.flags),
            )
        ),
    )


def reasons_against(
    composed: ComposedDialogue,
    sample: Sample,
    conversation: Conversation,
    *,
    must_agree: bool = False,
) -> tuple[str, ...]:
    """Return what speaks against training on a sample, as sorted codes.

    The thinking rests on every known state of the user up to the target, also where it names
    none of them: a wholly neutral history is a claim about each turn. Words are unscored when
    any turn that the row shows, quotes or takes its response from has them.
    """
    basis = _basis_of(composed, sample)
    turns = _rests_on(sample.response, conversation, basis.attributions, sample)
    reasons = []
    if any(is_baseline_state(state) for state in basis.states):
        reasons.append("baseline_labeler")
    if any(found.attributor_id.startswith(BASELINE_ATTRIBUTOR) for found in basis.attributions):
        reasons.append("baseline_attributor")
    if must_agree and not all(_is_confirmed(found) for found in basis.attributions):
        reasons.append("unconfirmed_cause")
    if any(has_unscored_words(composed, turn) for turn in turns):
        reasons.append("unscored_words")
    if not all(has_sound(composed, turn) for turn in sample.target.user_turns):
        reasons.append("no_audio")
    if any(is_voiceless(composed, turn) for turn in sample.target.user_turns):
        reasons.append("no_voice")
    if is_held_out(composed):
        reasons.append("held_out")
    if sample.response.source == "corpus":
        reasons.append("corpus_response")
    elif "thinking" not in sample.response.conditioned_on:
        reasons.append("response_without_thinking")
    return codes(reasons)


def _is_confirmed(attribution: Attribution) -> bool:
    """Tell whether a verifier found the emotion of a cause again."""
    return attribution.reprediction is not None and attribution.reprediction.agrees


def _modes_cell(reasons: tuple[str, ...]) -> ModesCell:
    is_fit = set(reasons) <= MODE_REASONS
    follows_thinking = is_fit and not reasons
    return ModesCell(
        explicit=is_fit, injected=follows_thinking, implicit=follows_thinking, reasons=reasons
    )


def _response_cell(composed: ComposedDialogue, sample: Sample) -> ResponseCell:
    # A written response has no recorded sound, whatever the corpus' own answer has.
    is_recorded = bool(sample.response.audio)
    return ResponseCell(
        text=sample.response.text,
        source=sample.response.source,
        style=sample.response.style,
        delivery=sample.response.delivery,
        conditioned_on=sample.response.conditioned_on,
        audio_spans=_spans(composed, sample.target.answer_turns) if is_recorded else (),
    )


def _spans(composed: ComposedDialogue, turns: Iterable[int]) -> tuple[SpanCell, ...]:
    found = (span_cell(composed, turn) for turn in turns)
    return tuple(span for span in found if span is not None)


def _basis_of(composed: ComposedDialogue, sample: Sample) -> _Basis:
    target = sample.target
    explained = {found.turn_index: found for found in composed.attributions}
    return _Basis(
        states=[
            state
            for trajectory in composed.trajectories
            if trajectory.speaker == target.user_speaker
            for state in trajectory.states
            if state.turn_index <= target.turn_index
        ],
        attributions=[explained[turn] for turn in sample.thinking.state_turns if turn in explained],
    )


def _rests_on(
    response: Response,
    conversation: Conversation,
    attributions: Sequence[Attribution],
    sample: Sample,
) -> list[int]:
    """Return the turns whose words the row shows, quotes or answers with."""
    quoted = {
        shown.turn_index
        for attribution in attributions
        for cause in attribution.causes
        for shown in cause.evidence
    }
    answered = sample.target.answer_turns if response.source == "corpus" else ()
    return sorted({*conversation.shown_turns, *quoted, *answered})
