"""The manifest that accounts for everything a build wrote."""

from collections.abc import Sequence
from typing import NamedTuple

from ieat.pipeline.output.books import Entry, close_books
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.group_records import GroupRecord, remove_records
from ieat.pipeline.output.shards import ShardName, write_shard
from ieat.pipeline.output.sink import DATA_TABLES, SinkSettings
from ieat.schemas.build import Manifest, ShardFile
from ieat.schemas.rows import TABLES

MANIFEST = "manifest.json"
"""The file that accounts for everything."""


class Beside(NamedTuple):
    """What was written of tables that do not come from dialogues."""

    files: tuple[ShardFile, ...] = ()
    """Their files, dead letters among them."""
    entries: tuple[Entry, ...] = ()
    """Their lines of the books."""


NOTHING_BESIDE = Beside()
"""All tables come from dialogues."""


def read_manifest(folder: BuildFolder) -> Manifest:
    """Return the manifest of a finished build."""
    return Manifest.model_validate_json(folder.read_bytes(MANIFEST))


def close_build(
    settings: SinkSettings,
    records: Sequence[GroupRecord],
    *,
    keeps_records: bool = False,
    beside: Beside = NOTHING_BESIDE,
) -> Manifest:
    """Write the manifest of all groups, with the shards that no group knew to be wanted.

    Args:
        settings: Where and how to write.
        records: What became of every group.
        keeps_records: Whether, where dialogues were not reached, the records of the finished
            groups stay for the next run.
        beside: Tables that were written beside the dialogues.

    Raises:
        UnbalancedBooksError: A unit or a row was lost or counted twice.
    """
    folder = BuildFolder(settings.out)
    files = [*(file for record in records for file in record.files), *beside.files]
    there = {file.file for file in files}
    # A group sees the splits of its own dialogues only; a split has all its shards.
    for split in sorted({file.split for file in files if file.table in DATA_TABLES}):
        for table in (*settings.tables, *settings.tables_beside):
            for shard in range(settings.num_shards):
                name = ShardName(table, split, shard, settings.num_shards)
                if name.file not in there:
                    files.append(write_shard(folder, name, (), None).file)
    entries = [entry for record in records for entry in record.entries.items()]
    manifest = write_manifest(settings, files, [*entries, *beside.entries])
    finished = [record for record in records if record.is_finished]
    goes_on = keeps_records and len(finished) < len(records)
    remove_records(folder, finished if goes_on else ())
    return manifest


def write_manifest(
    settings: SinkSettings, files: list[ShardFile], entries: list[Entry]
) -> Manifest:
    """Check the books against the files and write the manifest.

    Shards of an earlier run of this build that this run did not write are removed: their split
    is no longer there.

    Raises:
        UnbalancedBooksError: A unit or a row was lost or counted twice.
    """
    books, codes = close_books(entries)
    manifest = Manifest(
        books=books,
        shards=tuple(sorted(files, key=lambda shard: shard.file)),
        codes=codes,
        not_configured=settings.not_configured,
    )
    manifest.balance()
    folder = BuildFolder(settings.out)
    written = {shard.file for shard in manifest.shards}
    for name in folder.names():
        if name.split("/")[0] in TABLES and name.endswith(".parquet") and name not in written:
            folder.remove(name)
    folder.write_json(MANIFEST, manifest.model_dump(mode="json"))
    return manifest
