"""The response store of one machine: a SQLite file that several processes share."""

import asyncio
import sqlite3
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple

from pydantic import ValidationError

from ieat.pipeline.failures import ConfigError, RunStopped
from ieat.pipeline.store.file_systems import refuse_remote_folder
from ieat.schemas.engine import Answer, StoredAnswer

FILE_NAME = "responses.sqlite"
APPLICATION_ID = 0x69656174
"""Marks the file as ours in SQLite's header: `ieat` in ASCII."""
STORE_VERSION = 1
"""Version of the tables, kept as SQLite's user_version."""

GROUP_WAIT = 0.004
"""Time that the writer gathers answers before it commits them together, seconds."""
BUSY_TIMEOUT = 60.0
"""Longest wait for another process that writes, seconds."""
KEYS_PER_QUERY = 500
"""Keys looked up in one query; SQLite limits the parameters of a statement."""

TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    engine_id TEXT NOT NULL,
    label TEXT NOT NULL,
    answer TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS uses (
    dialogue_id TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (dialogue_id, key)
) WITHOUT ROWID;
"""


class _Use(NamedTuple):
    """A dialogue uses a key."""

    key: str
    dialogue_id: str


class _Write(NamedTuple):
    """An answer to keep, and who waits until it is durable."""

    row: tuple[str, str, str, str]
    dialogue_id: str
    replaces: bool
    loop: asyncio.AbstractEventLoop
    written: "asyncio.Future[bool]"
    """Whether the answer is the one that stays."""


class _Stop(NamedTuple):
    """The writer's last item."""


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
        self._queue: SimpleQueue[_Use | _Write | _Stop] = SimpleQueue()
        self._writer: threading.Thread | None = None
        try:
            if replay:
                self._reader = _open_read_only(self._file)
            else:
                folder.mkdir(parents=True, exist_ok=True)
                self._reader = _connect(self._file)
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(_repair(self._file, error)) from None
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._reader.close()
            raise ConfigError(_repair(self._file, error)) from None
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
        rows = self._read("SELECT engine_id, label, answer FROM answers WHERE key = ?", [key])
        if not rows:
            return None
        engine_id, label, text = rows[0]
        try:
            answer = Answer.model_validate_json(text)
        except ValidationError:
            raise RunStopped(
                "store_failed",
                f"the answer {key[:12]} in {self._file} cannot be read by this version of ieat; "
                "take the version that wrote it, or another store",
            ) from None
        self.note(key, dialogue_id)
        return StoredAnswer(key=key, engine_id=engine_id, label=label, answer=answer)

    def note(self, key: str, dialogue_id: str) -> None:
        """Remember that a dialogue uses an answer that is there; nothing in replay."""
        if not self._replay:
            self._enqueue(_Use(key, _storable(dialogue_id)))

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
        text = stored.answer.model_dump_json()
        row = (stored.key, stored.engine_id, stored.label, text)
        loop = asyncio.get_running_loop()
        written: asyncio.Future[bool] = loop.create_future()
        self._enqueue(_Write(row, _storable(dialogue_id), replaces, loop, written))
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
        rows = self._read("SELECT key FROM uses WHERE dialogue_id = ?", [_storable(dialogue_id)])
        return {row[0] for row in rows}

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
        """Make the tables, or check that they are ours and of this version."""
        if self._replay:
            self._check_version()
            return
        with self._reader as transaction:
            # Two processes may both come first: the lock lets one make the tables.
            transaction.execute("BEGIN IMMEDIATE")
            if _pragma(transaction, "application_id") == 0 and not _has_tables(transaction):
                for statement in TABLES.split(";"):
                    transaction.execute(statement)
                transaction.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                transaction.execute(f"PRAGMA user_version = {STORE_VERSION}")
        self._check_version()

    def _check_version(self) -> None:
        if _pragma(self._reader, "application_id") != APPLICATION_ID:
            raise ConfigError(
                f"{self._file} is a database of another program; set store to another folder"
            )
        version = _pragma(self._reader, "user_version")
        if version != STORE_VERSION:
            raise ConfigError(
                f"the response store {self._file} has version {version}, this ieat reads version "
                f"{STORE_VERSION}; take the ieat that wrote it, or set store to another folder"
            )
        # Touches the first pages of both tables, where a broken file most often shows.
        self._reader.execute("SELECT 1 FROM answers LIMIT 1").fetchall()
        self._reader.execute("SELECT 1 FROM uses LIMIT 1").fetchall()

    def _read(self, query: str, values: list[str]) -> list[tuple[str, ...]]:
        with self._reading:
            if self._is_closed:
                raise RuntimeError(f"the response store {self._file} is closed")
            try:
                return self._reader.execute(query, values).fetchall()
            except sqlite3.Error as error:
                problem = RunStopped("store_failed", _repair(self._file, error))
        raise problem

    def _enqueue(self, item: _Use | _Write) -> None:
        with self._closing:
            if self._is_closed:
                raise RuntimeError(f"the response store {self._file} is closed")
            self._queue.put(item)

    def _write_groups(self) -> None:
        """Write until the store closes: what arrives within a few milliseconds is one commit."""
        try:
            writer = _connect(self._file)
        except sqlite3.Error as error:
            self._refuse_all(RunStopped("store_failed", _repair(self._file, error)))
            return
        try:
            stops = False
            while not stops:
                group = self._next_group()
                stops = any(isinstance(item, _Stop) for item in group)
                self._commit(writer, [item for item in group if not isinstance(item, _Stop)])
        finally:
            writer.close()

    def _next_group(self) -> list[_Use | _Write | _Stop]:
        group = [self._queue.get()]
        deadline = time.monotonic() + GROUP_WAIT
        while not isinstance(group[-1], _Stop):
            try:
                group.append(self._queue.get(timeout=max(0.0, deadline - time.monotonic())))
            except Empty:  # noqa: PERF203 - the only way a queue says so
                break
        return group

    def _commit(self, writer: sqlite3.Connection, group: list[_Use | _Write]) -> None:
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
            outcomes = [RunStopped("store_failed", _repair(self._file, error))] * len(writes)
        for write, outcome in zip(writes, outcomes, strict=True):
            _settle(write, outcome)

    def _refuse_all(self, problem: RunStopped) -> None:
        """Fail whatever comes, until the store closes."""
        while not isinstance(item := self._queue.get(), _Stop):
            if isinstance(item, _Write):
                _settle(item, problem)


