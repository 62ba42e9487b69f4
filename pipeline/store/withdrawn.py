"""Dialogues whose people withdrew their consent: remembered beside the store, by hash alone."""

import hashlib
import json
from collections.abc import Iterable

from fsspec.core import url_to_fs

from ieat.pipeline.failures import ConfigError

FILE_NAME = "withdrawn.json"
"""File within the store: SHA-256 of the id of each withdrawn dialogue."""


def hash_id(dialogue_id: str) -> str:
    """Return what is remembered of a dialogue."""
    return hashlib.sha256(dialogue_id.encode("utf-8", "surrogatepass")).hexdigest()


def read_withdrawn(store: str) -> frozenset[str]:
    """Return the hashes of the dialogues that no build on this store may use.

    Args:
        store: Folder or fsspec URL of the store.

    Raises:
        ConfigError: The file cannot be read: building without it would use what was withdrawn.
    """
    file = f"{store.rstrip('/')}/{FILE_NAME}"
    try:
        files, path = url_to_fs(file)
        if not files.exists(path):
            return frozenset()
        return frozenset(json.loads(files.cat_file(path)))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(
            f"cannot read which dialogues were withdrawn from {file}: {error}; mend or restore "
            "the file"
        ) from None


def remember_withdrawn(store: str, dialogue_ids: Iterable[str]) -> None:
    """Add dialogues to those that no build on this store may use.

    Raises:
        ConfigError: The file cannot be read or written.
    """
    known = read_withdrawn(store) | {hash_id(dialogue_id) for dialogue_id in dialogue_ids}
    file = f"{store.rstrip('/')}/{FILE_NAME}"
    try:
        files, path = url_to_fs(file)
        files.pipe_file(path, (json.dumps(sorted(known), indent=1) + "\n").encode())
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error}") from None
