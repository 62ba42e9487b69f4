"""Dialogues of words with gold emotions and gold causes, in one form for all benchmark files."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from ieat.pipeline.emotion_words import SAME_WORD
from ieat.schemas.base import Index, Value
from ieat.schemas.dialogue import Dialogue, Language, Turn
from ieat.schemas.emotion import Emotion

CORPUS = "bench"
"""Name of the corpus that benchmark dialogues are given to the stages under."""

EXCITED: Mapping[str, Emotion] = {"excited": Emotion.HAPPY, "excitement": Emotion.HAPPY}
"""Words that stand beside `happiness` in RECCON's annotation (Poria et al. 2021)."""

FileFormat = Literal["columns", "reccon", "ecf"]


class GoldTurn(Value):
    """One turn with the emotion that annotators gave it."""

    speaker: str = Field(min_length=1)
    """Who speaks."""
    text: str = Field(min_length=1)
    """What is said, as the file writes it."""
    word: str | None
    """The file's own emotion word; null when it gives none."""
    emotion: Emotion | None
    """The emotion that the word means; null when there is no word, or it is outside the seven."""


class GoldSpan(Value):
    """Words that annotators marked as a cause."""

    turn_index: Index | None
    """0-based turn in which they stand; null when they stand in none of the cited turns."""
    text: str = Field(min_length=1)
    """The words."""


class GoldCause(Value):
    """What annotators gave as the cause of the emotion of one turn."""

    turn_index: Index
    """0-based turn of the emotion."""
    cause_turns: tuple[Index, ...]
    """0-based turns that show the cause, in order, each once; empty for a background cause."""
    spans: tuple[GoldSpan, ...] = ()
    """The marked words; empty where the file marks turns only."""
    is_background: bool = False
    """Whether a part of the cause lies outside the dialogue."""
    kinds: tuple[str, ...] = ()
    """Kinds of the cause as the file names them, each once; empty where it names none."""


class GoldDialogue(Value):
    """One dialogue of a benchmark file."""

    name: str = Field(min_length=1)
    """Its id in the file."""
    language: Language
    """Language that is spoken."""
    turns: tuple[GoldTurn, ...] = Field(min_length=1)
    """The turns in order."""
    causes: tuple[GoldCause, ...] = ()
    """The causes, by turn of the emotion."""

    @model_validator(mode="after")
    def _causes_lie_in_the_dialogue(self) -> "GoldDialogue":
        explained = [cause.turn_index for cause in self.causes]
        if len(explained) != len(set(explained)):
            raise ValueError("a turn has two lists of causes")
        for cause in self.causes:
            for index in (cause.turn_index, *cause.cause_turns):
                if index >= len(self.turns):
                    raise ValueError(
                        f"the cause of turn {cause.turn_index} names turn {index}, and the last "
                        f"of the dialogue is {len(self.turns) - 1} (counted from 0)"
                    )
        return self

    def scored_causes(self) -> tuple[GoldCause, ...]:
        """Return the causes of emotions that can be asked about: those of the six, not neutral."""
        return tuple(
            cause
            for cause in self.causes
            if self.turns[cause.turn_index].emotion not in (None, Emotion.NEUTRAL)
        )


class GoldFile(Value):
    """All dialogues of a benchmark file."""

    path: str
    """The file."""
    sha256: str
    """SHA-256 of its bytes, hexadecimal."""
    format: FileFormat
    """How it is laid out."""
    dialogues: tuple[GoldDialogue, ...] = Field(min_length=1)
    """Its dialogues in order."""


def emotion_of(word: str | None, emotion_map: Mapping[str, Emotion]) -> Emotion | None:
    """Return the emotion that a file's word means, or null when it is outside the seven.

    Args:
        word: The word as the file writes it.
        emotion_map: The user's own words, which go first.
    """
    plain = (word or "").strip()
    return emotion_map.get(plain) or SAME_WORD.get(plain.lower()) or EXCITED.get(plain.lower())


def as_dialogue(gold: GoldDialogue, *, shows_emotions: bool) -> Dialogue:
    """Return a dialogue as the stages take it.

    Args:
        gold: The dialogue of the file.
        shows_emotions: Whether turns whose causes are scored carry their gold emotion; no other
            turn does, so that no cause is asked for that nobody can score.
    """
    explained = {cause.turn_index for cause in gold.scored_causes()} if shows_emotions else set()
    return Dialogue(
        corpus=CORPUS,
        name=gold.name,
        language=gold.language,
        source=gold.name,
        turns=tuple(
            Turn(
                index=index,
                source_turn_id=str(index),
                speaker=turn.speaker,
                text=turn.text,
                emotion=turn.emotion.value if index in explained and turn.emotion else None,
            )
            for index, turn in enumerate(gold.turns)
        ),
    )
