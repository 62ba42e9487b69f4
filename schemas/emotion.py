"""Emotions of turns and their course through a dialogue."""

from enum import Enum
from itertools import pairwise
from typing import Literal

from pydantic import model_validator

from ieat.schemas.base import Decibels, Hertz, Index, Share, Value


class Emotion(str, Enum):
    """The closed set of HumDial (arXiv 2601.05564)."""

    HAPPY = "happy"
    SAD = "sad"
    ANGER = "anger"
    FEAR = "fear"
    NEUTRAL = "neutral"
    SURPRISE = "surprise"
    DISGUST = "disgust"


class Intensity(str, Enum):
    """How strongly an emotion shows."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class VocalEvent(str, Enum):
    """What a voice may be heard to do besides speaking."""

    SIGH = "sigh"
    SOB = "sob"
    LAUGH = "laugh"
    TREMBLE = "tremble"
    SHOUT = "shout"
    WHISPER = "whisper"


VALENCE: dict[Emotion, int] = {
    Emotion.HAPPY: 1,
    Emotion.SURPRISE: 0,
    Emotion.NEUTRAL: 0,
    Emotion.SAD: -1,
    Emotion.ANGER: -1,
    Emotion.FEAR: -1,
    Emotion.DISGUST: -1,
}
"""Sign of pleasantness of each emotion on the circumplex (Russell 1980); surprise may be either."""

LabelSource = Literal["gold", "text", "voice"]
Direction = Literal["better", "worse", "level"]


class SoftLabels(Value):
    """How probable each of the seven emotions is, by one source; they sum to about 1."""

    happy: Share
    """Probability of happy."""
    sad: Share
    """Probability of sad."""
    anger: Share
    """Probability of anger."""
    fear: Share
    """Probability of fear."""
    neutral: Share
    """Probability of neutral."""
    surprise: Share
    """Probability of surprise."""
    disgust: Share
    """Probability of disgust."""


class EmotionLabel(Value):
    """What one source says about the emotion of one turn."""

    source: LabelSource
    """Whether the corpus, the words or the voice say so."""
    labeler_id: str
    """Engine that labeled, with model and revision; `gold` for the corpus."""
    emotion: Emotion | None
    """The emotion; null when the labeler abstained or the word is outside the seven."""
    raw: str | None = None
    """The source's own word where it differs from `emotion`; null otherwise."""
    intensity: Intensity | None = None
    """How strongly it shows; null when the source does not say."""
    confidence: Share | None = None
    """Probability that the labeler gives its label, or the share of several answers that name it;
    null when there is neither."""
    soft: SoftLabels | None = None
    """Probabilities of all seven; null when the labeler gives none."""
    prompt_id: str | None = None
    """Prompt that was asked, as name@version.language; null for labelers without prompts."""
    prompt_sha256: str | None = None
    """SHA-256 of the prompt's template; null for labelers without prompts."""
    response_keys: tuple[str, ...] = ()
    """Keys of the stored answers that the label comes from."""


class VoiceEvents(Value):
    """The vocal events that a labeler heard in one turn."""

    turn_index: Index
    """0-based index of the turn."""
    labeler_id: str
    """Engine that heard them, with model and revision."""
    events: tuple[VocalEvent, ...]
    """The events, each once, in the order in which they were named; empty when none was heard."""
    response_keys: tuple[str, ...]
    """Keys of the stored answers that name them."""


