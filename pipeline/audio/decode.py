"""A span of audio as mono float32 samples at 16 kHz, whatever file it lies in."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import librosa
import numpy as np
import soxr

from ieat.pipeline.audio.reading import AudioFile, Passage, UnreadableError, read_file
from ieat.pipeline.audio.source import SourceFile, open_source
from ieat.pipeline.failures import BadAudio
from ieat.pipeline.ports import Samples
from ieat.schemas.audio import AudioSpan

SAMPLE_RATE = 16_000
"""Rate of all decoded sound, Hz."""

DECODE_VERSION: int = 1
"""Part of every store key that names sound: raised when a span of the same bytes comes to mean
other samples (limits, channel mix, mending), never when a library decodes slightly otherwise."""

MAX_SPAN = 600.0
"""Longest span that is decoded into memory, seconds."""

END_TOLERANCE = 0.1
"""Time by which a span may end after its file, seconds; corpora round."""

FULL_SCALE = 0.98
"""Absolute sample from which sound counts as clipped: mu-law and 8 bits never reach 1."""

BEYOND_FULL_SCALE = 1.12
"""Peak from which sound is flagged `beyond_full_scale`; lossy codecs overshoot by up to 1 dB."""

MAX_MENDED = 0.01
"""Share of samples that are no numbers up to which they are replaced by zeros."""

CACHED_BYTES = 128 << 20
"""Decoded sound that is kept per process."""


@dataclass(frozen=True)
class DecodedSpan:
    """Samples of a span, and what was seen at the rate of the source."""

    samples: Samples
    """Mono float32 at 16 kHz; beyond -1 to 1 where a float file goes beyond full scale."""
    source_rate: int
    """Sampling rate of the source, Hz."""
    start_sample: int
    """First sample, at the rate of the source."""
    end_sample: int
    """Sample after the last one, at the rate of the source."""
    peak: float
    """Highest absolute sample of the source."""
    clipped: float
    """Share of the source's samples at full scale."""
    flags: frozenset[str]
    """What is odd, as codes (docs/codes.md)."""


def decode_span(span: AudioSpan) -> Samples:
    """Return the span as mono float32 samples at 16 kHz, cut first and resampled by itself.

    Float files beyond full scale keep their values; writers scale them down.

    Raises:
        BadAudio: The span cannot be found, decoded or held in memory.
    """
    return decode(span).samples


def decode(span: AudioSpan) -> DecodedSpan:
    """Decode a span, or give what was decoded of it lately; the samples are read-only.

    Raises:
        BadAudio: The span cannot be found, decoded or held in memory.
    """
    with open_source(span.uri) as source:
        found = _DECODED.get((source, span))
        if found is None:
            try:
                found = read_file(source, lambda file: _decode(file, span))
            except UnreadableError as error:
                raise BadAudio("audio_undecodable", f"{span.uri}: {error}") from error
            _DECODED.put((source, span), found)
        return found