_KEEP = "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)"
_REPLACE = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)"
_KEYS_AMONG = "SELECT key FROM answers WHERE key IN ({marks})"


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


def _storable(dialogue_id: str) -> str:
    """Return an id that is valid Unicode: one made from a file name may hold stray bytes."""
    return dialogue_id.encode("utf-8", "backslashreplace").decode("utf-8")


def _connect(file: Path) -> sqlite3.Connection:
    """Open a file for reading and writing, in WAL mode, each commit synced to disk."""
    connection = sqlite3.connect(
        file, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
    )
    try:
        _switch_to_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; SQLite does not wait by itself when two processes do so at once."""
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:  # noqa: PERF203 - each round waits
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _open_read_only(file: Path) -> sqlite3.Connection:
    """Open a file that is there for reading, also in a folder that cannot be written."""
    if not file.is_file():
        raise ConfigError(
            f"there is no response store {file} to replay from; run once without replay, or set "
            "store to the folder of an earlier build"
        )
    wal = file.with_name(f"{file.name}-wal")
    uri = f"{file.absolute().as_uri()}?mode=ro"
    for form in (uri, f"{uri}&immutable=1"):
        connection = sqlite3.connect(
            form, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
        except sqlite3.OperationalError:
            connection.close()
            # Without a log all answers are in the file itself, which may be read as it is.
            if form == uri and not (wal.exists() and wal.stat().st_size):
                continue
            raise
        except sqlite3.Error:
            connection.close()
            raise
        return connection
    raise AssertionError("the second form either opens or raises")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def _repair(file: Path, error: sqlite3.Error | OSError) -> str:
    """Say what is wrong with the store and how to mend it."""
    if isinstance(error, OSError):
        return (
            f"cannot use the response store {file}: {error.strerror}; set store to another folder"
        )
    if "disk is full" in str(error):
        return f"the disk of the response store {file} is full; make room and run again"
    if isinstance(error, sqlite3.OperationalError):
        return (
            f"cannot use the response store {file}: {error}; check that the folder can be written "
            "and that no other program holds the file, then run again"
        )
    return (
        f"the response store {file} is broken or no store ({error}); move it away to begin a new "
        f"one, or save its answers with: sqlite3 {file.name} .recover | sqlite3 mended.sqlite"
    )
