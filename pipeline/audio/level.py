"""Sound as engines hear it best; what is stored and written stays as it was recorded."""

import numpy as np

from ieat.pipeline.ports import Samples

QUIET = -45.0
"""Level under which sound is raised, dBFS; models of voice and speech hear little below it."""

OFFSET = 0.02
"""Mean of the samples from which it is taken away."""

RAISED_PEAK = 0.5
"""Highest absolute sample of a raised sound."""

FLOOR = -120.0
"""Lowest level that is given, dBFS."""


def even_level(samples: Samples) -> Samples:
    """Return the samples without a constant offset, raised where quiet; most come back as they are.

    For recognizers and voice activity only: prosody and rows take the sound as it is.
    """
    offset = mean(samples)
    if abs(offset) > OFFSET:
        samples = samples - np.float32(offset)
    if level(samples) < QUIET:
        peak = float(np.abs(samples - np.float32(mean(samples))).max(initial=0.0))
        if peak > 0:
            samples = (samples - np.float32(mean(samples))) * np.float32(RAISED_PEAK / peak)
    return samples


def mean(samples: Samples) -> float:
    """Return the constant offset."""
    return float(samples.mean(dtype=np.float64)) if len(samples) else 0.0


def level(samples: Samples) -> float:
    """Return the root mean square level about the mean, dBFS."""
    if not len(samples):
        return FLOOR
    return decibels(float(np.sqrt(np.mean((samples.astype(np.float64) - mean(samples)) ** 2))))


def decibels(amplitude: float) -> float:
    """Return an amplitude in dBFS, not below the floor."""
    return max(20 * float(np.log10(max(amplitude, 1e-9))), FLOOR)
