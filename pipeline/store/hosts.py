"""Remember which host answered under a model's name: another host may serve another model."""

import json

from fsspec.core import url_to_fs

HOSTS = "hosts.json"
"""File within the store's folder: base URL by engine id."""


def note_host(folder: str, engine_id: str, base_url: str) -> str | None:
    """Remember the host of an engine and return a warning when it was another one before.

    Keys of answers do not hold the host, so that a model can move; two hosts that serve different
    weights under one name are told apart by `revision`.
    """
    known = read_hosts(folder)
    before = known.get(engine_id)
    if before == base_url:
        return None
    files, root = url_to_fs(folder)
    file = f"{root.rstrip('/')}/{HOSTS}"
    text = json.dumps(known | {engine_id: base_url}, indent=2) + "\n"
    files.pipe_file(file, text.encode())
    if before is None:
        return None
    return (
        f"{engine_id} was asked at {before} before and is now asked at {base_url}; stored answers "
        "are used as they are. If it is another model, set its revision."
    )


def read_hosts(folder: str) -> dict[str, str]:
    """Return the base URL at which each engine was asked last, by engine id; empty for none."""
    try:
        files, root = url_to_fs(folder)
        read = json.loads(files.cat_file(f"{root.rstrip('/')}/{HOSTS}"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
