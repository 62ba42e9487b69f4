"""One record type per boundary between stages: what a stage may use is what its input has."""

from typing import Literal

from pydantic import model_validator

from ieat.schemas.attribution import Attribution
from ieat.schemas.audio import Sound
from ieat.schemas.base import Index, Value
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.distillation import Distillation
from ieat.schemas.emotion import Trajectory, VoiceCues, VoiceEvents
from ieat.schemas.retrospection import LookBack, Retrospection, RowEnd
from ieat.schemas.sample import Sample, Target
from ieat.schemas.transcript import Transcript

Unit = Literal["dialogue", "turn", "target", "row"]


class Failure(Value):
    """Why a part of a dialogue could not be done; the rest of the dialogue goes on."""

    unit: Literal["turn", "target"]
    """What failed: the state of a turn, or a target."""
    turn_index: Index
    """0-based turn of the state, or the turn that names the target."""
    stage: str
    """Stage in which it failed."""
    code: str
    """Why, as a code (docs/codes.md)."""
    message: str
    """Why, as a sentence."""
    response_keys: tuple[str, ...] = ()
    """Keys of the stored answers that could not be used, in the order in which they were asked."""


class SourceUnit(Value):
    """One dialogue that a corpus reader has found but not read: a line, a folder, a file."""

    input_index: Index
    """0-based index of the input in the configuration."""
    source: str
    """File and line, folder or file, as it is shown to people."""
    uri: str
    """File or folder to read."""
    line: str | None = None
    """The line's text for corpora of lines; null otherwise."""


class HeardDialogue(Value):
    """A dialogue whose audio was found, decoded and measured."""

    dialogue: Dialogue
    """The dialogue as the corpus gives it."""
    sounds: tuple[Sound | None, ...]
    """One per turn; null for a turn that is text only."""


class TranscribedDialogue(Value):
    """A dialogue with its words."""

    dialogue: Dialogue
    """The dialogue as the corpus gives it."""
    sounds: tuple[Sound | None, ...]
    """One per turn; null for a turn that is text only."""
    transcript: Transcript
    """What was said."""


class LabeledDialogue(Value):
    """A dialogue with the emotions of its speakers."""

    dialogue: Dialogue
    """The dialogue as the corpus gives it."""
    sounds: tuple[Sound | None, ...]
    """One per turn; null for a turn that is text only."""
    transcript: Transcript
    """What was said."""
    cues: tuple[VoiceCues | None, ...]
    """One per turn; null for a turn without sound or words."""
    trajectories: tuple[Trajectory, ...]
    """One per labeled speaker, in order of their first turn."""
    failures: tuple[Failure, ...] = ()
    """States that could not be labeled."""
    voice_events: tuple[VoiceEvents, ...] = ()
    """One per turn whose voice was labeled, in turn order."""


class AttributedDialogue(LabeledDialogue):
    """A dialogue with the causes of its states; `failures` holds states without a cause too."""

    attributions: tuple[Attribution, ...]
    """One per explained state, in turn order."""


class ComposedDialogue(AttributedDialogue):
    """A dialogue with its samples; `failures` holds targets too."""

    samples: tuple[Sample, ...]
    """One per target that could be composed, in turn order."""
    filtered: tuple[tuple[int, str], ...] = ()
    """Targets left out on purpose: 0-based turn and reason code."""

    @model_validator(mode="after")
    def _every_target_ends_once(self) -> "ComposedDialogue":
        ends = (
            [sample.target.turn_index for sample in self.samples]
            + [turn for turn, _ in self.filtered]
            + [failure.turn_index for failure in self.failures if failure.unit == "target"]
        )
        if len(ends) != len(set(ends)):
            raise ValueError("a target ends twice")
        return self


class DistilledDialogue(ComposedDialogue):
    """A dialogue with what a teacher answers; `failures` holds turns without an answer too."""

    distillations: tuple[Distillation, ...] = ()
    """One per turn that the teacher answered, in turn order."""


class RetrospectedDialogue(DistilledDialogue):
    """A dialogue with a look back over the whole of it, apart from all that is causal."""

    look_back: LookBack | None = None
    """What the look back is about; null where no table wants one or the dialogue cannot have it."""
    retrospection: Retrospection | None = None
    """What it gave; null where it was not asked or failed as a whole."""
    row_ends: tuple[RowEnd, ...] = ()
    """Rows of the look back's tables that are not written; those in it are not repeated."""


class SetAside(Value):
    """A dialogue that leaves the pipeline before its end."""

    dialogue_id: str | None
    """Its id; null when none could be read."""
    source: str
    """File and line or folder that it was read from."""
    end: Literal["dead", "filtered", "not_reached"]
    """Whether it failed, was left out on purpose, or the run stopped before it."""
    stage: str
    """Stage that it did not pass."""
    code: str
    """Why, as a code (docs/codes.md)."""
    message: str
    """Why, as a sentence."""
    record: str
    """The input record of that stage as JSON, or the source line; empty when not reached."""
    num_turns: Index = 0
    """Turns that were read; 0 when it could not be read."""
    num_targets: Index = 0
    """Targets that it would have had; 0 when it could not be read."""
    response_keys: tuple[str, ...] = ()
    """Keys of the stored answers that could not be used, in the order in which they were asked."""


__all__ = [
    "AttributedDialogue",
    "ComposedDialogue",
    "DistilledDialogue",
    "Failure",
    "HeardDialogue",
    "LabeledDialogue",
    "RetrospectedDialogue",
    "SetAside",
    "SourceUnit",
    "Target",
    "TranscribedDialogue",
    "Unit",
]
