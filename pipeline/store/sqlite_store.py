"""The response store of one machine: a SQLite file that several processes share."""

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple, TypeVar

from ieat.pipeline.failures import ConfigError, RunStopped
from ieat.pipeline.ports import SealedAnswer
from ieat.pipeline.store.file_systems import refuse_remote_folder
from ieat.pipeline.store.seal import BrokenAnswer, seal, storable, unreadable, unseal
from ieat.pipeline.store.sqlite_file import (
    FILE_NAME,
    check_version,
    connect,
    describe_problem,
    make_or_upgrade,
    open_read_only,
    pragma,
)
from ieat.schemas.engine import StoredAnswer

T = TypeVar("T")

GROUP_WAIT = 0.004
"""Time that the writer gathers answers before it commits them together, seconds."""
KEYS_PER_QUERY = 500
"""Keys looked up in one query; SQLite limits the parameters of a statement."""


class _Use(NamedTuple):
    """A dialogue uses a key."""

    key: str
    dialogue_id: str


class _Write(NamedTuple):
    """An answer to keep, and who waits until it is durable."""

    row: tuple[str, str, str, str, str]
    dialogue_id: str
    replaces: bool
    loop: asyncio.AbstractEventLoop
    written: "asyncio.Future[bool]"
    """Whether the answer is the one that stays."""


class _Mark(NamedTuple):
    """Everything before it is written once the event is set."""

    reached: threading.Event


class _Stop(NamedTuple):
    """The writer's last item."""


_Item = _Use | _Write | _Mark


