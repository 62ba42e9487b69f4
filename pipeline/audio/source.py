"""Where the bytes of audio lie: local files as they are, remote ones copied once per process."""

import atexit
import hashlib
import os
import re
import shutil
import stat
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
import fsspec
import tenacity

from ieat.pipeline.failures import BadAudio

BLOCK = 1 << 20
"""Bytes read at a time."""

MAX_REMOTE_BYTES = 4 << 30
"""Largest remote file; a stream that never ends must not fill the disk."""

MAX_COPIES_BYTES = 2 << 30
"""Bytes of remote files kept on disk per process; copies in use are kept beyond it."""


class SourceFile(NamedTuple):
    """A local, regular file at one moment; equal values mean equal bytes."""

    path: str
    """Local path."""
    size: int
    """Bytes."""
    modified: int
    """Time of the last change, nanoseconds."""


@contextmanager
def open_source(uri: str) -> Iterator[SourceFile]:
    """Give the local file behind a path or fsspec URL; a remote one stays until the block ends.

    Raises:
        BadAudio: `audio_missing` when there is no such file, `audio_unreachable` when it
            cannot be fetched, `audio_too_long` when it is larger than the limit.
    """
    path = local_path(uri)
    if path is not None:
        yield _look_at(path, uri)
        return
    with _COPIES.hold(uri) as copied:
        yield _look_at(copied, uri)


def local_path(uri: str) -> str | None:
    """Return the path of a local uri; null for a remote one.

    A file that is there wins, so that names which look like URLs can be read.
    """
    if os.path.lexists(uri):
        return uri
    protocol, path = fsspec.core.split_protocol(uri)
    if protocol in (None, "file", "local"):
        return str(path)
    return None


@lru_cache(maxsize=4096)
def hash_file(file: SourceFile) -> str:
    """Return the SHA-256 of the bytes, hexadecimal; each file is read once per process."""
    digest = hashlib.sha256()
    with open(file.path, "rb") as opened:
        while block := opened.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _look_at(path: str, uri: str) -> SourceFile:
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BadAudio("audio_missing", f"{uri}: {reason}; give a path that exists") from error
    # A named pipe or a device would block or never end.
    if not stat.S_ISREG(found.st_mode):
        raise BadAudio("audio_missing", f"{uri}: this is no regular file; give an audio file")
    if not os.access(path, os.R_OK):
        raise BadAudio("audio_missing", f"{uri}: no permission to read it; change its mode")
    return SourceFile(path, found.st_size, found.st_mtime_ns)


@dataclass
class _Copy:
    path: str
    size: int = 0
    users: int = 0
    is_whole: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class _RemoteCopies:
    """Copies of remote files, the least recently used removed first; safe among threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._copies: OrderedDict[str, _Copy] = OrderedDict()
        self._folder = ""
        self._process = 0
        self._count = 0

    @contextmanager
    def hold(self, uri: str) -> Iterator[str]:
        with self._lock:
            copy = self._enter(uri)
        try:
            with copy.lock:
                if not copy.is_whole:
                    copy.size = _fetch(uri, copy.path)
                    copy.is_whole = True
            yield copy.path
        finally:
            with self._lock:
                copy.users -= 1
                self._make_room()

    def _enter(self, uri: str) -> _Copy:
        # A forked process starts its own folder: the parent still uses and removes the old one.
        if self._process != os.getpid():
            self._process = os.getpid()
            self._folder = tempfile.mkdtemp(prefix="ieat-audio-")
            atexit.register(_remove, self._folder, self._process)
            self._copies = OrderedDict()
        if uri not in self._copies:
            self._count += 1
            # Raw formats such as G.722 are told by the extension alone, so it is kept.
            suffix = Path(urlsplit(uri).path).suffix
            safe = suffix if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", suffix) else ""
            name = os.path.join(self._folder, f"{self._count:06d}{safe}")
            self._copies[uri] = _Copy(name)
        self._copies.move_to_end(uri)
        self._copies[uri].users += 1
        return self._copies[uri]

    def _make_room(self) -> None:
        total = sum(copy.size for copy in self._copies.values())
        for uri, copy in list(self._copies.items()):
            if copy.users or (copy.is_whole and total <= MAX_COPIES_BYTES):
                continue
            del self._copies[uri]
            total -= copy.size
            Path(copy.path).unlink(missing_ok=True)


def _remove(folder: str, process: int) -> None:
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


_COPIES = _RemoteCopies()  # per process: remote files are fetched once, not once a turn


def _fetch(uri: str, path: str) -> int:
    try:
        return _copy_remote(uri, path)
    except FileNotFoundError as error:
        raise BadAudio("audio_missing", f"{uri}: no such file; check the address") from error
    except (ImportError, ValueError) as error:
        raise BadAudio("audio_unreachable", f"{uri}: {error}") from error
    except (OSError, aiohttp.ClientError) as error:
        raise BadAudio(
            "audio_unreachable", f"{uri}: {type(error).__name__}: {error}; run again later"
        ) from error


@tenacity.retry(
    retry=tenacity.retry_if_exception(
        lambda error: (
            isinstance(error, OSError | aiohttp.ClientError)
            and not isinstance(error, FileNotFoundError | PermissionError)
        )
    ),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
    reraise=True,
)
def _copy_remote(uri: str, path: str) -> int:
    try:
        opened = fsspec.open(uri, "rb").open()
    except FileNotFoundError as error:
        # fsspec says so of every failure to ask for a file's size; its cause says which it was.
        cause = error.__cause__
        if isinstance(cause, aiohttp.ClientError) and getattr(cause, "status", 0) not in (404, 410):
            raise ConnectionError(str(cause)) from error
        raise
    size = 0
    with opened as remote, open(path, "wb") as local:
        while block := remote.read(BLOCK):
            size += len(block)
            if size > MAX_REMOTE_BYTES:
                raise BadAudio(
                    "audio_too_long",
                    f"{uri}: larger than {MAX_REMOTE_BYTES >> 30} GiB; cut it into smaller files",
                )
            local.write(block)
    return size
