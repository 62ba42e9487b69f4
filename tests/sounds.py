"""Builders of audio files for tests: tones, and the shipped recordings as samples."""

import struct
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile

from ieat.pipeline.audio.decode import decode_span
from ieat.pipeline.ports import Samples
from ieat.schemas.audio import AudioSpan

HOSTILE = Path(__file__).parent / "data" / "hostile"
QUEEN = Path(__file__).parent / "data" / "queen"


@lru_cache
def speech() -> Samples:
    """Return 11 s of real speech at 16 kHz."""
    return decode_span(AudioSpan(uri=str(HOSTILE / "ok_mulaw8k.wav")))


def tone(seconds: float, pitch: float = 200.0, level: float = 0.3, rate: int = 16_000) -> Samples:
    """Return a buzz with ten harmonics, as a voice has them."""
    times = np.arange(round(seconds * rate)) / rate
    parts = [
        np.sin(2 * np.pi * pitch * k * times) / k for k in range(1, 11) if pitch * k < rate / 2
    ]
    return np.asarray(level * sum(parts) / 2, dtype=np.float32)


def write(
    path: Path,
    samples: Samples,
    rate: int = 16_000,
    container: str | None = None,
    subtype: str | None = None,
) -> str:
    """Write a file, make its folders, and return its path as text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, format=container, subtype=subtype)
    return str(path)


def wav_bytes(
    samples: Samples,
    *,
    kind: int = 1,
    channels: int = 1,
    rate: int = 16_000,
    bits: int = 16,
    data_size: int | None = None,
    riff_size: int | None = None,
) -> bytes:
    """Return a 16-bit WAV whose header may lie."""
    data = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    block = channels * bits // 8
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + len(data) if riff_size is None else riff_size,
        b"WAVE",
        b"fmt ",
        16,
        kind,
        channels,
        rate,
        rate * block % 2**32,
        block % 2**16,
        bits,
        b"data",
        len(data) if data_size is None else data_size,
    )
    return header + data
