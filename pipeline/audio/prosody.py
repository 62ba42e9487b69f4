"""How a voice sounds: level, pitch, range and tilt of the voiced part of one turn."""

import librosa
import numpy as np
import numpy.typing as npt

from ieat.pipeline.audio.decode import SAMPLE_RATE
from ieat.pipeline.ports import Samples
from ieat.schemas.audio import Prosody

FRAME = 1024
"""Samples of an analysis frame: 64 ms, four periods of the lowest pitch."""

HOP = 256
"""Samples between two frames: 16 ms."""

MIN_PITCH = 60.0
"""Lowest pitch that is looked for, Hz."""

MAX_PITCH = 500.0
"""Highest pitch that is looked for, Hz."""

MIN_PERIODICITY = 0.6
"""Correlation of a frame with itself one period later from which it counts as voiced."""

MAX_BELOW_LOUD = 30.0
"""How far below the loud frames (their 95th percentile) a voiced frame may lie, dB."""

MIN_FRAMES = 8
"""Voiced frames under which nothing is said of the voice: 0.13 s."""

TILT_LIMIT = 1000.0
"""Frequency that divides low from high energy, Hz."""

UNMEASURED = Prosody(level=None, pitch=None, pitch_range=None, tilt=None)
"""What is said of a sound without voice."""


def measure_prosody(samples: Samples) -> Prosody:
    """Measure the voiced frames of mono float32 samples at 16 kHz; all null without voice.

    Values are rounded, so that libraries which differ in the last bits give the same record.
    """
    if len(samples) < FRAME:
        return UNMEASURED
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP].astype(np.float64)
    frames = frames - frames.mean(axis=1, keepdims=True)
    power = (frames**2).mean(axis=1)
    loud = np.percentile(power, 95)
    if loud <= 1e-12:
        return UNMEASURED
    pitch = librosa.yin(
        samples,
        fmin=MIN_PITCH,
        fmax=MAX_PITCH,
        sr=SAMPLE_RATE,
        frame_length=FRAME,
        hop_length=HOP,
        center=False,
    )
    is_voiced = (
        (power > loud * 10 ** (-MAX_BELOW_LOUD / 10))
        & (_periodicity(frames, pitch) >= MIN_PERIODICITY)
        # At its limits the search has found no period of the voice but its own border.
        & (pitch > MIN_PITCH * 1.02)
        & (pitch < MAX_PITCH * 0.98)
    )
    if is_voiced.sum() < MIN_FRAMES:
        return UNMEASURED
    voiced = pitch[is_voiced]
    low, high = np.percentile(voiced, [10, 90])
    return Prosody(
        level=_round(10 * np.log10(power[is_voiced].mean()), 2),
        pitch=_round(np.median(voiced), 1),
        pitch_range=_round(12 * np.log2(high / low), 2),
        tilt=_round(_tilt(frames[is_voiced]), 2),
    )


def _periodicity(
    frames: npt.NDArray[np.float64], pitch: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Correlate each frame with itself one period later; shape (num_frames,)."""
    lags = np.rint(SAMPLE_RATE / pitch).astype(int)
    length = FRAME - int(np.ceil(SAMPLE_RATE / MIN_PITCH)) - 1
    index = np.arange(length)
    here = frames[:, :length]
    later = np.take_along_axis(frames, lags[:, None] + index[None, :], axis=1)
    energy = np.sqrt((here**2).sum(axis=1) * (later**2).sum(axis=1))
    return np.asarray((here * later).sum(axis=1) / np.maximum(energy, 1e-12))


def _tilt(frames: npt.NDArray[np.float64]) -> float:
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(FRAME), axis=1)) ** 2
    border = int(TILT_LIMIT * FRAME / SAMPLE_RATE)
    low, high = spectrum[:, 1:border].sum(), spectrum[:, border:].sum()
    return float(10 * np.log10(max(high, 1e-12) / max(low, 1e-12)))


def _round(value: float, digits: int) -> float:
    return round(float(value), digits)
