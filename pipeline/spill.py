"""Dialogues on disk, one file of JSON lines a shard: memory does not grow with the corpus."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ieat.pipeline.audio.source import local_path
from ieat.schemas.base import Value
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.records import SetAside

BUFFER_BYTES = 4 << 20
"""Most bytes that wait for being written, over all shards."""


class Spilled(Value):
    """What one unit of a corpus became where it was read; one of the two is there."""

    dialogue: Dialogue | None = None
    """The dialogue."""
    aside: SetAside | None = None
    """Why there is none."""


class Spill:
    """Keeps what was read by shard, with a digest of all that a shard is made from.

    Args:
        folder: An empty local folder of its own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: dict[int, bytearray] = {}
        self._num_waiting = 0
        self._counts: dict[int, int] = {}
        self._digests: dict[int, Any] = {}

    def add(self, shard: int, record: Dialogue | SetAside) -> None:
        """Keep a record in a shard, after those that are there."""
        is_aside = isinstance(record, SetAside)
        spilled = Spilled(aside=record) if is_aside else Spilled(dialogue=record)
        line = spilled.model_dump_json().encode() + b"\n"
        digest = self._digests.setdefault(shard, hashlib.sha256())
        digest.update(line)
        if isinstance(record, Dialogue):
            digest.update(_fingerprint(record))
        self._counts[shard] = self._counts.get(shard, 0) + 1
        self._waiting.setdefault(shard, bytearray()).extend(line)
        self._num_waiting += len(line)
        if self._num_waiting > BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        for shard, lines in self._waiting.items():
            with self._file(shard).open("ab") as file:
                file.write(lines)
        self._waiting.clear()
        self._num_waiting = 0

    @property
    def num_records(self) -> int:
        """Records of all shards."""
        return sum(self._counts.values())

    def count(self, shard: int) -> int:
        """Return how many records a shard has."""
        return self._counts.get(shard, 0)

    def digest(self, shard: int) -> str:
        """Return the SHA-256 of a shard's records and of the marks of their sound, hexadecimal."""
        digest = self._digests.get(shard)
        return "" if digest is None else str(digest.hexdigest())

    def files(self, shards: tuple[int, ...]) -> tuple[str, ...]:
        """Return the files of some shards; a shard without records has none."""
        return tuple(str(self._file(shard)) for shard in shards if shard in self._counts)

    def remove(self, shard: int) -> None:
        """Remove the file of a shard, where there is one."""
        self._file(shard).unlink(missing_ok=True)

    def _file(self, shard: int) -> Path:
        return self._folder / f"{shard:05d}.jsonl"


def spilled_lines(files: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of some files, one record each."""
    for name in files:
        # Lines end with \n alone: JSON leaves other line breaks as they are.
        with open(name, encoding="utf-8", newline="\n") as file:
            yield from file


def parse_spilled(line: str) -> Dialogue | SetAside:
    """Return the record of a line.

    Raises:
        ValueError: The line holds none.
    """
    spilled = Spilled.model_validate_json(line)
    record = spilled.dialogue or spilled.aside
    if record is None:
        raise ValueError("a line of the work folder holds no record")
    return record


def _fingerprint(dialogue: Dialogue) -> bytes:
    """Return size and time of a dialogue's local sound files, which tell when one is replaced."""
    marks = []
    for uri in sorted({turn.audio.uri for turn in dialogue.turns if turn.audio is not None}):
        path = local_path(uri)
        if path is None:
            continue
        try:
            found = os.stat(path)
        except OSError:
            marks.append("none")
        else:
            marks.append(f"{found.st_size}:{found.st_mtime_ns}")
    return ",".join(marks).encode()
