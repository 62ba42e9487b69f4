"""Files of a build on any file system: whole or not there, never half written."""

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import fsspec
from fsspec.core import url_to_fs

TEMPORARY = ".tmp"
"""Ending of files that are being written."""


@dataclass
class WrittenFile:
    """A file being written, seen as a stream that only grows, with its hash and size."""

    stream: BinaryIO
    """Where the bytes go."""
    num_bytes: int = 0
    """Bytes so far."""
    _digest: Any = field(default_factory=hashlib.sha256, repr=False)

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes so far, hexadecimal."""
        return str(self._digest.hexdigest())

    @property
    def closed(self) -> bool:
        """Whether the stream below is closed; asked by pyarrow."""
        return self.stream.closed

    def write(self, block: bytes) -> int:
        """Append bytes; returns how many."""
        size = memoryview(block).nbytes
        self._digest.update(block)
        self.num_bytes += size
        self.stream.write(block)
        return size

    def tell(self) -> int:
        """Return the position, which is the end."""
        return self.num_bytes

    def flush(self) -> None:
        """Pass on what the stream below holds back."""
        self.stream.flush()

    def close(self) -> None:
        """Leave the stream below open: whoever opened it closes and renames it."""


@dataclass
class BuildFolder:
    """The folder of a build.

    Args:
        out: Folder or fsspec URL.
    """

    out: str

    def __post_init__(self) -> None:
        self.files: fsspec.AbstractFileSystem
        self.root: str
        self.files, self.root = url_to_fs(self.out.rstrip("/") or "/")

    def path(self, name: str) -> str:
        """Return the path of a file on its file system."""
        return f"{self.root}/{name}"

    def exists(self, name: str) -> bool:
        """Tell whether a file is there."""
        return bool(self.files.exists(self.path(name)))

    def names(self) -> list[str]:
        """Return the paths of all files within the folder, sorted."""
        # Listings of object stores are remembered by fsspec; other processes write here too.
        self.files.invalidate_cache()
        if not self.files.exists(self.root):
            return []
        found = self.files.find(self.root)
        return sorted(path[len(self.root.rstrip("/")) + 1 :] for path in found)

    @contextmanager
    def write(self, name: str) -> Iterator[WrittenFile]:
        """Write a file under a temporary name and rename it when the block ends well."""
        final = self.path(name)
        # Two attempts of one shard may run at once; each writes its own file.
        temporary = f"{final}.{secrets.token_hex(6)}{TEMPORARY}"
        self.files.makedirs(final.rpartition("/")[0], exist_ok=True)
        try:
            with self.files.open(temporary, "wb") as stream:
                yield WrittenFile(stream)
            self.files.mv(temporary, final)
        except BaseException:
            if self.files.exists(temporary):
                self.files.rm(temporary)
            raise

    def write_text(self, name: str, text: str) -> None:
        """Write a text file as UTF-8."""
        with self.write(name) as file:
            file.write(text.encode())

    def write_json(self, name: str, value: Any) -> None:
        """Write JSON with sorted keys, so that equal values are equal bytes."""
        text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
        self.write_text(name, f"{text}\n")

    def read_bytes(self, name: str) -> bytes:
        """Return a small file."""
        return bytes(self.files.cat_file(self.path(name)))

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        if self.exists(name):
            self.files.rm(self.path(name))

    def sha256(self, name: str) -> str:
        """Return the SHA-256 of a file, hexadecimal, in bounded memory."""
        digest = hashlib.sha256()
        with self.files.open(self.path(name), "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()
