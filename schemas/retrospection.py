"""A look back over a whole dialogue: a label source of its own, never part of what is causal."""

from typing import Literal

from pydantic import Field, model_validator

from ieat.schemas.attribution import Evidence
from ieat.schemas.base import Index, Value
from ieat.schemas.emotion import Emotion, Intensity

StepSource = Literal["gold", "retrospective"]
"""Who names the emotion of a step: the corpus, or the look back over the whole dialogue."""
LookBackTable = Literal["humdial_t1", "humdial_t2"]
"""Tables whose rows rest on a look back."""


class PathTurn(Value):
    """A turn of the user that a look back speaks of."""

    turn_index: Index
    """0-based turn."""
    gold: Emotion | None
    """The corpus' emotion, which is given; null when it is to be found."""
    is_question: bool
    """Whether the turn is the question."""


class LookBack(Value):
    """What is asked about a dialogue, apart from its words."""

    speaker: str
    """Whose emotions are asked about."""
    turns: tuple[PathTurn, ...] = Field(min_length=1)
    """The speaker's turns with words, in order."""
    includes_question: bool
    """Whether the emotion of the question turn is part of the path."""
    wanted: tuple[LookBackTable, ...]
    """Tables that want the answer."""
    asked_for: tuple[LookBackTable, ...] = ()
    """Tables whose question the question turn is; rows of the others get one from the list."""

    @property
    def path(self) -> tuple[int, ...]:
        """0-based turns whose emotions are the path."""
        return tuple(
            turn.turn_index for turn in self.turns if self.includes_question or not turn.is_question
        )

    @property
    def question_turn(self) -> int | None:
        """0-based turn that asks; null when none does."""
        return next((turn.turn_index for turn in self.turns if turn.is_question), None)


class Step(Value):
    """The emotion of one turn of the user, with what it is tied to."""

    turn_index: Index
    """0-based turn."""
    emotion: Emotion
    """The emotion."""
    intensity: Intensity
    """How strongly it shows."""
    source: StepSource
    """Who names the emotion."""
    event: str = Field(min_length=1)
    """What in the dialogue the emotion is tied to, one sentence."""
    evidence: tuple[Evidence, ...]
    """Quotes of the turn or of earlier ones; may be empty for a neutral step."""
    is_question: bool
    """Whether the turn is the question."""


class TrajectoryLook(Value):
    """How the emotions change, and the answer of T1."""

    steps: tuple[Step, ...] = Field(min_length=1)
    """One per turn of the user whose emotion is known, in order."""
    path: tuple[Index, ...] = Field(min_length=1)
    """0-based turns of the steps that are part of the sequence."""
    answer: str = Field(min_length=1)
    """Names the emotions of the sequence with their events."""

    @model_validator(mode="after")
    def _every_turn_of_the_path_has_a_step(self) -> "TrajectoryLook":
        if not set(self.path) <= {step.turn_index for step in self.steps}:
            raise ValueError("a turn of the path has no step")
        return self

    @property
    def runs(self) -> tuple[tuple[Step, ...], ...]:
        """Steps of the path, neighboring ones of the same emotion together."""
        runs: list[tuple[Step, ...]] = []
        for step in self.steps:
            if step.turn_index not in self.path:
                continue
            if runs and runs[-1][-1].emotion is step.emotion:
                runs[-1] = (*runs[-1], step)
            else:
                runs.append((step,))
        return tuple(runs)

    @property
    def sequence(self) -> tuple[Emotion, ...]:
        """The emotions in order, neighboring equal ones once."""
        return tuple(run[0].emotion for run in self.runs)


class RootedCause(Value):
    """One cause, with its quotes."""

    cause: str = Field(min_length=1)
    """What it is, one sentence."""
    evidence: tuple[Evidence, ...] = Field(min_length=1)
    """The quotes that show it."""


class ReasonsLook(Value):
    """Why the user feels as they do, and the answer of T2."""

    causes: tuple[RootedCause, ...] = Field(min_length=1)
    """The causes in the order in which they build up."""
    root_cause: str = Field(min_length=1)
    """What lies beneath them."""
    conclusion: str = Field(min_length=1)
    """The answer in one sentence."""
    arguments: tuple[str, ...] = Field(min_length=1)
    """What carries the conclusion, in order."""
    takeaway: str = Field(min_length=1)
    """What follows for the user."""
    answer: str = Field(min_length=1)
    """All of it as one spoken answer."""


class RowEnd(Value):
    """A row of a further table that is not written, and why."""

    table: str
    """The table that lacks it."""
    end: Literal["dead", "filtered"]
    """Whether it failed or was left out on purpose."""
    code: str
    """Why, as a code (docs/codes.md)."""
    message: str = ""
    """Why, as a sentence; empty for a row that was left out."""
    response_keys: tuple[str, ...] = ()
    """Keys of the stored answers that could not be used, in the order in which they were asked."""


class Retrospection(Value):
    """What a look back over a whole dialogue gave."""

    source: Literal["retrospective"] = "retrospective"
    """Sets it apart from labels and causes, which know nothing of later turns."""
    trajectory: TrajectoryLook | None
    """How the emotions change; null when not wanted or not usable."""
    reasons: ReasonsLook | None
    """Why they do; null when not wanted or not usable."""
    ends: tuple[RowEnd, ...]
    """What became of the wanted rows that cannot be written."""
    retrospector_id: str
    """Engine that was asked, with model and revision."""
    prompt_id: str
    """Prompt that was asked, as name@version.language."""
    prompt_sha256: str
    """SHA-256 of the prompt's template."""
    response_keys: tuple[str, ...]
    """Keys of the stored answers, a re-ask last."""
