"""How far a voice stands above the noise around it."""

from collections.abc import Sequence

import numpy as np

from ieat.pipeline.audio.decode import SAMPLE_RATE
from ieat.pipeline.ports import Samples

FRAME = 512
"""Samples of a frame: 32 ms, as voice activity judges."""

MARGIN = 2
"""Frames around speech that count as neither: a voice fades in and out."""

MIN_FLOOR = 4
"""Fewest frames of pause that a noise floor is read from."""

QUIETEST = 0.1
"""Share of all frames whose level is the floor where no pause is long enough."""

RANGE = (-10.0, 60.0)
"""Lowest and highest estimate, dB; digital silence between words has no noise to measure."""


def estimate_snr(samples: Samples, speech: Sequence[tuple[float, float]]) -> float | None:
    """Estimate the ratio of voice to noise, dB.

    Voice is the mean power of the frames in which voice activity was found, less the noise; noise
    is the median power of those at least two frames away from any speech. Where there are fewer
    than four of these, it is the power that a tenth of all frames stays under, a percentile as in
    the quick algorithm of NIST's `stnr`: too high for speech without any pause, so that the
    estimate is too low there.

    Args:
        samples: Mono float32 at 16 kHz.
        speech: Stretches of speech as (start, end) in seconds, in order.

    Returns:
        Decibels within `RANGE`; null without speech, or for sound too short for a frame.
    """
    count = len(samples) // FRAME
    if count == 0 or not speech:
        return None
    frames = samples[: count * FRAME].astype(np.float64).reshape(count, FRAME)
    power = ((frames - frames.mean(axis=1, keepdims=True)) ** 2).mean(axis=1)
    is_voice, is_near = np.zeros(count, bool), np.zeros(count, bool)
    for start, end in speech:
        first = int(start * SAMPLE_RATE // FRAME)
        last = int(np.ceil(end * SAMPLE_RATE / FRAME))
        is_voice[first:last] = True
        is_near[max(first - MARGIN, 0) : last + MARGIN] = True
    if not is_voice.any():
        return None
    pauses = power[~is_near]
    floor = float(np.median(pauses) if len(pauses) >= MIN_FLOOR else np.quantile(power, QUIETEST))
    voice = max(float(power[is_voice].mean()) - floor, 1e-12)
    return float(np.clip(10 * np.log10(voice / max(floor, 1e-12)), *RANGE))
