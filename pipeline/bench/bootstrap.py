"""Figures over dialogues with bootstrap intervals, and differences of two on the same resamples."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

RESAMPLES = 2000
"""Resamples of an interval where nothing else is said."""
SEED = 20240607
"""Seed of all resamples: the same file gives the same intervals."""
COVERAGE = 95.0
"""Percent of resamples between the ends of an interval."""

Floats = npt.NDArray[np.float64]
Figure = Callable[[Floats], Floats]
"""Makes a figure of summed counts, shape (..., groups, 3) to (...)."""


class Interval(NamedTuple):
    """A figure of the whole file, and where it lies in most resamples."""

    value: float | None
    """The figure of the whole file; null where nothing is there to measure."""
    low: float | None
    """2.5th percentile of the resamples."""
    high: float | None
    """97.5th percentile of the resamples."""


class Resamples:
    """Draws of as many dialogues as there are, with replacement (Efron 1979).

    Whole dialogues are drawn: their turns are no independent observations.

    Args:
        num_dialogues: Dialogues of the file.
        num_resamples: How many draws.
        seed: Seed of the draws.
    """

    def __init__(
        self, num_dialogues: int, num_resamples: int = RESAMPLES, seed: int = SEED
    ) -> None:
        draws = np.random.default_rng(seed)
        even = [1 / num_dialogues] * num_dialogues
        self._times = draws.multinomial(num_dialogues, even, size=num_resamples).astype(np.float64)

    def interval(self, counts: Floats, figure: Figure) -> Interval:
        """Return a figure with its interval.

        Args:
            counts: Shape (dialogues, groups, 3): right, found and wanted of each dialogue.
            figure: Makes a figure of their sums.
        """
        return _interval(self._whole(counts, figure), self._drawn(counts, figure))

    def difference(self, counts: Floats, others: Floats, figure: Figure) -> Interval:
        """Return by how much a figure is above that of others, both on the same draws."""
        return _interval(
            self._whole(counts, figure) - self._whole(others, figure),
            self._drawn(counts, figure) - self._drawn(others, figure),
        )

    def _whole(self, counts: Floats, figure: Figure) -> float:
        return float(figure(counts.sum(axis=0)))

    def _drawn(self, counts: Floats, figure: Figure) -> Floats:
        return figure(np.tensordot(self._times, counts, axes=1))


def _interval(whole: float, drawn: Floats) -> Interval:
    if np.isnan(whole):
        return Interval(None, None, None)
    side = (100.0 - COVERAGE) / 2
    low, high = np.nanpercentile(drawn, [side, 100.0 - side])
    return Interval(whole, float(low), float(high))


def precision(sums: Floats) -> Floats:
    """Return the share of what was found that is right, over all groups; NaN if nothing was."""
    total = sums.sum(axis=-2)
    return _ratio(total[..., 0], total[..., 1])


def recall(sums: Floats) -> Floats:
    """Return the share of what is wanted that was found, over all groups; NaN if nothing is."""
    total = sums.sum(axis=-2)
    return _ratio(total[..., 0], total[..., 2])


def f1(sums: Floats) -> Floats:
    """Return the harmonic mean of precision and recall over all groups; NaN if both are empty."""
    return _f1(sums.sum(axis=-2))


def macro_f1(sums: Floats) -> Floats:
    """Return the mean of the F1 of the groups that are wanted at all."""
    each = np.where(sums[..., 2] > 0, _f1(sums), np.nan)
    num_wanted = (sums[..., 2] > 0).sum(axis=-1)
    return _ratio(np.nansum(each, axis=-1), num_wanted.astype(np.float64))


def weighted_f1(sums: Floats) -> Floats:
    """Return the mean of the F1 of the groups, each weighted by how much of it is wanted."""
    each = np.nan_to_num(_f1(sums))
    wanted = sums[..., 2]
    return _ratio((each * wanted).sum(axis=-1), wanted.sum(axis=-1))


def _f1(sums: Floats) -> Floats:
    return _ratio(2 * sums[..., 0], sums[..., 1] + sums[..., 2])


def _ratio(part: Floats, whole: Floats) -> Floats:
    result = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=result, where=np.asarray(whole) > 0)
    return result
