"""Parts of rows: structs that several tables hold."""

from typing import Literal

from ieat.schemas.attribution import CauseKind
from ieat.schemas.base import Index, Seconds, Share, Value
from ieat.schemas.emotion import (
    Direction,
    Emotion,
    EmotionLabel,
    Intensity,
    LabelSource,
    SoftLabels,
    VoiceCues,
    VoiceEvents,
)
from ieat.schemas.sample import ResponseStyle
from ieat.schemas.transcript import Word


class AudioCell(Value):
    """One clip in the form of Hugging Face's `Audio` feature."""

    bytes: bytes | None
    """The clip as FLAC, mono, 16 kHz; null when audio is kept by reference."""
    path: str | None
    """Name of the clip, or the source's URI when audio is kept by reference."""


class SpanCell(Value):
    """Where a clip comes from, so that it can be cut again."""

    turn_index: Index
    """0-based turn that sounds."""
    uri: str
    """Path or URL of the source file."""
    source_sha256: str
    """SHA-256 of the bytes of the source file."""
    channel: Index | None
    """0-based channel; null means the mean of all channels."""
    source_rate: int
    """Sampling rate of the source, Hz."""
    start_sample: Index
    """First sample, at the rate of the source."""
    end_sample: Index
    """Sample after the last one, at the rate of the source."""
    duration: Seconds
    """Length of the clip, seconds."""


class TrainableCell(Value):
    """Whether a row, or a part of it, is fit to train on."""

    is_trainable: bool
    """Whether nothing speaks against it."""
    reasons: tuple[str, ...]
    """What speaks against it, as codes (docs/codes.md)."""


class ProvenanceCell(Value):
    """Which engines, prompts and stored answers a row comes from."""

    recognizer_id: str | None
    """Engine that gave the words; `gold` for the corpus' own."""
    labeler_id: str | None
    """Engine that labeled emotions; null when no turn was labeled."""
    attributor_id: str | None
    """Engine that wrote the causes; null when there is none."""
    verifier_id: str | None = None
    """Engine that read the causes back; null when none was asked."""
    writer_id: str | None
    """Engine that wrote the response; null for the corpus' own."""
    prompt_ids: tuple[str, ...]
    """Prompts and templates used, as name@version.language, sorted."""
    prompt_sha256s: tuple[str, ...]
    """SHA-256 of each of `prompt_ids`, in the same order."""
    response_keys: tuple[str, ...]
    """Keys of the stored answers, sorted."""


class EvidenceCell(Value):
    """A quote that shows a cause."""

    turn_index: Index
    """0-based turn that is quoted."""
    speaker: str
    """Who said it."""
    quote: str
    """The exact slice of the turn's clean text."""
    start: Index
    """First code point of the quote in the turn's clean text."""
    end: Index
    """Code point after the quote."""
    audio_uri: str | None
    """File in which the quote sounds; null for a turn without audio."""
    audio_channel: Index | None
    """0-based channel of that file; null means the mean of all channels."""
    audio_start: Seconds | None
    """Start of the quote in that file, seconds."""
    audio_end: Seconds | None
    """End of the quote in that file, seconds; null means the end of the file."""
    is_word_timed: bool
    """Whether the times are those of the words; false when they are those of the turn."""


class CauseCell(Value):
    """Why a speaker was in a state."""

    turn_index: Index
    """0-based turn of the state."""
    speaker: str
    """Whose state it is."""
    emotion: Emotion
    """The emotion that is explained."""
    intensity: Intensity | None
    """How strongly it shows."""
    event: str
    """What happened."""
    appraisal: str | None
    """What it means to the speaker, inferred."""
    kind: CauseKind
    """How the cause relates to what is said."""
    evidence: tuple[EvidenceCell, ...]
    """The quotes that show it."""
    agreement: Share | None = None
    """Share of several answers that cite the same turns, and name the same emotion where that was
    asked; null for a single answer."""
    repredicted: Emotion | None = None
    """Emotion that another model found again from event, appraisal and kind, words for feelings
    covered; null when the cause fits several, and where nobody was asked or answered."""
    agrees: bool | None = None
    """Whether that is the emotion that is explained; null where nobody was asked or answered."""


class StateCell(Value):
    """One step of a trajectory."""

    turn_index: Index
    """0-based turn."""
    emotion: Emotion | None
    """The chosen emotion; null when unknown."""
    intensity: Intensity | None
    """How strongly it shows."""
    chosen_from: LabelSource | None
    """Source of the chosen emotion."""


class ShiftCell(Value):
    """A change of a speaker's emotion."""

    speaker: str
    """Whose emotion changes."""
    from_turn: Index
    """0-based turn of the earlier state."""
    turn_index: Index
    """0-based turn of the new state."""
    from_emotion: Emotion
    """The earlier emotion."""
    to_emotion: Emotion
    """The new emotion."""
    direction: Direction
    """By valence: better, worse or level."""


class MessageCell(Value):
    """One message of a training conversation."""

    role: Literal["system", "user", "assistant"]
    """Who speaks, for a chat template."""
    kind: Literal["system", "listen", "think", "write"]
    """What it is in listen, think, write, speak."""
    content: str
    """The text; one `<audio>` tag for each clip of `audios`, in order."""
    loss: bool
    """Whether it is trained on in think mode `explicit`."""


