"""What may be known when a turn is judged: that turn and the ones before it, nothing later."""

from pydantic import Field, model_validator

from ieat.schemas.audio import AudioSpan
from ieat.schemas.base import Index, Seconds, Value
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import VocalEvent, VoiceCues
from ieat.schemas.transcript import Word


class HeardTurn(Value):
    """One turn with words, as engines see it."""

    turn_index: Index
    """0-based turn."""
    speaker: str
    """Who speaks."""
    clean: str = Field(min_length=1)
    """The words without tags; quotes and offsets refer to this text."""
    tagged: str
    """The words with tags of non-speech sounds."""
    events: tuple[str, ...]
    """Non-speech sounds named by tags."""
    voice_events: tuple[VocalEvent, ...] = ()
    """What a labeler heard the voice do in this turn; empty where none was asked."""
    words: tuple[Word, ...]
    """Times of the words within the turn's span, where known."""
    audio: AudioSpan | None
    """Where it sounds; null for a turn that is text only."""
    duration: Seconds | None
    """Length of the sound, seconds."""
    cues: VoiceCues | None
    """How it sounds against the same speaker so far; null without sound."""


class History(Value):
    """The last turns up to and including the one that is judged."""

    dialogue_id: str
    """The dialogue they belong to."""
    language: Language
    """Language that is spoken."""
    turns: tuple[HeardTurn, ...] = Field(min_length=1)
    """Turns with words, oldest first; the last is the one that is judged."""
    num_earlier: int = 0
    """Turns with words that were left out because they are too long ago."""

    @model_validator(mode="after")
    def _is_in_order(self) -> "History":
        turns = [turn.turn_index for turn in self.turns]
        if turns != sorted(set(turns)):
            raise ValueError("turns of a history are not in order")
        return self

    @property
    def last(self) -> HeardTurn:
        """The turn that is judged."""
        return self.turns[-1]

    def turn(self, index: int) -> HeardTurn | None:
        """Return the turn with this index, or null when the history does not hold it."""
        return next((turn for turn in self.turns if turn.turn_index == index), None)