class SqliteStore:
    """Keeps answers in one SQLite file, durable when `put` returns.

    Safe to use from any thread and event loop of a process, and from several processes of one
    machine at once. Open it where it is used; it cannot be sent to another process.

    Args:
        folder: Folder of the file; made when it is not there.
        replay: Whether the file is only read.

    Raises:
        ConfigError: The folder is remote, or the file is missing in replay, foreign or broken.
    """

    def __init__(self, folder: Path, *, replay: bool = False) -> None:
        refuse_remote_folder(folder)
        self._file = folder / FILE_NAME
        self._replay = replay
        self._closing = threading.Lock()
        self._reading = threading.Lock()
        self._is_closed = False
        self._queue: SimpleQueue[_Item | _Stop] = SimpleQueue()
        self._writer: threading.Thread | None = None
        try:
            if replay:
                self._reader = open_read_only(self._file)
            else:
                folder.mkdir(parents=True, exist_ok=True)
                self._reader = connect(self._file)
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(describe_problem(self._file, error)) from None
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._reader.close()
            raise ConfigError(describe_problem(self._file, error)) from None
        except ConfigError:
            self._reader.close()
            raise
        if not replay:
            # A daemon: whoever forgets to close loses no answer, only the notes of who used it.
            self._writer = threading.Thread(target=self._write_groups, name="store", daemon=True)
            self._writer.start()

    async def get(self, key: str, dialogue_id: str) -> StoredAnswer | None:
        """Return the answer, or null; remembers that the dialogue uses it, unless in replay.

        Raises:
            RunStopped: The file can no longer be read.
        """
        # One indexed read takes some 20 microseconds; a thread would take longer.
        rows = self._read(f"SELECT {self._columns} FROM answers WHERE key = ?", [key])
        if not rows:
            return None
        try:
            stored = unseal(_sealed(rows[0]))
        except BrokenAnswer as problem:
            raise unreadable(key, str(self._file), problem) from None
        self.note(key, dialogue_id)
        return stored

    def note(self, key: str, dialogue_id: str) -> None:
        """Remember that a dialogue uses an answer that is there; nothing in replay."""
        if not self._replay:
            self._enqueue(_Use(key, storable(dialogue_id)))

    async def put(
        self, stored: StoredAnswer, dialogue_id: str, *, replaces: bool = False
    ) -> StoredAnswer:
        """Keep an answer and return the one that stays, durably.

        A cancelled `put` still writes: the answer was paid.

        Raises:
            RunStopped: The file cannot be written.
        """
        if self._replay:
            raise RuntimeError(f"{self._file} is open for replay and takes no answers")
        # Made into text here, so that an answer that cannot be one fails its own caller alone.
        sealed = seal(stored)
        row = (stored.key, stored.engine_id, stored.label, sealed.text, sealed.sha256 or "")
        loop = asyncio.get_running_loop()
        written: asyncio.Future[bool] = loop.create_future()
        self._enqueue(_Write(row, storable(dialogue_id), replaces, loop, written))
        if await written:
            return stored
        return await self.get(stored.key, dialogue_id) or stored

    def contains(self, keys: list[str]) -> set[str]:
        """Return those of the keys that are there.

        Raises:
            RunStopped: The file can no longer be read.
        """
        found: set[str] = set()
        for first in range(0, len(keys), KEYS_PER_QUERY):
            some = keys[first : first + KEYS_PER_QUERY]
            marks = ",".join("?" * len(some))
            found |= {row[0] for row in self._read(_KEYS_AMONG.format(marks=marks), some)}
        return found

    def keys_of(self, dialogue_id: str) -> set[str]:
        """Return the keys of all answers that a dialogue uses, a few milliseconds old.

        Raises:
            RunStopped: The file can no longer be read.
        """
        rows = self._read("SELECT key FROM uses WHERE dialogue_id = ?", [storable(dialogue_id)])
        return {row[0] for row in rows}

    def answers(self) -> Iterator[SealedAnswer]:
        """Yield every answer in the order of keys."""
        after = ""
        while rows := self._read(
            f"SELECT {self._columns} FROM answers WHERE key > ? ORDER BY key LIMIT {_PAGE}", [after]
        ):
            yield from map(_sealed, rows)
            after = rows[-1][0]

    def uses(self) -> Iterator[tuple[str, str]]:
        """Yield each dialogue id with each key that it uses, sorted."""
        after = ("", "")
        while rows := self._read(
            "SELECT dialogue_id, key FROM uses WHERE (dialogue_id, key) > (?, ?) "
            f"ORDER BY dialogue_id, key LIMIT {_PAGE}",
            [*after],
        ):
            yield from ((dialogue_id, key) for dialogue_id, key in rows)
            after = (rows[-1][0], rows[-1][1])

    def find(self, prefix: str) -> list[SealedAnswer]:
        """Return the answers whose keys begin so, at most 10."""
        rows = self._read(
            f"SELECT {self._columns} FROM answers WHERE key >= ? AND key < ? ORDER BY key LIMIT 10",
            [prefix, prefix + "~"],
        )
        return [_sealed(row) for row in rows]

    def remove(self, keys: Iterable[str]) -> int:
        """Remove answers and who uses them; no bytes of them stay in the file.

        Raises:
            RunStopped: The file cannot be written.
        """
        marked = [(key,) for key in keys]

        def remove(writer: sqlite3.Connection) -> int:
            removed = writer.executemany("DELETE FROM answers WHERE key = ?", marked).rowcount
            writer.executemany("DELETE FROM uses WHERE key = ?", marked)
            return removed

        return self._change(remove)

    def forget_dialogues(self, dialogue_ids: Iterable[str]) -> set[str]:
        """Remove who these dialogues are; returns keys that no dialogue uses any more.

        Raises:
            RunStopped: The file cannot be written.
        """
        names = [(storable(dialogue_id),) for dialogue_id in dialogue_ids]

        def forget(writer: sqlite3.Connection) -> set[str]:
            used: set[str] = set()
            for name in names:
                used.update(
                    row[0]
                    for row in writer.execute("SELECT key FROM uses WHERE dialogue_id = ?", name)
                )
                writer.execute("DELETE FROM uses WHERE dialogue_id = ?", name)
            return {
                key
                for key in used
                if not writer.execute("SELECT 1 FROM uses WHERE key = ? LIMIT 1", [key]).fetchone()
            }

        return self._change(forget)

    def _change(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Change the file in one transaction, then rewrite it without what was removed."""
        if self._replay:
            raise RuntimeError(f"{self._file} is open for replay and cannot be changed")
        self._drain()
        writer = connect(self._file)
        try:
            with writer:
                writer.execute("PRAGMA secure_delete = ON")
                writer.execute("BEGIN IMMEDIATE")
                result = change(writer)
            writer.execute("VACUUM")
            writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            problem = RunStopped("store_failed", describe_problem(self._file, error))
        else:
            return result
        finally:
            writer.close()
        raise problem

    def _drain(self) -> None:
        """Wait until what was noted so far is written."""
        noted = threading.Event()
        self._enqueue(_Mark(noted))
        noted.wait()

    def close(self) -> None:
        """Write what is waiting and let go of the files; closing twice is fine."""
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
            self._queue.put(_Stop())
        if self._writer is not None:
            self._writer.join()
        with self._reading:
            self._reader.close()

    def _prepare(self) -> None:
        """Make the tables, or check that they are ours and of a version that can be read."""
        if not self._replay:
            with self._reader as transaction:
                # Two processes may both come first: the lock lets one make or change the tables.
                transaction.execute("BEGIN IMMEDIATE")
                make_or_upgrade(transaction)
        check_version(self._reader, self._file)
        has_hashes = pragma(self._reader, "user_version") > 1
        self._columns = "key, engine_id, label, answer, " + ("sha256" if has_hashes else "NULL")

    def _read(self, query: str, values: list[str]) -> list[tuple[str, ...]]:
        with self._reading:
            if self._is_closed:
                raise RuntimeError(f"the response store {self._file} is closed")
            try:
                return self._reader.execute(query, values).fetchall()
            except sqlite3.Error as error:
                problem = RunStopped("store_failed", describe_problem(self._file, error))
        raise problem

    def _enqueue(self, item: _Item) -> None:
        with self._closing:
            if self._is_closed:
                raise RuntimeError(f"the response store {self._file} is closed")
            self._queue.put(item)

    def _write_groups(self) -> None:
        """Write until the store closes: what arrives within a few milliseconds is one commit."""
        try:
            writer = connect(self._file)
        except sqlite3.Error as error:
            self._refuse_all(RunStopped("store_failed", describe_problem(self._file, error)))
            return
        try:
            stops = False
            while not stops:
                group = self._next_group()
                stops = any(isinstance(item, _Stop) for item in group)
                self._commit(writer, [item for item in group if not isinstance(item, _Stop)])
        finally:
            writer.close()

    def _next_group(self) -> list[_Item | _Stop]:
        group = [self._queue.get()]
        deadline = time.monotonic() + GROUP_WAIT
        while not isinstance(group[-1], _Stop):
            try:
                group.append(self._queue.get(timeout=max(0.0, deadline - time.monotonic())))
            except Empty:  # noqa: PERF203 - the only way a queue says so
                break
        return group

    def _commit(self, writer: sqlite3.Connection, group: list[_Item]) -> None:
        writes = [item for item in group if isinstance(item, _Write)]
        uses = sorted(
            {(write.dialogue_id, write.row[0]) for write in writes}
            | {(item.dialogue_id, item.key) for item in group if isinstance(item, _Use)}
        )
        outcomes: list[bool | RunStopped] = []
        try:
            with writer:
                writer.execute("BEGIN IMMEDIATE")
                for write in writes:
                    insert = _REPLACE if write.replaces else _KEEP
                    outcomes.append(writer.execute(insert, write.row).rowcount > 0)
                writer.executemany("INSERT OR IGNORE INTO uses VALUES (?, ?)", uses)
        except sqlite3.Error as error:
            outcomes = [RunStopped("store_failed", describe_problem(self._file, error))] * len(
                writes
            )
        for write, outcome in zip(writes, outcomes, strict=True):
            _settle(write, outcome)
        _reach(group)

    def _refuse_all(self, problem: RunStopped) -> None:
        """Fail whatever comes, until the store closes."""
        while not isinstance(item := self._queue.get(), _Stop):
            if isinstance(item, _Write):
                _settle(item, problem)
            else:
                _reach([item])


_KEEP = "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?)"
_REPLACE = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)"
_PAGE = 1000
"""Rows that are read at once when all are."""
_KEYS_AMONG = "SELECT key FROM answers WHERE key IN ({marks})"


def _reach(group: list[_Item]) -> None:
    for item in group:
        if isinstance(item, _Mark):
            item.reached.set()


def _sealed(row: tuple[str, ...]) -> SealedAnswer:
    """Return a row as a sealed answer; rows of the first version hold the answer alone."""
    key, engine_id, label, text, sha256 = row
    if not sha256:
        text = (
            f'{{"key":{json.dumps(key)},"engine_id":{json.dumps(engine_id)},'
            f'"label":{json.dumps(label)},"answer":{text}}}'
        )
    return SealedAnswer(key, text, sha256 or None)


def _settle(write: _Write, outcome: bool | RunStopped) -> None:
    """Tell who waits for a write how it ended."""

    def tell() -> None:
        if write.written.done():
            return
        if isinstance(outcome, RunStopped):
            write.written.set_exception(RunStopped(outcome.code, outcome.message))
        else:
            write.written.set_result(outcome)

    # A loop that has ended in the meantime has nobody left who waits.
    if not write.loop.is_closed():
        try:
            write.loop.call_soon_threadsafe(tell)
        except RuntimeError:
            return
