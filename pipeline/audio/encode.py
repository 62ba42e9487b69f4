"""Samples as files: the clips that rows hold and that endpoints get."""

import io

import numpy as np
import numpy.typing as npt
import soundfile

from ieat.pipeline.audio.decode import SAMPLE_RATE
from ieat.pipeline.ports import Samples


def to_flac(samples: Samples) -> bytes:
    """Return mono float32 samples at 16 kHz as a 16-bit FLAC file, always the same bytes.

    Sound beyond full scale is scaled down as a whole; it is neither cut off nor wrapped.
    """
    return _write(samples, "FLAC")


def to_wav(samples: Samples) -> bytes:
    """Return mono float32 samples at 16 kHz as a 16-bit WAV file; scaled like `to_flac`."""
    return _write(samples, "WAV")


def _write(samples: Samples, container: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, _to_16_bits(samples), SAMPLE_RATE, format=container, subtype="PCM_16")
    return buffer.getvalue()


def _to_16_bits(samples: Samples) -> npt.NDArray[np.int16]:
    """Quantize so that samples read from 16 bits come back exactly."""
    peak = float(np.abs(samples).max(initial=0.0))
    if peak > 1.0:
        samples = samples / np.float32(peak)
    scaled = np.clip(np.rint(samples * 32768.0), -32768, 32767)
    return np.asarray(scaled, dtype=np.int16)
