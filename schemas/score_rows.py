"""The rows of the table `scores`: what a judge says of the answers of a build."""

from typing import Literal

from ieat.schemas.base import SCHEMA_VERSION, Value
from ieat.schemas.dialogue import Language

SCORES = "scores"
"""Folder of the scores within a build; no part of its manifest, as they come after it."""

JudgedTask = Literal["t1", "t2", "t3"]
"""HumDial's tasks whose answers are judged by their words."""


class DimensionCell(Value):
    """One dimension of a rubric."""

    name: str
    """Its name, as the rubric's answers have it."""
    score: int | None
    """The score on the rubric's scale; null where the judge gave no usable one."""
    given: str | None
    """What the judge wrote as the score, before it was mapped to the scale; null for nothing."""
    reason: str | None
    """Why, in the judge's words; null when it gives no reason."""


class ScoreRow(Value):
    """One answer of a build as one judge scores it; rows of the build never change by it."""

    row_id: str
    """The judged row's id and the judge's, `corpus/name/humdial_t1:HASH`."""
    schema_version: int = SCHEMA_VERSION
    """Version of the row layout."""
    table: str
    """Table of the judged row."""
    judged_row_id: str
    """Id of the judged row."""
    judged_sha256: str
    """SHA-256 of the judged answer: where the row has another one now, the score is of old."""
    dialogue_id: str
    """`corpus/name`."""
    language: Language
    """Language that is spoken."""
    split: str
    """Split of the judged row."""
    task: JudgedTask
    """Task that is judged."""
    judge_id: str
    """Engine that judged, with model and revision."""
    is_self: bool
    """Whether the same model wrote what it judges."""
    rubric_id: str
    """Rubric, as name@version.language, or the name of a user's file."""
    rubric_sha256: str
    """SHA-256 of the rubric's text."""
    is_own_rubric: bool
    """Whether the rubric is the one of this package, which is not the official one."""
    sampling: str
    """How answers were drawn, as canonical JSON."""
    dimensions: tuple[DimensionCell, ...]
    """The dimensions in the order of the rubric."""
    mean: float | None
    """Mean of the scores; null for an answer of the judge that could not be used."""
    comment: str | None
    """What the judge says of the whole; null when nothing."""
    failure: str | None
    """Why there are no scores, as a code (docs/codes.md); null when there are."""
    response_keys: tuple[str, ...]
    """Keys of the stored answers of the judge, in the order in which they were asked."""
