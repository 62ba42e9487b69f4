"""The SQLite file of a response store: its tables, how it is opened, what its errors mean."""

import sqlite3
import time
from pathlib import Path

from ieat.pipeline.failures import ConfigError

FILE_NAME = "responses.sqlite"
APPLICATION_ID = 0x69656174
"""Marks the file as ours in SQLite's header: `ieat` in ASCII."""
STORE_VERSION = 2
"""Version of the tables, kept as SQLite's user_version. The first had no SHA-256, and kept the
answer without what it cost."""

BUSY_TIMEOUT = 60.0
"""Longest wait for another process that writes, seconds."""

TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    engine_id TEXT NOT NULL,
    label TEXT NOT NULL,
    answer TEXT NOT NULL,
    sha256 TEXT
);
CREATE TABLE IF NOT EXISTS uses (
    dialogue_id TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (dialogue_id, key)
) WITHOUT ROWID;
"""


def connect(file: Path) -> sqlite3.Connection:
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


def open_read_only(file: Path) -> sqlite3.Connection:
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


def make_or_upgrade(transaction: sqlite3.Connection) -> None:
    """Make the tables of an empty file, or bring those of an earlier version up to this one."""
    if pragma(transaction, "application_id") == 0 and not has_tables(transaction):
        for statement in TABLES.split(";"):
            transaction.execute(statement)
        transaction.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        transaction.execute(f"PRAGMA user_version = {STORE_VERSION}")
    elif is_ours(transaction) and pragma(transaction, "user_version") == 1:
        transaction.execute("ALTER TABLE answers ADD COLUMN sha256 TEXT")
        transaction.execute(f"PRAGMA user_version = {STORE_VERSION}")


def check_version(connection: sqlite3.Connection, file: Path) -> None:
    """Check that a file holds a response store of a version that can be read.

    Raises:
        ConfigError: It does not.
    """
    if not is_ours(connection):
        raise ConfigError(f"{file} is a database of another program; set store to another folder")
    version = pragma(connection, "user_version")
    if not 1 <= version <= STORE_VERSION:
        raise ConfigError(
            f"the response store {file} has version {version}, this ieat reads versions 1 to "
            f"{STORE_VERSION}; take the ieat that wrote it, or set store to another folder"
        )
    # Touches the first pages of both tables, where a broken file most often shows.
    connection.execute("SELECT 1 FROM answers LIMIT 1").fetchall()
    connection.execute("SELECT 1 FROM uses LIMIT 1").fetchall()


def is_ours(connection: sqlite3.Connection) -> bool:
    """Tell whether a file is marked as a response store."""
    return pragma(connection, "application_id") == APPLICATION_ID


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """Return a number that SQLite keeps in the file."""
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def has_tables(connection: sqlite3.Connection) -> bool:
    """Tell whether a file has any table."""
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def describe_problem(file: Path, error: sqlite3.Error | OSError) -> str:
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
