"""What a finished group of shards leaves behind: a killed build goes on after it."""

from collections.abc import Iterable
from contextlib import suppress

from pydantic import ValidationError

from ieat.pipeline.output.books import READ
from ieat.pipeline.output.files import BuildFolder
from ieat.schemas.base import Index, Value
from ieat.schemas.build import ShardFile

GROUPS = "_groups"
"""Folder of the records; only a build that is under way or was stopped has it."""


class Group(Value):
    """Whole shards that one pipeline writes."""

    shards: tuple[Index, ...]
    """0-based numbers of the shards, ascending."""
    digest: str = ""
    """SHA-256 of all that its rows are made from, hexadecimal; empty when it is unknown."""

    @property
    def file(self) -> str:
        """Path of its record within the build."""
        return f"{GROUPS}/{self.shards[0]:05d}.json"


class GroupRecord(Value):
    """What became of a group: its part of the manifest."""

    group: Group
    """The group."""
    files: tuple[ShardFile, ...]
    """The files that it wrote."""
    entries: dict[str, int]
    """Its lines of the books."""

    @property
    def num_read(self) -> int:
        """Dialogues that the corpora gave."""
        return self.entries.get(READ, 0)

    @property
    def is_finished(self) -> bool:
        """Whether all its dialogues were reached."""
        return not any("|not_reached|" in line for line in self.entries)


def write_record(folder: BuildFolder, record: GroupRecord) -> None:
    """Write the record of a group."""
    folder.write_json(record.group.file, record.model_dump(mode="json"))


def read_record(folder: BuildFolder, group: Group) -> GroupRecord:
    """Return the record of a group that was written.

    Raises:
        FileNotFoundError: The group has none.
        ValidationError: It is that of another version.
    """
    return GroupRecord.model_validate_json(folder.read_bytes(group.file))


def finished_records(folder: BuildFolder, groups: Iterable[Group]) -> dict[Group, GroupRecord]:
    """Return the records of those groups that an earlier run finished, made from the same."""
    sizes = _sizes(folder)
    found = {}
    for group in groups:
        if group.file not in sizes or not group.digest:
            continue
        try:
            record = read_record(folder, group)
        except ValidationError:
            continue
        if (
            record.group == group
            and record.is_finished
            and all(sizes.get(file.file) == file.num_bytes for file in record.files)
        ):
            found[group] = record
    return found


def _sizes(folder: BuildFolder) -> dict[str, int]:
    """Return the size of every file of a build, bytes."""
    folder.files.invalidate_cache()
    found = folder.files.find(folder.root, detail=True)
    start = len(folder.root.rstrip("/")) + 1
    return {path[start:]: int(info["size"]) for path, info in found.items()}


def remove_records(folder: BuildFolder, kept: Iterable[GroupRecord] = ()) -> None:
    """Remove all records but the given ones; without any, the folder too."""
    names = {record.group.file for record in kept}
    for name in folder.names():
        if name.startswith(f"{GROUPS}/") and name.endswith(".json") and name not in names:
            folder.remove(name)
    if not names:
        # Object stores have no folders, and some file systems none that are empty.
        with suppress(OSError):
            folder.files.rmdir(folder.path(GROUPS))
