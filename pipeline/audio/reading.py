"""Samples of a file at its own rate: soundfile where it can, else PyAV, told by the content."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache, partial
from typing import TypeVar

import av
import numpy as np
import numpy.typing as npt
import soundfile

from ieat.pipeline.audio.containers import WrongHeaderError, header_flags
from ieat.pipeline.audio.source import SourceFile
from ieat.pipeline.ports import Samples

BLOCK_FRAMES = 1 << 18
"""Frames decoded at a time; bounds the memory of long files."""

MAX_RATE = 768_000
"""Highest sampling rate that is believed, Hz."""

MAX_CHANNELS = 64
"""Most channels that are believed."""

MAX_BAD_PACKETS = 1000
"""Broken packets in a row after which a file is given up."""

GAP = 0.02
"""Jump of the time stamps, seconds, from which samples are missing rather than rounded."""

SEEK_FROM = 20.0
"""Start of a span, seconds, from which seeking pays in files that PyAV reads."""

TIMED_FORMATS = frozenset({"mov", "matroska", "flac", "asf", "ogg"})
"""Containers whose header states a duration that can be trusted to show a cut."""

OLD_TAGS = int(av.__version__.partition(".")[0]) < 19
"""Whether this PyAV must be told to forgive tags that are not UTF-8; later ones always do."""

T = TypeVar("T")


class UnreadableError(Exception):
    """This decoder cannot read the file; the message says why."""


@dataclass(frozen=True)
class AudioFile:
    """What one decoder makes of a file's header."""

    source: SourceFile
    """The file."""
    is_soundfile: bool
    """Whether soundfile reads it; else PyAV does."""
    rate: int
    """Sampling rate, Hz."""
    channels: int
    """Number of channels."""
    num_frames: int | None
    """Frames, as far as the header can be trusted; null when only decoding tells."""
    origin: Fraction = Fraction(0)
    """Time stamp of the first sample, seconds; 0 for soundfile."""
    flags: frozenset[str] = frozenset()
    """What is odd about the file, as codes (docs/codes.md)."""


@dataclass
class Passage:
    """Frames of one file from start to end, and what came up while reading them."""

    file: AudioFile
    start: int
    """First frame."""
    end: int | None
    """Frame after the last one; null means the end of the file."""
    channel: int | None
    """0-based channel; null means the mean."""
    flags: set[str] = field(default_factory=set)
    """Filled while reading: `truncated`, `damaged`."""

    def blocks(self) -> Iterator[Samples]:
        """Yield mono float32 blocks at the rate of the file.

        Raises:
            UnreadableError: The decoder fails, or gives fewer frames than the header promised.
        """
        self.flags |= self.file.flags
        if self.file.is_soundfile:
            return _read_soundfile(self)
        return _read_av(self)


def read_file(source: SourceFile, work: Callable[[AudioFile], T]) -> T:
    """Do the work with soundfile; when it fails, do the whole of it again with PyAV.

    Starting again keeps positions right: a decoder that lost frames does not know where it is.

    Raises:
        UnreadableError: No decoder can read the file.
    """
    first = describe(source)
    if not first.is_soundfile:
        return work(first)
    try:
        return work(first)
    except UnreadableError:
        second = _describe_av(source)
        seconds = Fraction(first.num_frames or 0, first.rate)
        promised = round(seconds * second.rate) if seconds else second.num_frames
        return work(replace(second, num_frames=promised, flags=first.flags | second.flags))


@lru_cache(maxsize=4096)
def describe(source: SourceFile) -> AudioFile:
    """Read the header, by soundfile, else by PyAV.

    Raises:
        UnreadableError: No decoder can read the file.
    """
    try:
        flags = header_flags(source.path)
    except WrongHeaderError as error:
        raise UnreadableError(str(error)) from error
    refusal = ""
    empty = None
    try:
        with _open_soundfile(source) as opened:
            seen = AudioFile(
                source, True, opened.samplerate, opened.channels, opened.frames, flags=flags
            )
            if not opened.frames:
                empty = seen
            elif not (opened.format == "OGG" and "concatenated" in flags):
                return seen
    except soundfile.LibsndfileError as error:
        refusal = f"; soundfile says: {error.error_string.rstrip('.')}"
    try:
        described = _describe_av(source)
    except UnreadableError as error:
        if empty is not None:
            return empty
        raise UnreadableError(f"{error}{refusal}{_guess(source)}") from error
    if empty is not None:
        # Encoders that were cut off leave a length of 0, although samples follow.
        flags |= {"wrong_header"}
    return replace(described, flags=flags | described.flags)


