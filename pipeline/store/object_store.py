"""A response store of one object per key, on any file system that fsspec knows."""

import asyncio
import json
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import fsspec
from fsspec.core import url_to_fs

from ieat.pipeline.failures import ConfigError, RunStopped
from ieat.pipeline.ports import SealedAnswer
from ieat.pipeline.store.durable_files import create_durably, replace_durably
from ieat.pipeline.store.seal import BrokenAnswer, seal, storable, unreadable, unseal
from ieat.schemas.engine import StoredAnswer

T = TypeVar("T")

MARKER = "ieat-store.json"
"""Object that says what the others are."""
VERSION = 1
ANSWERS = "answers"
USES = "uses"

NUM_THREADS = 32
"""Requests to the file system at once."""
NOTE_EVERY = 5.0
"""Time over which notes of who uses what are gathered into one object, seconds."""


class _Kept(NamedTuple):
    """What one object holds."""

    sealed: SealedAnswer
    dialogue_id: str
    """The dialogue that it was paid for."""


class ObjectStore:
    """Keeps each answer in an object of its own, durable when `put` returns.

    Many machines may share one: an object is written only where none is, by a link on local disks
    and by the service's own condition on S3, Google Cloud Storage and in memory. A file system
    without such a condition is asked first, and the later of two writers at one moment wins.

    Safe to use from any thread and event loop of a process.

    Args:
        url: fsspec URL of a folder.
        replay: Whether objects are only read.

    Raises:
        ConfigError: The file system cannot be reached, or the folder holds something else.
    """

    def __init__(self, url: str, *, replay: bool = False) -> None:
        self._url = url.rstrip("/")
        self._replay = replay
        self._is_closed = False
        self._noting = threading.Lock()
        self._notes: set[tuple[str, str]] = set()
        self._closing = threading.Event()
        try:
            self._files: fsspec.AbstractFileSystem
            self._files, self._root = url_to_fs(self._url)
            self._open()
        except ImportError as error:
            raise ConfigError(f"the store {self._url} needs a package: {error}") from None
        except ConfigError:
            raise
        except Exception as error:  # noqa: BLE001 - each file system raises errors of its own
            raise ConfigError(_describe(self._url, error)) from None
        self._pool = ThreadPoolExecutor(NUM_THREADS, thread_name_prefix="store")
        self._noter = threading.Thread(target=self._keep_noting, name="store-notes", daemon=True)
        if not replay:
            self._noter.start()

    async def get(self, key: str, dialogue_id: str) -> StoredAnswer | None:
        """Return the answer, or null; remembers that the dialogue uses it, unless in replay.

        Raises:
            RunStopped: The file system fails, or the object cannot be read.
        """
        kept = await self._in_pool(lambda: self._read(key))
        if kept is None:
            return None
        if kept.dialogue_id != storable(dialogue_id):
            self.note(key, dialogue_id)
        return self._unsealed(kept)

    def note(self, key: str, dialogue_id: str) -> None:
        """Remember that a dialogue uses an answer that is there; nothing in replay."""
        self._refuse_closed()
        if not self._replay:
            with self._noting:
                self._notes.add((storable(dialogue_id), key))

    async def put(
        self, stored: StoredAnswer, dialogue_id: str, *, replaces: bool = False
    ) -> StoredAnswer:
        """Keep an answer and return the one that stays, durably.

        Raises:
            RunStopped: The file system fails.
        """
        if self._replay:
            raise RuntimeError(f"{self._url} is open for replay and takes no answers")
        content = _to_bytes(_Kept(seal(stored), storable(dialogue_id)))
        path = self._path(stored.key)

        def write() -> bool:
            if replaces:
                self._write(path, content)
                return True
            return self._create(path, content)

        # What is paid is written, whoever stops waiting for it.
        if await asyncio.shield(self._in_pool(write)):
            return stored
        return await self.get(stored.key, dialogue_id) or stored

    def contains(self, keys: list[str]) -> set[str]:
        """Return those of the keys that are there.

        Raises:
            RunStopped: The file system fails.
        """
        self._refuse_closed()
        found = self._pool.map(lambda key: self._guarded(lambda: self._exists(key)), keys)
        return {key for key, is_there in zip(keys, found, strict=True) if is_there}

    def keys_of(self, dialogue_id: str) -> set[str]:
        """Return the keys of all answers that a dialogue uses; reads all notes and answers."""
        wanted = storable(dialogue_id)
        return {key for used_by, key in self.uses() if used_by == wanted}

    def answers(self) -> Iterator[SealedAnswer]:
        """Yield every answer in the order of keys."""
        for kept in self._all():
            yield kept.sealed

    def uses(self) -> Iterator[tuple[str, str]]:
        """Yield each dialogue id with each key that it uses, sorted."""
        self._note_down()
        pairs = {pair for _, pairs in self._note_objects() for pair in pairs}
        pairs.update((kept.dialogue_id, kept.sealed.key) for kept in self._all())
        yield from sorted(pairs)

    def find(self, prefix: str) -> list[SealedAnswer]:
        """Return the answers whose keys begin so, at most 10."""
        keys = [key for key in self._keys() if key.startswith(prefix)][:10]
        found = (self._guarded(lambda key=key: self._read(key)) for key in keys)  # type: ignore[misc]
        return [kept.sealed for kept in found if kept is not None]

    def remove(self, keys: Iterable[str]) -> int:
        """Remove answers and who uses them. A bucket that keeps versions keeps those of them too.

        Raises:
            RunStopped: The file system fails.
        """
        self._refuse_replay()
        unwanted = set(keys) & set(self._keys())
        for key in unwanted:
            self._guarded(lambda key=key: self._files.rm_file(self._path(key)))  # type: ignore[misc]
        self._rewrite_notes(lambda pair: pair[1] not in unwanted)
        return len(unwanted)

    def forget_dialogues(self, dialogue_ids: Iterable[str]) -> set[str]:
        """Remove who these dialogues are; returns keys that no dialogue uses any more.

        Raises:
            RunStopped: The file system fails.
        """
        self._refuse_replay()
        gone = {storable(dialogue_id) for dialogue_id in dialogue_ids}
        used_by: dict[str, set[str]] = {}
        for dialogue_id, key in self.uses():
            used_by.setdefault(key, set()).add(dialogue_id)
        self._rewrite_notes(lambda pair: pair[0] not in gone)
        unused = {key for key, users in used_by.items() if users <= gone}
        for kept in self._all():
            if kept.dialogue_id in gone:
                others = sorted(used_by[kept.sealed.key] - gone)
                # The object must not tell who is gone; an unused one goes as a whole.
                changed = _Kept(kept.sealed, others[0] if others else "")
                path, content = self._path(kept.sealed.key), _to_bytes(changed)
                self._guarded(lambda path=path, content=content: self._write(path, content))  # type: ignore[misc]
        return unused

    def close(self) -> None:
        """Write what is waiting and let go of the threads; closing twice is fine."""
        if self._is_closed:
            return
        self._closing.set()
        if not self._replay:
            self._noter.join()
            self._note_down()
        self._is_closed = True
        self._pool.shutdown()

    def _open(self) -> None:
        """Check what the folder holds, and mark an empty one as a store."""
        marker = f"{self._root}/{MARKER}"
        if self._is_marked(marker):
            return
        if self._replay:
            raise ConfigError(
                f"there is no response store {self._url} to replay from; run once without replay, "
                "or set store to that of an earlier build"
            )
        there = self._files.ls(self._root, detail=False) if self._files.exists(self._root) else []
        # Another process may be writing its marker.
        is_used = any(not name.endswith(".tmp") for name in there)
        # Another process may have come first, so the marker is looked for again.
        if is_used and not self._is_marked(marker):
            raise ConfigError(
                f"{self._url} holds files that are no response store; set store to another folder"
            )
        self._create(marker, json.dumps({"version": VERSION, "holds": "answers of ieat"}).encode())

    def _is_marked(self, marker: str) -> bool:
        self._files.invalidate_cache()
        try:
            told = json.loads(self._files.cat_file(marker))
        except FileNotFoundError:
            return False
        if told.get("version") != VERSION:
            raise ConfigError(
                f"the response store {self._url} has version {told.get('version')}, this ieat "
                f"reads version {VERSION}; take the ieat that wrote it, or another store"
            )
        return True

    def _path(self, key: str) -> str:
        return f"{self._root}/{ANSWERS}/{key[:2]}/{key}.json"

    def _exists(self, key: str) -> bool:
        path = self._path(key)
        self._files.invalidate_cache(path)
        return bool(self._files.exists(path))

    def _read(self, key: str) -> _Kept | None:
        try:
            content = self._files.cat_file(self._path(key))
        except FileNotFoundError:
            return None
        return _from_bytes(key, content)

    def _create(self, path: str, content: bytes) -> bool:
        """Write an object where none is; returns whether there was none."""
        if _is_local(self._files):
            return create_durably(Path(path), content)
        if self._files.exists(path):
            return False
        try:
            self._files.pipe_file(path, content, mode="create")
        except FileExistsError:
            return False
        return True

    def _write(self, path: str, content: bytes) -> None:
        """Write an object in place of whatever is there."""
        if _is_local(self._files):
            replace_durably(Path(path), content)
        else:
            self._files.pipe_file(path, content)

    def _keys(self) -> list[str]:
        def find() -> list[str]:
            folder = f"{self._root}/{ANSWERS}"
            self._files.invalidate_cache()
            if not self._files.exists(folder):
                return []
            names = (path.rpartition("/")[2] for path in self._files.find(folder))
            return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))

        return self._guarded(find)

    def _all(self) -> Iterator[_Kept]:
        keys = self._keys()
        for first in range(0, len(keys), 4 * NUM_THREADS):
            some = keys[first : first + 4 * NUM_THREADS]
            read = self._pool.map(lambda key: self._guarded(lambda: self._read(key)), some)
            yield from (kept for kept in read if kept is not None)

    def _unsealed(self, kept: _Kept) -> StoredAnswer:
        try:
            return unseal(kept.sealed)
        except BrokenAnswer as problem:
            raise unreadable(kept.sealed.key, self._url, problem) from None

    def _keep_noting(self) -> None:
        while not self._closing.wait(NOTE_EVERY):
            try:
                self._note_down()
            except RunStopped:  # noqa: PERF203 - each round waits
                # Kept for the next time; an answer that cannot be written ends the run by itself.
                continue

    def _note_down(self) -> None:
        """Write the notes that were gathered as one object."""
        with self._noting:
            notes, self._notes = self._notes, set()
        if not notes:
            return
        try:
            self._guarded(lambda: self._add_notes(notes))
        except RunStopped:
            with self._noting:
                self._notes |= notes
            raise

    def _add_notes(self, notes: Iterable[tuple[str, str]]) -> None:
        lines = "".join(json.dumps(pair) + "\n" for pair in sorted(notes))
        self._write(f"{self._root}/{USES}/{secrets.token_hex(8)}.jsonl", lines.encode())

    def _note_objects(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Yield each object of notes with the pairs of dialogue and key in it."""

        def find() -> list[str]:
            folder = f"{self._root}/{USES}"
            self._files.invalidate_cache()
            return sorted(self._files.find(folder)) if self._files.exists(folder) else []

        for path in self._guarded(find):
            content = self._guarded(lambda path=path: self._files.cat_file(path))  # type: ignore[misc]
            pairs = [json.loads(line) for line in content.decode().splitlines()]
            yield path, [(dialogue_id, key) for dialogue_id, key in pairs]

    def _rewrite_notes(self, stays: Callable[[tuple[str, str]], bool]) -> None:
        """Write all notes anew, without those that do not stay."""
        self._note_down()
        before = list(self._note_objects())
        left = {pair for _, pairs in before for pair in pairs if stays(pair)}

        def rewrite() -> None:
            if left:
                self._add_notes(left)
            for path, _ in before:
                self._files.rm_file(path)

        self._guarded(rewrite)

    def _in_pool(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        """Begin some work at once; closing waits for it."""
        self._refuse_closed()
        return asyncio.get_running_loop().run_in_executor(self._pool, self._guarded, work)

    def _guarded(self, work: Callable[[], T]) -> T:
        """Do something with the file system.

        Raises:
            RunStopped: It fails.
        """
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - each file system raises errors of its own
            problem = RunStopped("store_failed", _describe(self._url, error))
        raise problem

    def _refuse_closed(self) -> None:
        if self._is_closed:
            raise RuntimeError(f"the response store {self._url} is closed")

    def _refuse_replay(self) -> None:
        if self._replay:
            raise RuntimeError(f"{self._url} is open for replay and cannot be changed")


def _to_bytes(kept: _Kept) -> bytes:
    """Return an object: a line about the answer, then the answer."""
    about = json.dumps({"sha256": kept.sealed.sha256, "dialogue_id": kept.dialogue_id})
    return f"{about}\n{kept.sealed.text}".encode()


def _from_bytes(key: str, content: bytes) -> _Kept:
    about, _, text = content.decode("utf-8", "replace").partition("\n")
    try:
        told = json.loads(about)
        return _Kept(SealedAnswer(key, text, told["sha256"]), told["dialogue_id"])
    except (ValueError, KeyError, TypeError):
        # Kept as it is: whoever reads the answer says that it is broken.
        return _Kept(SealedAnswer(key, text, ""), "")


def _is_local(files: fsspec.AbstractFileSystem) -> bool:
    protocols = files.protocol if isinstance(files.protocol, tuple) else (files.protocol,)
    return "file" in protocols


def _describe(url: str, error: Exception) -> str:
    """Say what is wrong with the file system and how to mend it."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    said = " ".join(reason.split())[:200]
    return (
        f"cannot use the response store {url}: {said or type(error).__name__}; check that it can "
        "be reached and written with these credentials, then run again"
    )
