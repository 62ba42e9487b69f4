"""Records to the cells that rows share: pure functions over one composed dialogue."""

import re
from collections.abc import Iterable, Sequence

from ieat.prompts.library import TemplateFile
from ieat.schemas.attribution import Attribution, Evidence, Reprediction
from ieat.schemas.cells import (
    AudioCell,
    CauseCell,
    EvidenceCell,
    ProvenanceCell,
    SpanCell,
    StateCell,
    TrainableCell,
)
from ieat.schemas.distillation import Distillation
from ieat.schemas.emotion import EmotionalState, EmotionLabel, LabelSource, VoiceEvents
from ieat.schemas.records import ComposedDialogue
from ieat.schemas.sample import Response, Sample

INFERENCE_ONLY = "inference_only"
"""Flag of a dialogue that may be run through a model, and never trained on."""

GOLD = "gold"
"""Id of the corpus itself as recognizer and labeler."""

BASELINE_LABELER = "linear"
"""Start of the id of the labeler whose labels are not trained on."""

BASELINE_ATTRIBUTOR = "extractive"
"""Start of the id of the attributor whose causes are not trained on."""


LEADS_OUT = re.compile(r"\.{2,}|\\")
"""What could lead out of a folder when clips are unpacked by their names."""


def state_at(composed: ComposedDialogue, turn_index: int) -> EmotionalState | None:
    """Return the state of a turn; null when its speaker is not labeled."""
    for trajectory in composed.trajectories:
        for state in trajectory.states:
            if state.turn_index == turn_index:
                return state
    return None


def label_from(state: EmotionalState, source: LabelSource | None) -> EmotionLabel | None:
    """Return what one source says of a state."""
    return {"gold": state.gold, "text": state.text, "voice": state.voice, None: None}[source]


def voice_events_at(composed: ComposedDialogue, turn_index: int) -> VoiceEvents | None:
    """Return what the voice of a turn was heard to do; null when nobody was asked."""
    return next((found for found in composed.voice_events if found.turn_index == turn_index), None)


def is_baseline_state(state: EmotionalState) -> bool:
    """Tell whether the state rests on the baseline's label of the words, and on nothing else."""
    chosen = label_from(state, state.chosen_from)
    is_heard = state.voice is not None and state.voice.emotion is state.chosen
    return (
        chosen is not None
        and chosen.source == "text"
        and chosen.labeler_id.startswith(BASELINE_LABELER)
        and not is_heard
    )


def has_sound(composed: ComposedDialogue, turn_index: int) -> bool:
    """Tell whether a turn has audio."""
    return composed.sounds[turn_index] is not None


def is_voiceless(composed: ComposedDialogue, turn_index: int) -> bool:
    """Tell whether a turn has sound in which no voice was found: its words are not in it."""
    sound = composed.sounds[turn_index]
    return sound is not None and "no_speech" in sound.flags


def is_held_out(composed: ComposedDialogue) -> bool:
    """Tell whether the corpus forbids training on the dialogue: HumDial's test tree."""
    return INFERENCE_ONLY in composed.dialogue.flags


def recognizer_of(composed: ComposedDialogue, turn_index: int) -> str:
    """Return who gave the words of a turn; those of a text-only turn are the corpus' own."""
    return composed.transcript.recognizer_id if has_sound(composed, turn_index) else GOLD


def has_unscored_words(composed: ComposedDialogue, turn_index: int) -> bool:
    """Tell whether an engine gave the words without saying how sure it is."""
    return (
        recognizer_of(composed, turn_index) != GOLD
        and composed.transcript.utterances[turn_index].confidence is None
    )


def span_cell(composed: ComposedDialogue, turn_index: int) -> SpanCell | None:
    """Return where a turn sounds; null for a turn that is text only."""
    turn, sound = composed.dialogue.turns[turn_index], composed.sounds[turn_index]
    if turn.audio is None or sound is None:
        return None
    return SpanCell(
        turn_index=turn_index,
        uri=turn.audio.uri,
        source_sha256=sound.source_sha256,
        channel=sound.channel,
        source_rate=sound.source_rate,
        start_sample=sound.start_sample,
        end_sample=sound.end_sample,
        duration=sound.duration,
    )


def clip_cell(composed: ComposedDialogue, turn_index: int) -> AudioCell:
    """Return the clip of a turn by its name; the sink puts the bytes in."""
    # Ids come from corpora; a name that somebody unpacks by must not lead out of a folder.
    name = LEADS_OUT.sub("_", composed.dialogue.turn_id(turn_index))
    return AudioCell(bytes=None, path=f"{name}.flac")


