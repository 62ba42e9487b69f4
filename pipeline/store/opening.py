"""The response store at a place: SQLite in a local folder, objects at a URL."""

from pathlib import Path

from ieat.pipeline.ports import ResponseStore, StoreUpkeep
from ieat.pipeline.store.cached_store import CachedStore
from ieat.pipeline.store.object_store import ObjectStore
from ieat.pipeline.store.sqlite_store import SqliteStore


def open_store(location: str, *, replay: bool) -> ResponseStore:
    """Open a store for a build, with a memory in front of it.

    Args:
        location: Folder on a local disk, or fsspec URL.
        replay: Whether it is only read.

    Raises:
        ConfigError: There can be no store.
    """
    return CachedStore(open_for_upkeep(location, replay=replay))


def open_for_upkeep(location: str, *, replay: bool = False) -> StoreUpkeep:
    """Open a store for looking after it.

    Raises:
        ConfigError: There can be no store.
    """
    if "://" in location:
        return ObjectStore(location, replay=replay)
    return SqliteStore(Path(location), replay=replay)