class ThinkingCell(Value):
    """The thinking of a row and its template."""

    text: str
    """State and cause as reasoning, without tags."""
    template_id: str
    """Template, as name@version.language; ours, not the paper's."""
    template_sha256: str
    """SHA-256 of the template."""
    state_turns: tuple[Index, ...]
    """0-based turns whose states it speaks of."""
    causes: tuple[CauseCell, ...]
    """The causes it speaks of, in order."""


class ResponseCell(Value):
    """The response of a row."""

    text: str
    """The words of the answer."""
    source: Literal["corpus", "written"]
    """Whether the corpus gave it or a language model wrote it."""
    style: ResponseStyle | None
    """How it should sound; null when unknown."""
    delivery: str | None = None
    """A line for a synthesizer, in the dialogue's language: tone, pace, pauses, breath; null when
    unknown."""
    conditioned_on: tuple[str, ...]
    """What the writer saw: words, thinking."""
    audio_spans: tuple[SpanCell, ...]
    """Recorded sound of the answer by reference; empty when there is none."""


class ConsistencyCell(Value):
    """Whether the voice of a response fits its words: null where unknown, never guessed."""

    intended: tuple[Emotion, ...]
    """Emotions that fit its words, the likeliest first: those of its style (docs/responses.md), or
    the one that its turns are labeled with; empty when unknown."""
    intended_from: Literal["style", "gold", "text"] | None
    """Whether the style, the corpus' label or the label from the words says so."""
    heard: Emotion | None
    """Emotion that a labeler heard in the response's sound; null without sound or label, and where
    its turns differ."""
    heard_confidence: Share | None
    """Probability that the labeler gives this emotion, the least of the turns."""
    heard_by: str | None
    """Engine that heard it, with model and revision."""
    agrees: bool | None
    """Whether each turn of the response is heard as it is intended; null where one is unknown."""
    word_error_rate: float | None
    """Words (characters for Chinese) that the recognizer heard wrong, per word of the corpus' text;
    null unless both are there. Normalizer ieat-words-1."""
    num_words: Index | None
    """Words of the corpus' text that the rate is of."""


class ModesCell(Value):
    """Whether a row is fit for each think mode."""

    explicit: bool
    """Fit with loss on the thinking."""
    injected: bool
    """Fit with the thinking in context, without loss."""
    implicit: bool
    """Fit without thinking."""
    reasons: tuple[str, ...]
    """What speaks against one or all of them, as codes (docs/codes.md)."""


class WordsCell(Value):
    """Stage 1, speech-text alignment."""

    task: Literal["alignment"] = "alignment"
    """Name of the task."""
    instruction: str
    """What the student is told beside the sound."""
    clean: str
    """The words without tags."""
    tagged: str
    """The words with tags of non-speech sounds."""
    confidence: Share | None
    """Mean probability of the words; null when unknown."""
    trainable: TrainableCell
    """Whether the words are fit to train on."""


class AttributesCell(Value):
    """Stage 1, emotional attributes: null where unknown, never guessed."""

    task: Literal["attributes"] = "attributes"
    """Name of the task."""
    instruction: str
    """What the student is told beside the sound."""
    emotion: Emotion | None
    """The chosen emotion."""
    chosen_from: LabelSource | None
    """Source of the chosen emotion."""
    confidence: Share | None
    """Probability that the chosen source gives its label."""
    soft_labels: SoftLabels | None
    """Probabilities of all seven by the chosen source; null when it gives none."""
    intensity: Intensity | None
    """How strongly it shows."""
    conflict: bool
    """Whether two sources name different emotions."""
    events: tuple[str, ...]
    """Non-speech sounds named by tags."""
    voice_events: VoiceEvents | None = None
    """What the voice was heard to do; null when not asked."""
    rate: float | None
    """Speaking rate, words per second (characters per second for Chinese)."""
    pitch: float | None
    """Median fundamental frequency, Hz."""
    level: float | None
    """Mean level of the voiced part, dBFS."""
    trainable: TrainableCell
    """Whether the emotion is fit to train on."""


class TurnCell(Value):
    """One turn of the canonical dialogue."""

    turn_index: Index
    """0-based turn."""
    source_turn_id: str
    """The turn's id in the corpus."""
    speaker: str
    """Who speaks."""
    audio: SpanCell | None
    """Where it sounds; null for a turn that is text only."""
    clean: str
    """The words without tags; empty when none were heard."""
    tagged: str
    """The words with tags of non-speech sounds."""
    source_text: str | None
    """The corpus' own words; null when it gives none."""
    words: tuple[Word, ...]
    """Times of the words within the turn, where known."""
    confidence: Share | None
    """Mean probability of the words; null when unknown."""
    gold: EmotionLabel | None
    """The corpus' label; null when it gives none."""
    text: EmotionLabel | None
    """The label from the words; null when not asked."""
    voice: EmotionLabel | None
    """The label from the sound; null when not asked."""
    voice_events: VoiceEvents | None = None
    """What the voice was heard to do; null when not asked."""
    emotion: Emotion | None
    """The chosen emotion; null when unknown."""
    intensity: Intensity | None
    """How strongly it shows."""
    conflict: bool
    """Whether two sources name different emotions."""
    cues: VoiceCues | None
    """How the turn sounds against the same speaker so far."""
    flags: tuple[str, ...]
    """What is odd about the turn, as codes (docs/codes.md)."""
