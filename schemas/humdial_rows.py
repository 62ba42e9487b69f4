"""The rows of HumDial's tasks (arXiv 2601.05564), in the final numbering of the tasks."""

from typing import Literal

from ieat.schemas.base import SCHEMA_VERSION, Index, Share, Value
from ieat.schemas.cells import (
    AudioCell,
    EvidenceCell,
    MessageCell,
    ProvenanceCell,
    ResponseCell,
    SpanCell,
    StateCell,
    ThinkingCell,
    TrainableCell,
)
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Direction, Emotion, Intensity, LabelSource
from ieat.schemas.retrospection import StepSource

IntensityChange = Literal["rises", "falls", "level"]
T3Rule = Literal["last_non_neutral", "second_non_neutral"]
"""The README's target turn of T3, and that of the official `eval_task3.py`."""
CueRelation = Literal["aligned", "conflict", "unknown"]


class AskedTurnCell(Value):
    """One turn that a row shows, question turn included."""

    turn_index: Index
    """0-based turn."""
    source_turn_id: str
    """The turn's id in the corpus."""
    speaker: str
    """Who speaks."""
    role: Literal["user", "assistant"]
    """Whether it is the speaker who is asked about, or somebody else."""
    clean: str
    """The words without tags."""
    tagged: str
    """The words with tags of non-speech sounds."""
    gold: Emotion | None
    """The corpus' emotion; null when it gives none of the seven."""
    emotion: Emotion | None
    """The emotion that the policy chose from all sources; null when unknown."""
    intensity: Intensity | None
    """How strongly it shows."""
    chosen_from: LabelSource | None
    """Source of the chosen emotion."""
    is_question: bool
    """Whether this turn is the question itself."""
    clip_index: Index | None
    """0-based clip of `audios` that holds the turn; null for a turn that is shown as words."""


class QuestionCell(Value):
    """What the user asks at the end."""

    text: str
    """The words of the question."""
    turn_index: Index | None
    """0-based turn that asks; null for a question from the list."""
    is_synthetic: bool
    """Whether it comes from the list; it then has no sound, and the row is not trained on."""
    question_id: str | None
    """List and place, as name@version.language/task/number; null for a question of the corpus."""


class RetrospectionCell(Value):
    """The look back over the whole dialogue that a row rests on."""

    retrospector_id: str
    """Engine that was asked, with model and revision."""
    prompt_id: str
    """Prompt that was asked, as name@version.language."""
    prompt_sha256: str
    """SHA-256 of the prompt's template."""
    response_keys: tuple[str, ...]
    """Keys of the stored answers, a re-ask last."""


class StepCell(Value):
    """One turn of the user as the look back sees it."""

    turn_index: Index
    """0-based turn."""
    emotion: Emotion
    """The emotion."""
    word: str
    """The emotion in the language of the dialogue, as the answer names it."""
    intensity: Intensity
    """How strongly it shows, by the look back."""
    source: StepSource
    """Who names the emotion."""
    event: str
    """What in the dialogue the emotion is tied to, one sentence."""
    evidence: tuple[EvidenceCell, ...]
    """Quotes of the turn or of earlier ones; may be empty for a neutral step."""
    is_question: bool
    """Whether the turn is the question."""


class TransitionCell(Value):
    """A change between neighboring emotions of the sequence."""

    from_turn: Index
    """0-based last turn of the earlier emotion."""
    turn_index: Index
    """0-based turn at which the new emotion shows."""
    from_emotion: Emotion
    """The earlier emotion."""
    to_emotion: Emotion
    """The new emotion."""
    direction: Direction
    """By valence: better, worse or level."""
    intensity_change: IntensityChange
    """How the intensity changes."""
    held_turns: Index
    """Turns of the user that the earlier emotion lasted: how fast it changes."""
    trigger_event: str
    """What brings the change about, one sentence."""
    trigger_evidence: tuple[EvidenceCell, ...]
    """Quotes that show it."""


class RootedCauseCell(Value):
    """One cause with its quotes, as the look back sees it."""

    cause: str
    """What it is, one sentence."""
    evidence: tuple[EvidenceCell, ...]
    """The quotes that show it."""


