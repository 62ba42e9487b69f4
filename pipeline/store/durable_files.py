"""Files of a local disk that are there whole once a call returns, whatever dies."""

import os
import secrets
from pathlib import Path


def create_durably(file: Path, content: bytes) -> bool:
    """Write a file where none is, whole or not at all, durably."""
    temporary = _write_beside(file, content)
    try:
        os.link(temporary, file)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    _sync_folder(file.parent)
    return True


def replace_durably(file: Path, content: bytes) -> None:
    """Write a file in place of whatever is there, whole or not at all, durably."""
    _write_beside(file, content).replace(file)
    _sync_folder(file.parent)


def _write_beside(file: Path, content: bytes) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(6)}.tmp")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return temporary


def _sync_folder(folder: Path) -> None:
    """Make the name of a new file durable; not every system can open a folder."""
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
