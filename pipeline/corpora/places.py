"""Files and folders of a corpus, on the local disk or behind an fsspec URL."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath
from typing import BinaryIO, cast

import aiohttp
import fsspec

from ieat.pipeline.audio.source import local_path
from ieat.pipeline.failures import BadInput, ConfigError
from ieat.schemas.records import SourceUnit

AUDIO_NAME = re.compile(
    r"[^.].*\.(aac|aiff?|amr|au|caf|flac|g722|gsm|m4a|m4b|mka|mkv|mov|mp2|mp3|mp4|oga|ogg|opus"
    r"|rf64|snd|sph|spx|w64|wav|webm|wma|wv)",
    re.IGNORECASE | re.DOTALL,
)
"""Names that are taken for audio in a folder, hidden ones left out; the content decides later."""

UNREADABLE = (OSError, ValueError, ImportError, aiohttp.ClientError)
"""What opening a path or URL raises: missing, refused, an unknown protocol, no connection."""


@dataclass(frozen=True)
class Place:
    """A file or folder that was found."""

    uri: str
    """Path or fsspec URL."""
    name: str
    """Last part of it."""
    is_folder: bool
    """Whether it is a folder."""

    @property
    def stem(self) -> str:
        """The name without its extension."""
        return PurePosixPath(self.name).stem

    @property
    def is_audio(self) -> bool:
        """Whether it is a file with the name of an audio file."""
        return not self.is_folder and AUDIO_NAME.fullmatch(self.name) is not None


def find_place(uri: str) -> Place:
    """Return the file or folder at a path or URL.

    Raises:
        ConfigError: There is none, or it cannot be reached.
    """
    path = local_path(uri)
    if path is not None:
        if not os.path.exists(path):
            raise ConfigError(f"nothing at {uri}; check the input's path")
        name = os.path.basename(os.path.abspath(path))
        return Place(path, name, os.path.isdir(path))
    try:
        system, inner = fsspec.core.url_to_fs(uri)
        if not system.exists(inner):
            raise ConfigError(f"nothing at {uri}; check the input's path")
        return Place(uri, PurePosixPath(inner).name, system.isdir(inner))
    except UNREADABLE as error:
        raise ConfigError(f"cannot reach {uri}: {_reason(error)}") from error


def list_folder(uri: str) -> list[Place]:
    """Return what lies in a folder in natural order (turn2 before turn10), without hidden names.

    Raises:
        BadInput: The folder cannot be read.
    """
    path = local_path(uri)
    try:
        found = _list_remote(uri) if path is None else _list_local(path)
    except UNREADABLE as error:
        raise BadInput("unreadable", f"{uri}: {_reason(error)}; check folder and rights") from error
    shown = [place for place in found if not place.name.startswith(".")]
    return sorted(shown, key=lambda place: natural_key(place.name))


def _list_local(path: str) -> list[Place]:
    # os.path.isdir takes a link that leads to itself for no folder; DirEntry.is_dir raises.
    return [
        Place(os.path.join(path, name), name, os.path.isdir(os.path.join(path, name)))
        for name in os.listdir(path)
    ]


def _list_remote(uri: str) -> list[Place]:
    system, inner = fsspec.core.url_to_fs(uri)
    places = []
    for entry in system.ls(inner, detail=True):
        full = entry["name"].rstrip("/")
        uri = system.unstrip_protocol(full)
        places.append(Place(uri, PurePosixPath(full).name, entry["type"] == "directory"))
    return places


def walk(uri: str, above: tuple[str, ...] = ()) -> Iterator[Place]:
    """Yield the files under a folder in natural order; a link to a folder above is not followed."""
    real = uri if local_path(uri) is None else os.path.realpath(uri)
    if real in above:
        return
    for place in list_folder(uri):
        if place.is_folder:
            yield from walk(place.uri, (*above, real))
        else:
            yield place


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Return a key that orders numbers in names by value; ties by the name as it is."""
    parts = re.split(r"(\d+)", name)
    key = [(0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts]
    return [*key, (2, 0, name)]


def read_place(uri: str) -> bytes:
    """Return the bytes of a small file.

    Raises:
        BadInput: The file cannot be read.
    """
    with open_place(uri) as file:
        return file.read()


@contextmanager
def open_place(uri: str) -> Iterator[BinaryIO]:
    """Open a file for reading.

    Raises:
        BadInput: The file cannot be read.
    """
    path = local_path(uri)
    try:
        with open(path, "rb") if path is not None else fsspec.open(uri, "rb") as file:
            yield cast(BinaryIO, file)
    except UNREADABLE as error:
        raise BadInput("unreadable", f"{uri}: {_reason(error)}; check file and rights") from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def join(folder: str, relative: str) -> str:
    """Return the place that a relative path means from a folder; absolute ones stay as they are."""
    if "://" in relative or os.path.isabs(relative):
        return relative
    if local_path(folder) is not None:
        return os.path.normpath(os.path.join(local_path(folder) or "", relative))
    return f"{folder.rstrip('/')}/{relative}"


def parent(uri: str) -> str:
    """Return the folder that a file lies in."""
    path = local_path(uri)
    if path is not None:
        return os.path.dirname(path) or "."
    return uri.rpartition("/")[0]


def exists(uri: str) -> bool:
    """Return whether there is a file or folder."""
    path = local_path(uri)
    if path is not None:
        return os.path.exists(path)
    system, inner = fsspec.core.url_to_fs(uri)
    return bool(system.exists(inner))


def refuse_empty(units: Iterator[SourceUnit], message: str) -> Iterator[SourceUnit]:
    """Return the units; raise `ConfigError` when there are none or they cannot be listed."""

    def checked() -> Iterator[SourceUnit]:
        try:
            yield from units
        except BadInput as error:
            raise ConfigError(error.message) from error

    rest = checked()
    first = next(rest, None)
    if first is None:
        raise ConfigError(message)
    return chain([first], rest)