def _guess(source: SourceFile) -> str:
    """Say what the file is instead, where its first bytes tell."""
    with open(source.path, "rb") as file:
        head = file.read(512).lstrip().lower()
    if not head:
        return "; the file is empty"
    if head.startswith(b"version https://git-lfs"):
        return "; this is a Git LFS pointer: run `git lfs pull`"
    if head.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "; this is a web page: fetch the file itself"
    return ""


class _open_soundfile:  # noqa: N801 - used as a function
    """Open by file descriptor, so that the name's extension has no say."""

    def __init__(self, source: SourceFile) -> None:
        self._descriptor = os.open(source.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))

    def __enter__(self) -> soundfile.SoundFile:
        try:
            self._opened = soundfile.SoundFile(self._descriptor, closefd=False)
        except BaseException:
            os.close(self._descriptor)
            raise
        return self._opened

    def __exit__(self, *_: object) -> None:
        self._opened.close()
        os.close(self._descriptor)


def _read_soundfile(passage: Passage) -> Iterator[Samples]:
    file = passage.file
    total = file.num_frames or 0
    end = total if passage.end is None else min(passage.end, total)
    position = 0
    try:
        with _open_soundfile(file.source) as opened:
            if opened.seekable() and passage.start:
                position = opened.seek(passage.start)
            while position < end:
                wanted = min(BLOCK_FRAMES, end - position)
                block = opened.read(wanted, dtype="float32", always_2d=True)
                if not len(block):
                    raise UnreadableError(f"it ends at {position / file.rate:.2f} s")
                skipped = max(0, passage.start - position)
                position += len(block)
                if skipped < len(block):
                    yield _mix(block[skipped:], passage.channel)
    except soundfile.LibsndfileError as error:
        raise UnreadableError(error.error_string) from error


def _mix(block: npt.NDArray[np.float32], channel: int | None) -> Samples:
    """Take one channel, or the mean; block has the shape (frames, channels)."""
    if channel is not None:
        if channel >= block.shape[1]:
            raise UnreadableError(f"it has only {block.shape[1]} channels from some point on")
        return np.ascontiguousarray(block[:, channel])
    if block.shape[1] == 1:
        return np.ascontiguousarray(block[:, 0])
    return np.asarray(block.mean(axis=1), dtype=np.float32)


def _describe_av(source: SourceFile) -> AudioFile:
    """Decode the first frame: what the header says of rate and layout may be wrong."""
    with _open_av(source) as container:
        stream = _audio_stream(container)
        for frame in _frames(container, stream, set()):
            if not 0 < frame.sample_rate <= MAX_RATE:
                raise UnreadableError(f"its sampling rate is {frame.sample_rate} Hz")
            channels = frame.layout.nb_channels
            if not 0 < channels <= MAX_CHANNELS:
                raise UnreadableError(f"it has {channels} channels")
            origin = _time(frame) or Fraction(0)
            is_timed = bool(TIMED_FORMATS & set(container.format.name.split(",")))
            length = None
            if stream.duration and stream.time_base:
                length = stream.duration * stream.time_base
            elif container.duration:
                length = Fraction(container.duration, 1_000_000)
            frames = round(length * frame.sample_rate) if is_timed and length else None
            return AudioFile(source, False, frame.sample_rate, channels, frames, origin)
    raise UnreadableError("it holds no samples")


class _open_av:  # noqa: N801 - used as a function
    """Open a container from an open file, so that no other file or address can be reached."""

    def __init__(self, source: SourceFile) -> None:
        self._file = open(source.path, "rb")  # noqa: SIM115 - closed in __exit__

    def __enter__(self) -> "av.container.InputContainer":
        # Typed loosely: each version of PyAV knows other arguments.
        opens: Callable[..., av.container.InputContainer] = av.open
        if OLD_TAGS:
            opens = partial(opens, metadata_errors="replace")
        try:
            # A playlist must not open the files and addresses that it names.
            self._container = opens(self._file, mode="r", options={"protocol_whitelist": "pipe"})
        except (av.FFmpegError, ValueError, OSError) as error:
            self._file.close()
            raise UnreadableError(f"no audio format is recognized ({_reason(error)})") from error
        return self._container

    def __exit__(self, *_: object) -> None:
        self._container.close()
        self._file.close()


def _reason(error: Exception) -> str:
    if isinstance(error, av.FFmpegError | OSError) and error.strerror:
        return str(error.strerror)
    return str(error) or type(error).__name__


