"""A spoken dialogue as the corpus gives it, in one form for all corpora."""

from enum import Enum
from typing import Literal

from pydantic import Field, field_validator, model_validator

from ieat.schemas.audio import AudioSpan
from ieat.schemas.base import Index, Value


class Language(str, Enum):
    """The languages that prompts are released in."""

    EN = "en"
    ZH = "zh"


class Turn(Value):
    """One speaker holds the floor."""

    index: Index
    """0-based position in the dialogue."""
    source_turn_id: str
    """The turn's id in the corpus, as the corpus writes it."""
    speaker: str = Field(min_length=1)
    """Who speaks: the corpus' name for the speaker."""
    audio: AudioSpan | None = None
    """Where the turn's sound lies; null for a turn that is text only."""
    text: str | None = None
    """The corpus' own words, tags of non-speech sounds included; null when it gives none."""
    emotion: str | None = None
    """The corpus' own emotion word, as it is written there; null when it gives none."""
    is_given: bool = True
    """Whether the corpus itself delimits the turn; false when voice activity cut it."""

    @model_validator(mode="after")
    def _has_sound_or_words(self) -> "Turn":
        if self.audio is None and not (self.text and self.text.strip()):
            raise ValueError(f"turn {self.index} has neither audio nor text")
        return self


class Dialogue(Value):
    """One conversation, the unit of work."""

    corpus: str = Field(min_length=1)
    """Name of the corpus, first part of every id; holds no slash."""
    name: str = Field(min_length=1)
    """The dialogue's id within its corpus, as the corpus writes it."""
    language: Language
    """Language that is spoken."""
    split: str = Field(default="train", pattern=r"^[A-Za-z0-9_]+$")
    """Split of the data set that the dialogue belongs to."""
    corpus_split: str | None = None
    """Split that the corpus gives it to; null where that is `split`."""
    license: str | None = None
    """Licence of the dialogue as its corpus states it; null when it states none."""
    source: str
    """File and line or folder that the dialogue was read from."""
    source_sha256: str | None = None
    """SHA-256 of the source line or file that described the dialogue; null for plain folders."""
    turns: tuple[Turn, ...] = Field(min_length=1)
    """The turns in order of their start."""
    script: str | None = None
    """Id within the corpus of the script or group that it belongs to; null when it names none."""
    speaker_scope: Literal["corpus", "dialogue"] = "dialogue"
    """Whether a speaker's name means one person in the whole corpus or in the dialogue alone."""
    tasks: tuple[str, ...] = ()
    """Tasks of the corpus that it belongs to, in the final HumDial numbering (T1, T2, ...)."""
    flags: tuple[str, ...] = ()
    """What is odd about the dialogue, as codes (docs/codes.md)."""

    @field_validator("corpus")
    @classmethod
    def _has_no_slash(cls, corpus: str) -> str:
        if "/" in corpus:
            raise ValueError(
                f"corpus name {corpus!r} holds a slash, which separates the parts of ids"
            )
        return corpus

    @model_validator(mode="after")
    def _turns_are_numbered_in_order(self) -> "Dialogue":
        if [turn.index for turn in self.turns] != list(range(len(self.turns))):
            raise ValueError("turns are not numbered 0, 1, 2, ... in order")
        return self

    @property
    def dialogue_id(self) -> str:
        """`corpus/name`, unique within a build."""
        return f"{self.corpus}/{self.name}"

    def turn_id(self, index: int) -> str:
        """Return `corpus/name/turn`, the turn as three digits so that ids sort."""
        return f"{self.dialogue_id}/{index:03d}"
