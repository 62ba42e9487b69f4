"""Take dialogues out of a finished build: rows, clips and dead letters, with books that balance."""

from collections import Counter
from collections.abc import Set
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ieat.pipeline.output.card import write_card
from ieat.pipeline.output.closing import MANIFEST, read_manifest
from ieat.pipeline.output.files import BuildFolder, WrittenFile
from ieat.pipeline.output.shards import open_writer
from ieat.pipeline.output.sink import DEAD_LETTERS
from ieat.schemas.base import Value
from ieat.schemas.build import Manifest, ShardFile, UnitCounts
from ieat.schemas.rows import TABLES
from ieat.schemas.score_rows import SCORES, ScoreRow

WITHDRAWN = "withdrawn"
"""Code of what was taken out."""
UNIT_OF_TABLE = {"dialogues": "dialogues", "stage1": "turns", "stage2": "targets"}
"""Units in the books that have a row in each table."""


class TakenOut(NamedTuple):
    """What one file lost."""

    file: ShardFile
    """The file as it is now."""
    num_rows: int
    """Rows that were taken out."""
    codes: Counter[str]
    """Those of them that are dead letters, by `unit:code`."""


def dialogues_of_speaker(out: str, corpus: str, speaker: str) -> set[str]:
    """Return the ids of the dialogues of a build in which somebody speaks.

    Raises:
        ConfigError: The folder holds no build.
    """
    folder = BuildFolder(out)
    found = set()
    for shard in read_manifest(folder).shards:
        if shard.table != "dialogues":
            continue
        with folder.files.open(folder.path(shard.file), "rb") as stream:
            table = pq.read_table(stream, columns=["dialogue_id", "corpus", "turns"])
        for row in table.to_pylist():
            if row["corpus"] == corpus and any(turn["speaker"] == speaker for turn in row["turns"]):
                found.add(row["dialogue_id"])
    return found


def take_out(out: str, dialogue_ids: Set[str]) -> int:
    """Take dialogues out of a build and return how many rows went.

    A file is replaced as a whole. Where this ends halfway, `ieat verify` names the files that
    differ from the manifest, and the same command again mends them.

    Raises:
        ConfigError: The folder holds no build.
    """
    folder = BuildFolder(out)
    manifest = read_manifest(folder)
    taken = [_rewrite(folder, shard, dialogue_ids) for shard in manifest.shards]
    scores = [
        _drop_rows(folder, name, ScoreRow, dialogue_ids)
        for name in folder.names()
        if name.startswith(f"{SCORES}/") and name.endswith(".parquet")
    ]
    num_scores = sum(dropped.rows.num_rows for dropped in scores if dropped is not None)
    num_rows = sum(one.num_rows for one in taken)
    if num_rows:
        changed = _settle(manifest, taken)
        changed.balance()
        folder.write_json(MANIFEST, changed.model_dump(mode="json"))
        write_card(folder)
    return num_rows + num_scores


def _rewrite(folder: BuildFolder, shard: ShardFile, dialogue_ids: Set[str]) -> TakenOut:
    """Write a file of the manifest anew without some dialogues."""
    dropped = _drop_rows(folder, shard.file, TABLES[shard.table], dialogue_ids)
    if dropped is None:
        return TakenOut(shard, 0, Counter())
    codes: Counter[str] = Counter()
    if shard.table == DEAD_LETTERS:
        codes.update(
            f"{unit}:{code}"
            for unit, code in zip(
                dropped.rows["unit"].to_pylist(), dropped.rows["code"].to_pylist(), strict=True
            )
        )
    num_rows = dropped.rows.num_rows
    changed = shard.model_copy(
        update={
            "num_rows": shard.num_rows - num_rows,
            "num_bytes": dropped.file.num_bytes,
            "sha256": dropped.file.sha256,
        }
    )
    return TakenOut(changed, num_rows, codes)


class _Dropped(NamedTuple):
    """Rows that are no longer in a file."""

    rows: pa.Table
    """Their ids, and of dead letters unit and code."""
    file: WrittenFile
    """The file as it is now."""


def _drop_rows(
    folder: BuildFolder, name: str, row_type: type[Value], dialogue_ids: Set[str]
) -> _Dropped | None:
    """Write a file anew without some dialogues; null for one that holds none of them."""
    unwanted = pa.array(sorted(dialogue_ids), pa.string())
    with folder.files.open(folder.path(name), "rb") as stream:
        file = pq.ParquetFile(stream)
        told = [column for column in ("dialogue_id", "unit", "code") if column in file.schema.names]
        about = file.read(columns=told)
        gone = about.filter(pc.is_in(about["dialogue_id"], value_set=unwanted))
        if not gone.num_rows:
            return None
        with folder.write(name) as new, open_writer(new, row_type) as writer:
            for number in range(file.num_row_groups):
                group = file.read_row_group(number)
                kept = group.filter(pc.invert(pc.is_in(group["dialogue_id"], value_set=unwanted)))
                if kept.num_rows:
                    writer.write_table(kept.cast(writer.schema), row_group_size=kept.num_rows)
    return _Dropped(gone, new)


def _settle(manifest: Manifest, taken: list[TakenOut]) -> Manifest:
    """Return the manifest without what was taken out: written units become filtered ones."""
    gone: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    books = manifest.books
    tables = dict(books.tables)
    for one in taken:
        codes.update(one.codes)
        table = one.file.table
        if table in UNIT_OF_TABLE:
            gone[UNIT_OF_TABLE[table]] += one.num_rows
        elif table in tables:
            tables[table] = _moved(tables[table], one.num_rows)
    return manifest.model_copy(
        update={
            "shards": tuple(one.file for one in taken),
            "codes": {
                code: count - codes[code]
                for code, count in manifest.codes.items()
                if count > codes[code]
            },
            "books": books.model_copy(
                update={unit: _moved(getattr(books, unit), count) for unit, count in gone.items()}
                | {"tables": tables}
            ),
        }
    )


def _moved(counts: UnitCounts, count: int) -> UnitCounts:
    filtered = {**counts.filtered, WITHDRAWN: counts.filtered.get(WITHDRAWN, 0) + count}
    return counts.model_copy(
        update={
            "written": counts.written - count,
            "filtered": dict(sorted(filtered.items())) if count else counts.filtered,
        }
    )