def state_cell(state: EmotionalState) -> StateCell:
    """Return a state as one step of a trajectory."""
    return StateCell(
        turn_index=state.turn_index,
        emotion=state.chosen,
        intensity=state.intensity,
        chosen_from=state.chosen_from,
    )


def cause_cells(attribution: Attribution) -> tuple[CauseCell, ...]:
    """Return the causes of a state, the main one first."""
    found = attribution.reprediction
    return tuple(
        CauseCell(
            turn_index=attribution.turn_index,
            speaker=attribution.speaker,
            emotion=attribution.emotion,
            intensity=attribution.intensity,
            event=cause.event,
            appraisal=cause.appraisal,
            kind=cause.kind,
            evidence=tuple(evidence_cell(shown) for shown in cause.evidence),
            agreement=attribution.agreement,
            # The verifier reads the main cause; nothing is known of further ones.
            repredicted=found.emotion if found and rank == 0 else None,
            agrees=found.agrees if found and rank == 0 else None,
        )
        for rank, cause in enumerate(attribution.causes)
    )


def trainable_cell(reasons: Iterable[str]) -> TrainableCell:
    """Return fit when there is no reason against it."""
    found = codes(reasons)
    return TrainableCell(is_trainable=not found, reasons=found)


def codes(found: Iterable[str]) -> tuple[str, ...]:
    """Return codes sorted, each once, so that rows do not depend on the order of checks."""
    return tuple(sorted(set(found)))


def provenance_cell(
    composed: ComposedDialogue,
    turns: Sequence[int],
    states: Sequence[EmotionalState],
    attributions: Sequence[Attribution],
    samples: Sequence[Sample],
    *,
    distillations: Sequence[Distillation] = (),
    templates: Sequence[TemplateFile] = (),
) -> ProvenanceCell:
    """Gather engines, prompts and stored answers of the parts that a row is made of.

    Args:
        composed: The dialogue.
        turns: 0-based turns whose words the row rests on.
        states: States that the row rests on.
        attributions: Causes that the row rests on.
        samples: Thinking and responses of the row.
        distillations: A teacher's answers in the row.
        templates: Further templates that words of the row come from.
    """
    labels = [label for state in states for label in (state.gold, state.text, state.voice) if label]
    responses = [sample.response for sample in samples]
    readings = [found.reprediction for found in attributions if found.reprediction is not None]
    asked: list[EmotionLabel | Attribution | Reprediction | Response | Distillation]
    asked = [*labels, *attributions, *readings, *responses, *distillations]
    prompts = {template.prompt_id: template.sha256 for template in templates}
    prompts |= {sample.thinking.template_id: sample.thinking.template_sha256 for sample in samples}
    prompts |= {
        part.prompt_id: part.prompt_sha256
        for part in asked
        if part.prompt_id is not None and part.prompt_sha256 is not None
    }
    said = [composed.transcript.utterances[turn] for turn in turns]
    keys = {utterance.response_key for utterance in said if utterance.response_key is not None}
    for part in asked:
        keys.update(part.response_keys)
    return ProvenanceCell(
        recognizer_id=_engine(recognizer_of(composed, turn) for turn in turns),
        labeler_id=_engine(label.labeler_id for label in labels),
        attributor_id=_engine(attribution.attributor_id for attribution in attributions),
        verifier_id=_engine(found.verifier_id for found in readings),
        writer_id=_engine(
            response.writer_id for response in responses if response.writer_id is not None
        ),
        prompt_ids=tuple(sorted(prompts)),
        prompt_sha256s=tuple(prompts[prompt_id] for prompt_id in sorted(prompts)),
        response_keys=tuple(sorted(keys)),
    )


def _engine(ids: Iterable[str]) -> str | None:
    """Return the engine; the corpus only where no engine had a part."""
    found = list(ids)
    return next((one for one in found if one != GOLD), GOLD if found else None)


def evidence_cell(shown: Evidence) -> EvidenceCell:
    """Return a quote with where it stands and sounds."""
    audio = shown.audio
    return EvidenceCell(
        turn_index=shown.turn_index,
        speaker=shown.speaker,
        quote=shown.quote,
        start=shown.start,
        end=shown.end,
        audio_uri=audio.uri if audio else None,
        audio_channel=audio.channel if audio else None,
        audio_start=audio.start if audio else None,
        audio_end=audio.end if audio else None,
        is_word_timed=shown.is_word_timed,
    )
