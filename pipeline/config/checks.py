"""What rows are checked for, and which findings keep a row out."""

from pydantic import Field, field_validator, model_validator

from ieat.pipeline.config.base import Settings

ROW_CODES = (
    "emotion_shown",
    "label_named",
    "markup",
    "noisy",
    "refusal",
    "restates_evidence",
    "self_reference",
    "surrogate_leak",
    "too_long",
    "too_long_clip",
    "too_short",
    "wrong_language",
)
"""Codes that a check of a finished row may find."""

HARD = (
    "emotion_shown",
    "label_named",
    "markup",
    "refusal",
    "self_reference",
    "surrogate_leak",
    "too_long",
    "wrong_language",
)
"""Codes that keep a row out unless the configuration says otherwise."""


class WordRates(Settings):
    """How fast a response is spoken."""

    en: float = Field(default=2.5, gt=0)
    """English words a second: 150 a minute, as audio books are read."""
    zh: float = Field(default=4.5, gt=0)
    """Chinese characters a second: 270 a minute, a little under the 5.2 syllables a second of
    Mandarin read without pauses (Pellegrino et al. 2011)."""


class CheckSettings(Settings):
    """What rows are checked for, and which findings keep a row out."""

    hard: tuple[str, ...] = HARD
    """Codes whose row becomes a dead letter; all others are flags. An answer that is the corpus'
    own is flagged only, unless it holds a tag of thinking."""
    max_restated: float = Field(default=0.8, ge=0, le=1)
    """Share of a cause's content words (Chinese: pairs of characters) that may stand in its
    quotes before the cause only restates them; four of five leave room for one word of its own."""
    max_sentences: int = Field(default=6, gt=0)
    """Most sentences of a response: twice the three that the prompt `response` asks for."""
    max_response_seconds: float = Field(default=40.0, gt=0)
    """Longest response when it is spoken at `words_per_second`: 100 English words, 180 Chinese
    characters; the prompt `response` asks for 60 words and 100 characters."""
    words_per_second: WordRates = WordRates()
    """How fast a response is spoken."""
    min_clip_seconds: float = Field(default=1.0, ge=0)
    """Sound under which a turn is flagged `too_short`; BLSP-Emo trains on clips from 1 s."""
    max_clip_seconds: float = Field(default=30.0, gt=0)
    """Sound above which a turn is flagged `too_long_clip`: the window of Whisper's encoder, on
    which most speech models build."""
    min_snr: float = 10.0
    """Level of the voice above the noise floor under which a turn is flagged `noisy`, dB."""
    max_word_errors: float | None = Field(default=0.5, ge=0)
    """Errors per word (Chinese: per character) against the corpus' own words above which the
    recognized words of a turn are not fit to train on; null takes all. At half the words, sound
    and script do not belong together; Distil-Whisper (Gandhi et al. 2023) kept up to 0.1."""

    @field_validator("hard")
    @classmethod
    def _names_codes(cls, hard: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(hard) - set(ROW_CODES))
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no code of rows; there are {', '.join(ROW_CODES)}")
        return tuple(sorted(set(hard)))

    @model_validator(mode="after")
    def _leaves_a_range(self) -> "CheckSettings":
        if self.max_clip_seconds <= self.min_clip_seconds:
            raise ValueError("max_clip_seconds must be above min_clip_seconds")
        return self
