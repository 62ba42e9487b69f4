"""A dialogue to its rows of HumDial's tasks, and what becomes of those that it cannot give."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from ieat.pipeline.emotion_vocabulary import WORDS, anchor_line
from ieat.pipeline.humdial_tasks import tables_of
from ieat.pipeline.output.cells import (
    codes,
    evidence_cell,
    has_sound,
    has_unscored_words,
    is_held_out,
    is_voiceless,
    provenance_cell,
    state_at,
    trainable_cell,
)
from ieat.pipeline.output.humdial_conversations import Told, clip_cells, tell
from ieat.pipeline.questions import AskedTask, choose_question
from ieat.prompts.library import PromptLibrary, TemplateFile
from ieat.schemas.cells import EvidenceCell, ProvenanceCell
from ieat.schemas.emotion import Intensity, direction_of
from ieat.schemas.humdial_rows import (
    HumdialRow,
    HumdialT1Row,
    HumdialT2Row,
    IntensityChange,
    QuestionCell,
    RetrospectionCell,
    RootedCauseCell,
    StepCell,
    T3Rule,
    TransitionCell,
)
from ieat.schemas.records import ComposedDialogue, RetrospectedDialogue
from ieat.schemas.retrospection import (
    LookBack,
    LookBackTable,
    Retrospection,
    RowEnd,
    Step,
    TrajectoryLook,
)

_DEGREES = (Intensity.LOW, Intensity.MEDIUM, Intensity.HIGH)


@dataclass(frozen=True)
class HumdialRowSettings:
    """What of the configuration the rows of HumDial's tasks depend on."""

    tables: tuple[str, ...] = ()
    """The tables of them that the build has."""
    user_speaker: str = "all"
    """Whose states are attributed; the rows are about the first of them."""
    t3_rule: T3Rule = "last_non_neutral"
    """Which target turn T3 takes."""
    prompts: PromptLibrary = field(default_factory=lambda: PromptLibrary({}))
    """Has the list of questions."""
    is_embedded: bool = True
    """Whether rows hold their clips or only say where they lie."""


def look_back_ends(
    composed: ComposedDialogue, settings: HumdialRowSettings
) -> Iterator[tuple[str, HumdialRow | RowEnd]]:
    """Yield what becomes of the rows of T1 and T2, with their tables."""
    if not isinstance(composed, RetrospectedDialogue):
        return
    found = composed.retrospection
    ends = {end.table: end for end in (*composed.row_ends, *(found.ends if found else ()))}
    for table in tables_of(composed.dialogue, settings.tables):
        if table in ends:
            yield table, ends[table]
        elif table == "humdial_t1":
            yield table, _t1_row(composed, settings)
        elif table == "humdial_t2":
            yield table, _t2_row(composed, settings)


def _t1_row(composed: RetrospectedDialogue, settings: HumdialRowSettings) -> HumdialT1Row:
    asked, found = _looked_back(composed)
    look = found.trajectory
    if look is None:
        raise ValueError(f"{composed.dialogue.dialogue_id}: no path, and no reason why")
    language = composed.dialogue.language
    question, template = _question(composed, asked, "humdial_t1", "t1", settings)
    told = tell(composed, asked.speaker, _shown(composed, asked), question, look.answer)
    on_path = [step for step in look.steps if step.turn_index in look.path]
    return HumdialT1Row(
        **_shared(composed, asked, "humdial_t1", told, question, settings),
        provenance=_provenance(composed, told, found, template),
        flags=codes((*told.flags, *(() if len(look.runs) > 1 else ("no_transition",)))),
        question=question,
        label_source="retrospective",
        retrospection=_retrospection_cell(found),
        steps=tuple(
            StepCell(
                turn_index=step.turn_index,
                emotion=step.emotion,
                word=WORDS[language][step.emotion],
                intensity=step.intensity,
                source=step.source,
                event=step.event,
                evidence=_evidence_cells(step),
                is_question=step.is_question,
            )
            for step in look.steps
        ),
        sequence_from=(
            "gold" if all(step.source == "gold" for step in on_path) else "retrospective"
        ),
        includes_question_emotion=asked.includes_question,
        emotion_sequence=look.sequence,
        emotion_words=tuple(WORDS[language][emotion] for emotion in look.sequence),
        transitions=_transitions(look),
        answer=look.answer,
        anchor=anchor_line(look.sequence, language),
    )


def _transitions(look: TrajectoryLook) -> tuple[TransitionCell, ...]:
    return tuple(
        TransitionCell(
            from_turn=before[-1].turn_index,
            turn_index=after[0].turn_index,
            from_emotion=before[-1].emotion,
            to_emotion=after[0].emotion,
            direction=direction_of(before[-1].emotion, after[0].emotion),
            intensity_change=_intensity_change(before[-1], after[0]),
            held_turns=len(before),
            trigger_event=after[0].event,
            trigger_evidence=_evidence_cells(after[0]),
        )
        for before, after in pairwise(look.runs)
    )


def _intensity_change(before: Step, after: Step) -> IntensityChange:
    change = _DEGREES.index(after.intensity) - _DEGREES.index(before.intensity)
    return "rises" if change > 0 else "falls" if change < 0 else "level"


