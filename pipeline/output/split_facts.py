"""How a finished build is split, read from its tables."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow.parquet as pq

from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.sink import DEAD_LETTERS
from ieat.pipeline.output.split_check import (
    HeldOutError,
    Parted,
    Shared,
    SharedKey,
    find_shared,
    refuse_held_out,
)
from ieat.schemas.build import Manifest, ShardFile

MOST_TOLD = 3
"""Shared speakers or scripts that are named; the others are counted."""


def shared_in_build(folder: BuildFolder, manifest: Manifest) -> Shared:
    """Find the speakers and scripts that lie in more than one split of a build."""
    columns = ["dialogue_id", "split", "speaker_ids", "script_ids"]
    return find_shared(
        Parted(
            row["dialogue_id"], row["split"], tuple(row["speaker_ids"]), tuple(row["script_ids"])
        )
        for _, row in _rows(folder, manifest, "dialogues", columns)
    )


def made_splits_by(identity: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a build parted its dialogues by; nothing where it kept the corpora's splits."""
    settings = (identity.get("config") or {}).get("splits") or {}
    return tuple(settings.get("by") or ()) if settings.get("shares") else ()


def describe_shared(shared: Shared) -> Iterator[tuple[str, str]]:
    """Yield a kind, speaker or script, of which some are shared, and a sentence about them."""
    for kind, found in (("speaker", shared.speakers), ("script", shared.scripts)):
        if found:
            told = ", ".join(_told(one) for one in found[:MOST_TOLD])
            more = f" and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else ""
            yield kind, f"splits: {len(found)} {kind}s lie in more than one: {told}{more}"


def _told(shared: SharedKey) -> str:
    examples = ", ".join(f"{dialogue_id} in {split}" for split, dialogue_id in shared.examples)
    return f"{shared.key} ({examples})"


def misplaced_rows(folder: BuildFolder, manifest: Manifest) -> Iterator[str]:
    """Yield a sentence for each row in a split that it may not be in."""
    split_of: dict[str, str] = {}
    columns = ["dialogue_id", "split", "corpus_split"]
    for shard, row in _rows(folder, manifest, "dialogues", columns):
        split_of[row["dialogue_id"]] = row["split"]
        try:
            refuse_held_out(row["dialogue_id"], row["corpus_split"], row["split"])
        except HeldOutError as error:
            yield f"{shard.file}: {error}"
    # What failed lies in splits of its own, whatever it would have become.
    for table in sorted({shard.table for shard in manifest.shards} - {DEAD_LETTERS}):
        for shard, row in _rows(folder, manifest, table, ["row_id", "dialogue_id"]):
            split = split_of.get(row["dialogue_id"], shard.split)
            if split != shard.split:
                yield (
                    f"{shard.file}: {row['row_id']}: lies in {shard.split}, but its dialogue is "
                    f"of the split {split}"
                )


def _rows(
    folder: BuildFolder, manifest: Manifest, table: str, columns: list[str]
) -> Iterator[tuple[ShardFile, dict[str, Any]]]:
    """Yield the rows of a table that have all the columns, with their files."""
    for shard in manifest.shards:
        if shard.table == table:
            with (
                folder.files.open(folder.path(shard.file), "rb") as stream,
                pq.ParquetFile(stream) as parquet,
            ):
                if set(columns) <= set(parquet.schema_arrow.names):
                    for batch in parquet.iter_batches(columns=columns):
                        for row in batch.to_pylist():
                            yield shard, row
