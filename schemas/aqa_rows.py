"""Rows of the table `aqa`: questions that are heard, with their answers."""

from ieat.schemas.base import SCHEMA_VERSION, Seconds, Value
from ieat.schemas.cells import AudioCell, ProvenanceCell, SpanCell, TrainableCell
from ieat.schemas.dialogue import Language


class AcceptedAnswer(Value):
    """One of the answers that count as right."""

    all_of: tuple[str, ...]
    """Words that all have to be said."""


class AqaRow(Value):
    """A question of knowledge that is heard, and is answered without thinking about a state."""

    row_id: str
    """`corpus/key/aqa`."""
    schema_version: int = SCHEMA_VERSION
    """Version of the row layout."""
    dialogue_id: str
    """`corpus/key`: the question, in the place of a dialogue."""
    language: Language
    """Language that is spoken."""
    split: str
    """Split of the data set."""
    license: str | None
    """License as the file states it."""
    source: str
    """File and line, or row, that it was read from."""
    task: str = "aqa"
    """Name of the task."""
    instruction: str
    """What the student is told beside the sound."""
    audio: AudioCell
    """The question as it sounds."""
    audio_span: SpanCell
    """Where the sound comes from."""
    duration: Seconds
    """Length of the sound, seconds."""
    query: str
    """The words of the question."""
    answers: tuple[AcceptedAnswer, ...]
    """The answers that count as right: one of them is enough."""
    thinking: str
    """Empty: knowledge is asked for, not a state."""
    target_text: str
    """The answer to learn: as the file writes it, else the first of `answers`."""
    trainable: TrainableCell
    """Whether the row is fit to train on."""
    provenance: ProvenanceCell
    """Templates behind the row; no engine has a part in it."""
    flags: tuple[str, ...]
    """What is odd about the sound, as codes (docs/codes.md)."""
