"""What was said, when, and who says so."""

from pydantic import model_validator

from ieat.schemas.base import Index, Seconds, Share, Value


class Word(Value):
    """One recognized word with its time."""

    text: str
    """The word as recognized."""
    start: Seconds
    """Start within the turn's span, seconds."""
    end: Seconds
    """End within the turn's span, seconds."""
    confidence: Share | None = None
    """Probability that the recognizer gives the word; null when it gives none."""


class Recognition(Value):
    """What a recognizer heard in one span."""

    text: str
    """The words, tags of non-speech sounds included; empty when nothing was heard."""
    words: tuple[Word, ...] = ()
    """Times of the words where the recognizer gives them."""
    confidence: Share | None = None
    """Mean probability of the words; null when the recognizer gives none."""
    no_speech: Share | None = None
    """Probability that the span holds no speech; null when the recognizer gives none."""
    language: str | None = None
    """Language that the recognizer heard, as it writes it; null when it does not say."""
    response_key: str | None = None
    """Key of the stored answer; null when no engine was asked."""


class Utterance(Value):
    """The words of one turn."""

    turn_index: Index
    """0-based index of the turn."""
    clean: str
    """The words without tags, white space normalized; quotes and offsets refer to this text."""
    tagged: str
    """The words with tags of non-speech sounds in square brackets."""
    events: tuple[str, ...] = ()
    """Non-speech sounds named by the tags, lower case, in order."""
    words: tuple[Word, ...] = ()
    """Times of the words within the turn's span, where known."""
    confidence: Share | None = None
    """Mean probability of the words; null when unknown."""
    response_key: str | None = None
    """Key of the recognizer's stored answer; null when the corpus gave the words."""
    flags: tuple[str, ...] = ()
    """What is odd about the words, as codes (docs/codes.md)."""


class Transcript(Value):
    """All utterances of a dialogue."""

    recognizer_id: str
    """The engine that gave the words, with model and revision; `gold` for the corpus' own."""
    utterances: tuple[Utterance, ...]
    """One utterance per turn, in order; one without words has an empty `clean`."""

    @model_validator(mode="after")
    def _has_one_utterance_per_turn(self) -> "Transcript":
        if [said.turn_index for said in self.utterances] != list(range(len(self.utterances))):
            raise ValueError("utterances do not follow the turns 0, 1, 2, ...")
        return self
