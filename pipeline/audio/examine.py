"""What a stage may know of the sound of a turn: which samples, how long, how loud, what is odd."""

import numpy as np

from ieat.pipeline.audio.decode import SAMPLE_RATE, DecodedSpan, decode
from ieat.pipeline.audio.level import OFFSET, QUIET, decibels, even_level, level, mean
from ieat.pipeline.audio.noise import estimate_snr
from ieat.pipeline.audio.prosody import measure_prosody
from ieat.pipeline.audio.source import hash_file, open_source
from ieat.pipeline.audio.voice_activity import find_speech
from ieat.pipeline.failures import BadAudio
from ieat.schemas.audio import AudioSpan, Sound

MIN_DURATION = 0.1
"""Shortest sound that can hold a word, seconds."""

SHORT = 0.5
"""Duration under which a turn is flagged `short`, seconds."""

SILENCE = 2.5 / 32768
"""Deviation from the mean up to which there is digital silence: two steps of 16 bits."""

CLIPPED = 0.001
"""Share of samples at full scale from which a turn is flagged `clipped`."""


def examine(span: AudioSpan) -> Sound:
    """Decode a span once and measure it.

    Sound without a voice is flagged `no_speech`, digital silence is refused: a recognizer may
    put words into both.

    Raises:
        BadAudio: The span cannot be found, decoded or used.
    """
    with open_source(span.uri) as source:
        digest = hash_file(source)
        decoded = decode(span)
    return measure(span, decoded, digest)


def measure(span: AudioSpan, decoded: DecodedSpan, digest: str) -> Sound:
    """Measure decoded samples.

    Raises:
        BadAudio: `audio_too_short` or `audio_silent`.
    """
    samples = decoded.samples
    duration = len(samples) / SAMPLE_RATE
    if duration < MIN_DURATION:
        raise BadAudio(
            "audio_too_short",
            f"{span.uri}: {duration * 1000:.0f} ms can hold no word; "
            "leave the turn out or mend its times",
        )
    offset = mean(samples)
    if float(np.abs(samples - np.float32(offset)).max()) <= SILENCE:
        raise BadAudio(
            "audio_silent",
            f"{span.uri}: digital silence; leave the turn out or give its right file",
        )
    loudness = level(samples)
    found = find_speech(even_level(samples), min_speech=0.1, min_silence=0.1, pad=0.0)
    speech = sum(end - start for start, end in found)
    snr = estimate_snr(samples, found)
    flags = set(decoded.flags)
    for flag, holds in (
        ("short", duration < SHORT),
        ("quiet", loudness < QUIET),
        ("clipped", decoded.clipped > CLIPPED),
        ("dc_offset", abs(offset) > OFFSET),
        ("no_speech", speech == 0),
    ):
        if holds:
            flags.add(flag)
    return Sound(
        source_sha256=digest,
        source_rate=decoded.source_rate,
        channel=span.channel,
        start_sample=decoded.start_sample,
        end_sample=decoded.end_sample,
        duration=duration,
        speech=round(speech, 3),
        level=round(loudness, 2),
        peak=round(decibels(decoded.peak), 2),
        clipped=round(decoded.clipped, 6),
        prosody=measure_prosody(samples),
        snr=None if snr is None else round(snr, 1),
        flags=tuple(sorted(flags)),
    )
