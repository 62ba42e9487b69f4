"""The rows of a build's tables; the Arrow schema is derived from these models."""

from typing import Literal

from ieat.schemas.aqa_rows import AqaRow
from ieat.schemas.base import SCHEMA_VERSION, Index, Seconds, Value
from ieat.schemas.cells import (
    AttributesCell,
    AudioCell,
    CauseCell,
    ConsistencyCell,
    MessageCell,
    ModesCell,
    ProvenanceCell,
    ResponseCell,
    ShiftCell,
    SpanCell,
    StateCell,
    ThinkingCell,
    TurnCell,
    WordsCell,
)
from ieat.schemas.dialogue import Language
from ieat.schemas.humdial_rows import (
    HumdialRow,
    HumdialT1Row,
    HumdialT2Row,
    HumdialT3Row,
    HumdialT4Row,
)
from ieat.schemas.stage1_cells import DistillationCell


class DialogueRow(Value):
    """The canonical dialogue: everything known of it, audio by reference."""

    row_id: str
    """Id of the row: the dialogue's id."""
    schema_version: int = SCHEMA_VERSION
    """Version of the row layout."""
    dialogue_id: str
    """`corpus/name`."""
    corpus: str
    """Name of the corpus."""
    language: Language
    """Language that is spoken."""
    split: str
    """Split of the data set."""
    corpus_split: str
    """Split that the corpus gives it to."""
    speaker_ids: tuple[str, ...]
    """`corpus/name` of the speakers who are the same people in the whole corpus; empty where names
    are roles."""
    script_ids: tuple[str, ...]
    """What names its script: the corpus' id, and hashes of the corpus' words, all of them and
    those of the first speaker."""
    license: str | None
    """Licence as the corpus states it."""
    source: str
    """File and line or folder that it was read from."""
    source_sha256: str | None
    """SHA-256 of the source line or file that described it."""
    tasks: tuple[str, ...]
    """Tasks of the corpus that it belongs to."""
    turns: tuple[TurnCell, ...]
    """The turns in order."""
    shifts: tuple[ShiftCell, ...]
    """Changes of emotion, by speaker and turn."""
    causes: tuple[CauseCell, ...]
    """Causes of the states, by turn."""
    failures: tuple[str, ...]
    """Parts that failed, as unit:turn:code."""
    provenance: ProvenanceCell
    """Engines, prompts and answers behind the row."""
    flags: tuple[str, ...]
    """What is odd about the dialogue, as codes (docs/codes.md)."""


class Stage1Row(Value):
    """One turn with words: alignment, emotional attributes, and self-distillation."""

    row_id: str
    """`corpus/name/turn/stage1`."""
    schema_version: int = SCHEMA_VERSION
    """Version of the row layout."""
    dialogue_id: str
    """`corpus/name`."""
    turn_index: Index
    """0-based turn."""
    source_turn_id: str
    """The turn's id in the corpus."""
    speaker: str
    """Who speaks."""
    language: Language
    """Language that is spoken."""
    split: str
    """Split of the data set."""
    license: str | None
    """Licence as the corpus states it."""
    audio: AudioCell | None
    """The turn's sound; null for a turn that is text only."""
    audio_span: SpanCell | None
    """Where the sound comes from."""
    duration: Seconds | None
    """Length of the sound, seconds."""
    words: WordsCell
    """What is said."""
    attributes: AttributesCell
    """How it is said."""
    distillation: DistillationCell | None
    """What a teacher answers to it; null without a teacher, or where its answer failed."""
    provenance: ProvenanceCell
    """Engines, prompts and answers behind the row."""
    flags: tuple[str, ...]
    """What is odd about the turn, as codes (docs/codes.md)."""


class Stage2Row(Value):
    """One target: listen, think, write."""

    row_id: str
    """`corpus/name/turn/stage2`."""
    schema_version: int = SCHEMA_VERSION
    """Version of the row layout."""
    dialogue_id: str
    """`corpus/name`."""
    turn_index: Index
    """0-based last turn of the user before the answer."""
    user_speaker: str
    """Who is answered."""
    answering_speaker: str
    """Who answers."""
    language: Language
    """Language that is spoken."""
    split: str
    """Split of the data set."""
    license: str | None
    """Licence as the corpus states it."""
    messages: tuple[MessageCell, ...]
    """The conversation to train on."""
    audios: tuple[AudioCell, ...]
    """The clips of the `<audio>` tags, in order."""
    audio_spans: tuple[SpanCell, ...]
    """Where each clip comes from, in the same order."""
    thinking: ThinkingCell
    """The thinking, apart from the messages."""
    response: ResponseCell
    """The response, apart from the messages."""
    consistency: ConsistencyCell | None = None
    """Whether the response sounds as its words are meant; null where nothing is known of it."""
    trajectory_so_far: tuple[StateCell, ...]
    """The user's states up to the target."""
    trainable: ModesCell
    """Whether the row is fit to train on, per think mode."""
    provenance: ProvenanceCell
    """Engines, prompts and answers behind the row."""
    flags: tuple[str, ...]
    """What is odd about the row, as codes (docs/codes.md)."""


class DeadLetterRow(Value):
    """A failed unit and why; kept off the card, as it may hold transcripts."""

    row_id: str
    """`stage:unit_id`, unique within the table."""
    schema_version: int = SCHEMA_VERSION
    """Version of the row layout."""
    unit: Literal["dialogue", "turn", "target", "row"]
    """What failed."""
    unit_id: str
    """Id of the unit, or the source's place when no id could be read."""
    dialogue_id: str | None
    """The dialogue it belongs to."""
    source: str
    """File and line or folder that it was read from."""
    table: str | None
    """Table that lacks a row for it."""
    stage: str
    """Stage in which it failed."""
    code: str
    """Why, as a code (docs/codes.md)."""
    message: str
    """Why, as a sentence."""
    record: str
    """The failed input record as JSON, or the source line."""
    response_keys: tuple[str, ...] = ()
    """Keys of the stored answers that could not be used, in the order in which they were asked."""


Row = DialogueRow | Stage1Row | Stage2Row | HumdialRow | AqaRow | DeadLetterRow

TABLES: dict[str, type[Row]] = {
    "dialogues": DialogueRow,
    "stage1": Stage1Row,
    "stage2": Stage2Row,
    "humdial_t1": HumdialT1Row,
    "humdial_t2": HumdialT2Row,
    "humdial_t3": HumdialT3Row,
    "humdial_t4": HumdialT4Row,
    "aqa": AqaRow,
    "_dead_letters": DeadLetterRow,
}
"""Row type of each table, by the name of its folder."""

HUMDIAL_TABLES = ("humdial_t1", "humdial_t2", "humdial_t3", "humdial_t4")
"""Tables of HumDial's tasks."""

CORE_TABLES = ("dialogues", "stage1", "stage2")
"""Tables that every build has; the others come with what is configured."""