def _t2_row(composed: RetrospectedDialogue, settings: HumdialRowSettings) -> HumdialT2Row:
    asked, found = _looked_back(composed)
    look = found.reasons
    if look is None:
        raise ValueError(f"{composed.dialogue.dialogue_id}: no reasons, and no reason why")
    question, template = _question(composed, asked, "humdial_t2", "t2", settings)
    told = tell(composed, asked.speaker, _shown(composed, asked), question, look.answer)
    return HumdialT2Row(
        **_shared(composed, asked, "humdial_t2", told, question, settings),
        provenance=_provenance(composed, told, found, template),
        flags=codes(told.flags),
        question=question,
        label_source="retrospective",
        retrospection=_retrospection_cell(found),
        causes=tuple(
            RootedCauseCell(
                cause=cause.cause, evidence=tuple(evidence_cell(shown) for shown in cause.evidence)
            )
            for cause in look.causes
        ),
        evidence_turns=tuple(
            sorted({shown.turn_index for cause in look.causes for shown in cause.evidence})
        ),
        root_cause=look.root_cause,
        conclusion=look.conclusion,
        arguments=look.arguments,
        takeaway=look.takeaway,
        answer=look.answer,
    )


def _looked_back(composed: RetrospectedDialogue) -> tuple[LookBack, Retrospection]:
    if composed.look_back is None or composed.retrospection is None:
        raise ValueError(f"{composed.dialogue.dialogue_id}: was not looked back over")
    return composed.look_back, composed.retrospection


def _shown(composed: ComposedDialogue, asked: LookBack) -> list[int]:
    """Return the turns with words up to the question; what answers it in the corpus is left out."""
    question = asked.question_turn
    return [
        said.turn_index
        for said in composed.transcript.utterances
        if said.clean and (question is None or said.turn_index <= question)
    ]


def _question(
    composed: ComposedDialogue,
    asked: LookBack,
    table: LookBackTable,
    task: AskedTask,
    settings: HumdialRowSettings,
) -> tuple[QuestionCell, TemplateFile | None]:
    """Return the question of a row, and the list that it comes from."""
    turn = asked.question_turn
    if turn is not None and table in asked.asked_for:
        words = composed.transcript.utterances[turn].clean
        return QuestionCell(text=words, turn_index=turn, is_synthetic=False, question_id=None), None
    template = settings.prompts.template("questions", composed.dialogue.language)
    listed = choose_question(template, task, f"{composed.dialogue.dialogue_id}/{table}")
    return QuestionCell(
        text=listed.text, turn_index=None, is_synthetic=True, question_id=listed.question_id
    ), template


def _shared(
    composed: ComposedDialogue,
    asked: LookBack,
    table: str,
    told: Told,
    question: QuestionCell,
    settings: HumdialRowSettings,
) -> dict[str, object]:
    dialogue = composed.dialogue
    return {
        "row_id": f"{dialogue.dialogue_id}/{table}",
        "dialogue_id": dialogue.dialogue_id,
        "user_speaker": asked.speaker,
        "language": dialogue.language,
        "split": dialogue.split,
        "license": dialogue.license,
        "turns": told.turns,
        "messages": told.messages,
        "audios": clip_cells(composed, told.spans, is_embedded=settings.is_embedded),
        "audio_spans": told.spans,
        "trainable": trainable_cell(_against(composed, asked, told, question)),
    }


def _against(
    composed: ComposedDialogue, asked: LookBack, told: Told, question: QuestionCell
) -> list[str]:
    """Return what speaks against training: the answer rests on every turn that is shown."""
    shown = [turn.turn_index for turn in told.turns]
    own = [turn.turn_index for turn in told.turns if turn.speaker == asked.speaker]
    reasons = []
    if question.is_synthetic:
        reasons.append("synthetic_question")
    if not all(has_sound(composed, turn) for turn in own):
        reasons.append("no_audio")
    if any(is_voiceless(composed, turn) for turn in own):
        reasons.append("no_voice")
    if any(has_unscored_words(composed, turn) for turn in shown):
        reasons.append("unscored_words")
    if is_held_out(composed):
        reasons.append("held_out")
    return reasons


def _provenance(
    composed: ComposedDialogue, told: Told, found: Retrospection, template: TemplateFile | None
) -> ProvenanceCell:
    """Return the engines behind the words and emotions that are shown, and the look back."""
    shown = [turn.turn_index for turn in told.turns]
    states = [state for turn in shown if (state := state_at(composed, turn)) is not None]
    known = provenance_cell(composed, shown, states, [], [])
    prompts = dict(zip(known.prompt_ids, known.prompt_sha256s, strict=True))
    prompts[found.prompt_id] = found.prompt_sha256
    if template is not None:
        prompts[template.prompt_id] = template.sha256
    return known.model_copy(
        update={
            "writer_id": found.retrospector_id,
            "prompt_ids": tuple(sorted(prompts)),
            "prompt_sha256s": tuple(prompts[prompt_id] for prompt_id in sorted(prompts)),
            "response_keys": tuple(sorted({*known.response_keys, *found.response_keys})),
        }
    )


def _retrospection_cell(found: Retrospection) -> RetrospectionCell:
    return RetrospectionCell(
        retrospector_id=found.retrospector_id,
        prompt_id=found.prompt_id,
        prompt_sha256=found.prompt_sha256,
        response_keys=found.response_keys,
    )


def _evidence_cells(step: Step) -> tuple[EvidenceCell, ...]:
    return tuple(evidence_cell(shown) for shown in step.evidence)
