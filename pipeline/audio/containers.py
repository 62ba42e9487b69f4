"""What file headers claim, where decoders stay silent about it: RIFF sizes and Ogg pages."""

import os
import struct
from typing import BinaryIO

UNKNOWN_SIZE = 0xFFFFFFFF
"""Size field of a RIFF file that was streamed, or that keeps its sizes elsewhere (RF64)."""

PCM_BITS = frozenset({8, 16, 24, 32, 64})
"""Sample sizes of plain PCM that decoders read as what they are."""


class WrongHeaderError(Exception):
    """The header contradicts itself, so that decoding would give noise."""


def header_flags(path: str) -> frozenset[str]:
    """Return `truncated` and `concatenated` as far as RIFF and Ogg headers tell.

    Raises:
        WrongHeaderError: The header cannot be right, although decoders accept it.
    """
    with open(path, "rb") as file:
        magic = file.read(4)
        file.seek(0)
        if magic == b"RIFF":
            return _riff_flags(file)
        if magic == b"OggS":
            return _ogg_flags(file)
    return frozenset()


def _riff_flags(file: BinaryIO) -> frozenset[str]:
    """Walk the chunks: data that ends after the file, another file after the end of this one."""
    length = os.fstat(file.fileno()).st_size
    _, riff_size = struct.unpack("<4sI", file.read(8).ljust(8, b"\0"))
    flags = set()
    position = 12
    while position + 8 <= length:
        file.seek(position)
        name, size = struct.unpack("<4sI", file.read(8))
        if name == b"fmt ":
            _check_format(file.read(16))
        if name == b"data":
            # Encoders leave 0 when they could not seek back; the decoder reads to the end.
            if size not in (0, UNKNOWN_SIZE) and position + 8 + size > length:
                flags.add("truncated")
            break
        position += 8 + size + size % 2
    end = 8 + riff_size
    if riff_size not in (0, UNKNOWN_SIZE) and end + 4 <= length:
        file.seek(end)
        if file.read(4) == b"RIFF":
            flags.add("concatenated")
    return frozenset(flags)


def _check_format(chunk: bytes) -> None:
    if len(chunk) < 16:
        return
    kind, channels, _, _, block, bits = struct.unpack("<HHIIHH", chunk)
    if kind == 1 and bits not in PCM_BITS:
        raise WrongHeaderError(f"its header says {bits} bits a sample")
    if kind == 1 and channels and block != channels * bits // 8:
        raise WrongHeaderError(
            f"its header says {block} bytes a frame, but {channels} channels of {bits} bits"
        )


def _ogg_flags(file: BinaryIO) -> frozenset[str]:
    """Hop from page to page: streams that begin after others, a last page that is not the end."""
    flags = set()
    has_begun = False
    last_flags = 0
    length = os.fstat(file.fileno()).st_size
    position = 0
    while position + 27 <= length:
        file.seek(position)
        header = file.read(27)
        if header[:4] != b"OggS":
            break
        last_flags = header[5]
        begins = bool(last_flags & 2)
        if begins and has_begun:
            flags.add("concatenated")
        has_begun = has_begun or not begins
        position += 27 + header[26] + sum(file.read(header[26]))
    if position != length or not last_flags & 4:
        flags.add("truncated")
    return frozenset(flags)