def _audio_stream(container: "av.container.InputContainer") -> "av.AudioStream":
    if not container.streams.audio:
        raise UnreadableError("it holds no audio stream")
    stream = container.streams.audio[0]
    # Without a decoder there is no context, and PyAV 17 then ends the process at the first packet.
    if stream.codec_context is None:
        raise UnreadableError("no decoder is known for its audio")
    return stream


def _frames(
    container: "av.container.InputContainer", stream: "av.AudioStream", flags: set[str]
) -> Iterator["av.AudioFrame"]:
    """Yield what can be decoded; broken packets before good ones flag `damaged`."""
    num_bad = 0
    has_frame = False
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except (av.FFmpegError, OSError):
            flags.add("truncated")
            break
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError) as error:
            num_bad += 1
            if num_bad > MAX_BAD_PACKETS and not has_frame:
                raise UnreadableError(f"no packet can be decoded ({_reason(error)})") from error
            continue
        for frame in frames:
            if frame.samples <= 0:
                continue
            if num_bad or frame.is_corrupt:
                flags.add("damaged")
                num_bad = 0
            has_frame = True
            yield frame
    if num_bad and not has_frame:
        raise UnreadableError("no packet can be decoded")


def _read_av(passage: Passage) -> Iterator[Samples]:
    """Decode and drop what lies before the span; seek first where the way is long."""
    if passage.start > SEEK_FROM * passage.file.rate:
        try:
            yield from _read_av_from(passage, seeks=True)
            return
        except _SeekMissedError:
            pass  # Raised before the first block.
    yield from _read_av_from(passage, seeks=False)


class _SeekMissedError(Exception):
    """Seeking led nowhere before the span."""


def _read_av_from(passage: Passage, *, seeks: bool) -> Iterator[Samples]:
    """Place frames by counting; a stretch that time stamps show as missing becomes zeros."""
    file = passage.file
    end = sys.maxsize if passage.end is None else passage.end
    with _open_av(file.source) as container:
        stream = _audio_stream(container)
        position = 0
        is_placed = not seeks
        if seeks:
            _seek(container, passage)
        for frame in _frames(container, stream, passage.flags):
            if frame.sample_rate != file.rate:
                raise UnreadableError("its sampling rate changes within the file")
            stamp = _stamp(frame, file)
            if not is_placed:
                if stamp is None or stamp > passage.start:
                    raise _SeekMissedError
                position, is_placed = stamp, True
            elif stamp is not None and stamp - position > GAP * file.rate:
                passage.flags.add("damaged")
                yield from _zeros(min(stamp, end) - max(position, passage.start))
                position = stamp
            block = _mix(_to_float(frame), passage.channel)
            begin, stop = max(0, passage.start - position), min(len(block), end - position)
            position += len(block)
            if begin < stop:
                yield block[begin:stop]
            if position >= end:
                return
        if not is_placed:
            raise _SeekMissedError
        if file.num_frames is not None and file.num_frames - position > 0.1 * file.rate:
            passage.flags.add("truncated")


def _zeros(count: int) -> Iterator[Samples]:
    for begin in range(0, count, BLOCK_FRAMES):
        yield np.zeros(min(BLOCK_FRAMES, count - begin), np.float32)


def _stamp(frame: "av.AudioFrame", file: AudioFile) -> int | None:
    """Return the frame's place by its time stamp, in frames from the first sample."""
    time = _time(frame)
    return None if time is None else round((time - file.origin) * file.rate)


def _time(frame: "av.AudioFrame") -> Fraction | None:
    if frame.pts is None or frame.time_base is None:
        return None
    return frame.pts * frame.time_base


def _seek(container: "av.container.InputContainer", passage: Passage) -> None:
    """Go two seconds before the span, so that the decoder has settled when it begins."""
    seconds = Fraction(passage.start, passage.file.rate) + passage.file.origin - 2
    try:
        container.seek(round(seconds * av.time_base), backward=True)
    except (av.FFmpegError, OSError) as error:
        raise _SeekMissedError from error


def _to_float(frame: "av.AudioFrame") -> npt.NDArray[np.float32]:
    """Return the samples as float32, shape (frames, channels)."""
    values = frame.to_ndarray()
    # Packed formats come as one row of interleaved samples.
    values = values.T if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels)
    if values.dtype == np.uint8:
        return (values.astype(np.float32) - 128.0) / 128.0
    if values.dtype.kind == "i":
        return (values / float(2 ** (8 * values.dtype.itemsize - 1))).astype(np.float32)
    return values.astype(np.float32)