def decode_blocks(file: AudioFile, channel: int | None) -> Iterator[Samples]:
    """Yield a whole file at 16 kHz in blocks, in bounded memory; for finding speech in it.

    Raises:
        UnreadableError: The decoder fails.
    """
    passage = Passage(file, 0, None, channel)
    if file.rate == SAMPLE_RATE:
        for block in passage.blocks():
            yield _mend(block)[0]
        return
    stream = soxr.ResampleStream(file.rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")
    for block in passage.blocks():
        yield stream.resample_chunk(_mend(block)[0])
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _decode(file: AudioFile, span: AudioSpan) -> DecodedSpan:
    check_channel(file, span.channel, span.uri)
    start = round(span.start * file.rate)
    end = None if span.end is None else round(span.end * file.rate)
    passage = Passage(file, start, end, span.channel)
    limit = int(MAX_SPAN * file.rate)
    blocks: list[Samples] = []
    total = 0
    if end is not None and end - start > limit:
        raise _too_long(span)
    for block in passage.blocks():
        total += len(block)
        if total > limit:
            raise _too_long(span)
        blocks.append(block)
    if not total:
        if start:
            raise BadAudio(
                "span_outside_file",
                f"{span.uri}: the file ends before {span.start} s; mend the times",
            )
        raise BadAudio("audio_empty", f"{span.uri}: the file holds no samples; record it again")
    if end is not None and start + total < end:
        missing = (end - start - total) / file.rate
        # A damaged file keeps what is left of its spans; in a whole one the times are wrong.
        if missing > END_TOLERANCE and not passage.flags & {"truncated", "damaged"}:
            raise BadAudio(
                "span_outside_file",
                f"{span.uri}: the span ends at {span.end} s, the file {missing:.2f} s earlier; "
                "mend the times",
            )
    return _finish(np.concatenate(blocks), file.rate, start, passage.flags, span)


def _finish(raw: Samples, rate: int, start: int, flags: set[str], span: AudioSpan) -> DecodedSpan:
    mended, share = _mend(raw)
    if share > MAX_MENDED:
        raise BadAudio(
            "audio_not_finite",
            f"{span.uri}: {share:.0%} of the samples are NaN or infinite; write the file again",
        )
    magnitudes = np.abs(mended)
    peak = float(magnitudes.max())
    sound_flags = set(flags)
    if share:
        sound_flags.add("mended")
    if rate < SAMPLE_RATE:
        sound_flags.add("narrowband")
    if peak > BEYOND_FULL_SCALE:
        sound_flags.add("beyond_full_scale")
    samples = mended
    if rate != SAMPLE_RATE:
        samples = librosa.resample(
            mended, orig_sr=rate, target_sr=SAMPLE_RATE, res_type="soxr_hq"
        ).astype(np.float32, copy=False)
    samples.flags.writeable = False
    return DecodedSpan(
        samples=samples,
        source_rate=rate,
        start_sample=start,
        end_sample=start + len(raw),
        peak=peak,
        clipped=float(np.mean(magnitudes >= FULL_SCALE)),
        flags=frozenset(sound_flags),
    )


def check_channel(file: AudioFile, channel: int | None, uri: str) -> None:
    """Raise `BadAudio` when the file has no such channel."""
    if channel is not None and channel >= file.channels:
        raise BadAudio(
            "channel_missing",
            f"{uri}: there is no channel {channel}, the file has {file.channels} (the first is 0)",
        )


def _mend(samples: Samples) -> tuple[Samples, float]:
    """Replace what is no number by zeros; return the share that was."""
    is_finite = np.isfinite(samples)
    if is_finite.all():
        return samples, 0.0
    return np.where(is_finite, samples, np.float32(0.0)), float(1.0 - is_finite.mean())


def _too_long(span: AudioSpan) -> BadAudio:
    return BadAudio(
        "audio_too_long",
        f"{span.uri}: the span is longer than {MAX_SPAN:.0f} s; give each turn its start and end, "
        "or read a two-channel recording with the layout `call`",
    )


class _DecodedSpans:
    """The spans decoded last, within a number of bytes; safe among threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._spans: OrderedDict[tuple[SourceFile, AudioSpan], DecodedSpan] = OrderedDict()
        self._bytes = 0

    def get(self, key: tuple[SourceFile, AudioSpan]) -> DecodedSpan | None:
        with self._lock:
            if key in self._spans:
                self._spans.move_to_end(key)
            return self._spans.get(key)

    def put(self, key: tuple[SourceFile, AudioSpan], decoded: DecodedSpan) -> None:
        with self._lock:
            if key in self._spans:
                return
            self._spans[key] = decoded
            self._bytes += decoded.samples.nbytes
            while self._bytes > self._max_bytes:
                _, oldest = self._spans.popitem(last=False)
                self._bytes -= oldest.samples.nbytes


_DECODED = _DecodedSpans(CACHED_BYTES)  # per process: measuring, recognizing, writing decode once
