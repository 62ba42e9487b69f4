"""A judge's answer to scores on the rubric's scale, and scores to figures.

The mapping is the one of HumDial's scorers (github.com/ASLP-lab/Hum-Dial, `eval_task1.py` to
`eval_task3.py`): what is no integer counts as 1, tasks T1 and T2 know 1, 3 and 5 only, T3 knows 1
to 5. They leave answers that cannot be read out of their means; here those are counted, and a
second mean has them at the lowest score.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from ieat.schemas.score_rows import DimensionCell, JudgedTask, ScoreRow

DIMENSIONS: dict[JudgedTask, tuple[str, ...]] = {
    "t1": ("Accuracy_Completeness", "Depth_Granularity", "Added_Value"),
    "t2": ("Information_Integration", "Insight_RootCause", "Clarity_Logic"),
    "t3": ("textual_empathy_insight",),
}
"""Keys of the scores by task. Of T3 only the words are judged: the other two need the sound."""

LOWEST = 1
"""Lowest score of every scale."""


class ScoresForm(BaseModel):
    """A judge's answer, whatever reasons it gives and in whatever shape."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    scores: dict[str, Any]
    justification: Any = None
    overall_comment: Any = None


class Figure(NamedTuple):
    """One line of figures."""

    name: str
    """Dimension, or `overall` for all of them pooled."""
    num_scored: int
    """Judged answers with scores."""
    num_failed: int
    """Judged answers without: the judge was not understood, or not answered."""
    mean: float | None
    """Mean over the scored ones; null without any."""
    mean_with_failures: float | None
    """Mean where each failed one has the lowest score; null when nothing was judged."""


def map_score(given: Any, task: JudgedTask) -> int:
    """Return a score on the scale of a task; what is no integer counts as the lowest."""
    try:
        score = int(given)
    except (TypeError, ValueError, OverflowError):
        return LOWEST
    if task == "t3":
        return max(LOWEST, min(5, score))
    return 1 if score <= 2 else 3 if score <= 4 else 5


def read_dimensions(form: ScoresForm, task: JudgedTask) -> tuple[DimensionCell, ...]:
    """Return the dimensions of a task as a judge scored them; a missing one counts as lowest."""
    cells = []
    for name in DIMENSIONS[task]:
        given = form.scores.get(name)
        cells.append(
            DimensionCell(
                name=name,
                score=map_score(given, task),
                given=None if given is None else _as_text(given),
                reason=_reason(form.justification, name),
            )
        )
    return tuple(cells)


def _reason(justification: object, name: str) -> str | None:
    """Find the reason of a dimension: under its name, or its name with `_reason`."""
    if isinstance(justification, str):
        return justification or None
    if not isinstance(justification, dict):
        return None
    for key in (name, f"{name}_reason"):
        if isinstance(justification.get(key), str):
            return str(justification[key]) or None
    return None


def _as_text(given: object) -> str:
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


def mean_score(dimensions: Sequence[DimensionCell]) -> float | None:
    """Return the mean of the scores of one answer; null without any."""
    scores = [cell.score for cell in dimensions if cell.score is not None]
    return sum(scores) / len(scores) if scores else None


def figures(rows: Sequence[ScoreRow], task: JudgedTask) -> list[Figure]:
    """Return a line for each dimension, and one for all scores pooled, as HumDial's scorers do."""
    scored = [row for row in rows if row.failure is None]
    num_failed = len(rows) - len(scored)
    pooled: list[int] = []
    found = []
    for place, name in enumerate(DIMENSIONS[task]):
        scores = [score for row in scored if (score := row.dimensions[place].score) is not None]
        pooled += scores
        found.append(_figure(name, scores, len(scored), num_failed, num_failed))
    if len(found) > 1:
        num_lowest = num_failed * len(found)
        found.append(_figure("overall", pooled, len(scored), num_failed, num_lowest))
    return found


def _figure(
    name: str, scores: Sequence[int], num_scored: int, num_failed: int, num_lowest: int
) -> Figure:
    total = len(scores) + num_lowest
    return Figure(
        name=name,
        num_scored=num_scored,
        num_failed=num_failed,
        mean=sum(scores) / len(scores) if scores else None,
        mean_with_failures=(sum(scores) + LOWEST * num_lowest) / total if total else None,
    )