class HumdialRow(Value):
    """What the rows of all four tasks have in common."""

    row_id: str
    """`corpus/name/humdial_t1` and so on; with the turn before the task for T4."""
    schema_version: int = SCHEMA_VERSION
    """Version of the row layout."""
    dialogue_id: str
    """`corpus/name`."""
    user_speaker: str
    """Whose emotions the row is about."""
    language: Language
    """Language that is spoken."""
    split: str
    """Split of the data set."""
    license: str | None
    """Licence as the corpus states it."""
    turns: tuple[AskedTurnCell, ...]
    """The turns that the row shows, in order."""
    messages: tuple[MessageCell, ...]
    """The conversation to train on, target included; one `<audio>` tag for each clip."""
    audios: tuple[AudioCell, ...]
    """The clips of the user's turns, one a turn, in order."""
    audio_spans: tuple[SpanCell, ...]
    """Where each clip comes from, in the same order."""
    trainable: TrainableCell
    """Whether the row is fit to train on."""
    provenance: ProvenanceCell
    """Engines, prompts and answers behind the row."""
    flags: tuple[str, ...]
    """What is odd about the row, as codes (docs/codes.md)."""


class HumdialT1Row(HumdialRow):
    """T1, emotional trajectory: how the user's emotions change."""

    question: QuestionCell
    """What is asked at the end."""
    label_source: Literal["retrospective"]
    """A look back over the whole dialogue; no row that is trained causally rests on it."""
    retrospection: RetrospectionCell
    """The look back behind the row."""
    steps: tuple[StepCell, ...]
    """The user's turns with words, in order, the question turn included."""
    sequence_from: StepSource
    """Gold when the corpus names every emotion of the sequence, else retrospective."""
    includes_question_emotion: bool
    """Whether the emotion of the question turn is part of `emotion_sequence`."""
    emotion_sequence: tuple[Emotion, ...]
    """The emotions in order, neutral ones kept, neighboring equal ones once."""
    emotion_words: tuple[str, ...]
    """The same in the language of the dialogue: the closed vocabulary of the answer."""
    transitions: tuple[TransitionCell, ...]
    """The changes between neighboring emotions of the sequence."""
    answer: str
    """The target: names the emotions of the sequence, in order and no others, with their events."""
    anchor: str
    """The sequence as one line, for trainers that append it: `情绪序列: a -> b`."""


class HumdialT2Row(HumdialRow):
    """T2, emotional reasoning: why the user feels as they do."""

    question: QuestionCell
    """What is asked at the end."""
    label_source: Literal["retrospective"]
    """A look back over the whole dialogue; no row that is trained causally rests on it."""
    retrospection: RetrospectionCell
    """The look back behind the row."""
    causes: tuple[RootedCauseCell, ...]
    """The causes in the order in which they build up."""
    evidence_turns: tuple[Index, ...]
    """0-based turns that the causes quote: at least two where the dialogue has them."""
    root_cause: str
    """What lies beneath the causes: motive, conflict or need that is not said outright."""
    conclusion: str
    """The answer in one sentence."""
    arguments: tuple[str, ...]
    """What carries the conclusion, in order."""
    takeaway: str
    """What follows for the user, one sentence."""
    answer: str
    """The target: conclusion, arguments and takeaway as one spoken answer."""


class HumdialT3Row(HumdialRow):
    """T3, empathy: the answer to the target turn."""

    turn_index: Index
    """0-based target turn: the one that `t3_rule` names."""
    t3_rule: T3Rule
    """Rule by which the target turn is chosen."""
    target_turn_last_non_neutral: Index | None
    """0-based last turn of the user that is not neutral (README); null without one."""
    target_turn_second_non_neutral: Index | None
    """0-based second turn of the user that is not neutral (`eval_task3.py`); null without two."""
    target_emotion: Emotion
    """Emotion of the target turn."""
    trajectory_so_far: tuple[StateCell, ...]
    """The user's states up to the target turn."""
    stage2_row_id: str
    """Row of `stage2` with the same thinking and response."""
    thinking: ThinkingCell
    """State and cause up to the target turn, as reasoning."""
    response: ResponseCell
    """The answer, its style, and its sound by reference where it was recorded."""


class HumdialT4Row(HumdialRow):
    """T4, recognition: the emotion of one turn, where words and voice may disagree."""

    turn_index: Index
    """0-based turn."""
    instruction: str
    """What is asked about the clip, as words."""
    instruction_id: str
    """List and place, as name@version.language/task/number."""
    gold: Emotion | None
    """The corpus' emotion; null when it gives none of the seven."""
    text_emotion: Emotion | None
    """The emotion from the words; null when not asked or unclear."""
    text_confidence: Share | None
    """How sure the label from the words is; null when it does not say."""
    audio_emotion: Emotion | None
    """The emotion from the voice; null when not asked or unclear."""
    audio_confidence: Share | None
    """How sure the label from the voice is; null when it does not say."""
    relation: CueRelation
    """Whether words and voice name the same emotion; unknown where one of them names none."""
    emotion: Emotion | None
    """The target: the corpus' emotion, else the one that the policy chose; null when unknown."""
    word: str | None
    """The target in the language of the dialogue."""