class VoiceCues(Value):
    """How a turn sounds against the same speaker's turns so far; measured, not a label."""

    turn_index: Index
    """0-based index of the turn."""
    level: Decibels | None
    """Mean level of the voiced part, dBFS."""
    pitch: Hertz | None
    """Median fundamental frequency, Hz."""
    pitch_range: float | None
    """Range of the fundamental, semitones."""
    tilt: Decibels | None
    """Energy above 1 kHz relative to below, dB."""
    rate: float | None
    """Speaking rate, words per second (characters per second for Chinese); null without speech."""
    num_reference_turns: int
    """Turns of the speaker up to and including this one that the medians are taken over."""
    level_change: float | None
    """Level minus the speaker's median so far, dB; null under three reference turns."""
    pitch_change: float | None
    """Pitch against the speaker's median so far, semitones; null under three reference turns."""
    rate_change: float | None
    """Rate divided by the speaker's median so far; null under three reference turns."""
    arousal: float | None
    """Mean robust z-score of level, pitch, range, tilt, rate; null under three reference turns."""
    words: tuple[str, ...] = ()
    """The changes that stand out, as codes: louder, quieter, higher, lower, faster, slower."""


class EmotionalState(Value):
    """The emotion of one speaker at one turn: every source's label, and the chosen one."""

    turn_index: Index
    """0-based index of the turn."""
    speaker: str
    """Whose state it is."""
    gold: EmotionLabel | None = None
    """The corpus' label; null when it gives none."""
    text: EmotionLabel | None = None
    """The label from the words; null when not asked."""
    voice: EmotionLabel | None = None
    """The label from the sound; null when not asked."""
    chosen: Emotion | None = None
    """The emotion that the policy chose; null when all sources abstain or one failed."""
    chosen_from: LabelSource | None = None
    """The source that `chosen` comes from."""
    intensity: Intensity | None = None
    """How strongly the chosen emotion shows; null when unknown."""
    conflict: bool = False
    """Whether two sources name different emotions."""
    flags: tuple[str, ...] = ()
    """What is odd about the state, as codes (docs/codes.md)."""

    @model_validator(mode="after")
    def _chosen_has_a_source(self) -> "EmotionalState":
        if (self.chosen is None) != (self.chosen_from is None):
            raise ValueError("a chosen emotion and its source come together")
        return self


class Shift(Value):
    """Two neighboring known states of one speaker that differ."""

    from_turn: Index
    """0-based turn of the earlier state."""
    turn_index: Index
    """0-based turn at which the new state shows."""
    from_emotion: Emotion
    """The earlier emotion."""
    to_emotion: Emotion
    """The new emotion."""
    direction: Direction
    """By the signs of VALENCE: better, worse or level."""


class Trajectory(Value):
    """The ordered states of one speaker through a dialogue."""

    speaker: str
    """Whose trajectory it is."""
    states: tuple[EmotionalState, ...]
    """The speaker's states by turn; those with `chosen` null are gaps."""
    shifts: tuple[Shift, ...]
    """Where neighboring known states differ."""

    @model_validator(mode="after")
    def _is_ordered_and_shifts_follow(self) -> "Trajectory":
        turns = [state.turn_index for state in self.states]
        if turns != sorted(set(turns)):
            raise ValueError("states are not ordered by turn")
        if any(state.speaker != self.speaker for state in self.states):
            raise ValueError("a trajectory holds the states of one speaker")
        if self.shifts != find_shifts(self.states):
            raise ValueError("shifts do not follow from the states")
        return self


def find_shifts(states: tuple[EmotionalState, ...]) -> tuple[Shift, ...]:
    """Return the changes between neighboring known states; unknown ones are passed over."""
    known = [(state.turn_index, state.chosen) for state in states if state.chosen is not None]
    return tuple(
        Shift(
            from_turn=before,
            turn_index=turn,
            from_emotion=old,
            to_emotion=new,
            direction=direction_of(old, new),
        )
        for (before, old), (turn, new) in pairwise(known)
        if old is not new
    )


def direction_of(old: Emotion, new: Emotion) -> Direction:
    """Return whether a change is for the better, the worse or neither, by the signs of VALENCE."""
    change = VALENCE[new] - VALENCE[old]
    return "better" if change > 0 else "worse" if change < 0 else "level"


def trace_trajectory(speaker: str, states: tuple[EmotionalState, ...]) -> Trajectory:
    """Build the trajectory of a speaker from that speaker's states in turn order."""
    return Trajectory(speaker=speaker, states=states, shifts=find_shifts(states))
