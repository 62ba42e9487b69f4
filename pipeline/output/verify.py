"""Check a finished build: hashes, schema, ids, counts, and that every clip decodes."""

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from pydantic import ValidationError

from ieat.pipeline.failures import ConfigError
from ieat.pipeline.output.build_files import read_identity
from ieat.pipeline.output.closing import MANIFEST, read_manifest
from ieat.pipeline.output.files import TEMPORARY, BuildFolder
from ieat.pipeline.output.huggingface import SAMPLE_RATE, file_metadata
from ieat.pipeline.output.split_facts import (
    describe_shared,
    made_splits_by,
    misplaced_rows,
    shared_in_build,
)
from ieat.schemas.aqa_rows import AqaRow
from ieat.schemas.arrow import arrow_schema, from_record
from ieat.schemas.base import Index, Value
from ieat.schemas.build import Manifest, ShardFile, UnbalancedBooksError
from ieat.schemas.humdial_rows import HumdialRow
from ieat.schemas.rows import TABLES, Row, Stage1Row, Stage2Row

BATCH_ROWS = 16
"""Rows that are in memory at a time."""


class Report(Value):
    """What was checked, and what is wrong."""

    num_files: Index
    """Files of tables that were read."""
    num_rows: Index
    """Rows that were read and validated."""
    num_clips: Index
    """Clips that were decoded."""
    problems: tuple[str, ...]
    """What is wrong, one sentence each."""
    notes: tuple[str, ...] = ()
    """What is no defect but should be known, one sentence each."""

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def describe(self) -> str:
        """Say it to a person, a problem a line."""
        checked = f"{self.num_files} files, {self.num_rows} rows, {self.num_clips} clips"
        notes = tuple(f"note: {note}" for note in self.notes)
        if self.is_sound:
            return "\n".join((f"sound: {checked}", *notes))
        return "\n".join((f"{len(self.problems)} problems in {checked}", *self.problems, *notes))


class _Counts:
    def __init__(self) -> None:
        self.files = self.rows = self.clips = 0


def verify(out: str) -> Report:
    """Read a whole build and check it against its manifest.

    Raises:
        ConfigError: The folder holds no finished build.
    """
    folder = BuildFolder(out)
    identity = read_identity(folder)
    try:
        manifest = read_manifest(folder)
    except FileNotFoundError as error:
        raise ConfigError(
            f"{out} holds no {MANIFEST}: its build is not finished; the same command goes on"
        ) from error
    except ValidationError as error:
        raise ConfigError(f"{folder.path(MANIFEST)} is not in the form of this version") from error
    counts = _Counts()
    problems = list(_problems(folder, manifest, counts))
    notes: list[str] = []
    # Tables that are missing or broken were told above.
    if not problems:
        problems += misplaced_rows(folder, manifest)
        made_by = made_splits_by(identity)
        for kind, told in describe_shared(shared_in_build(folder, manifest)):
            # Splits of a corpus are its own affair; those that were made here must hold.
            (problems if kind in made_by else notes).append(told)
    return Report(
        num_files=counts.files,
        num_rows=counts.rows,
        num_clips=counts.clips,
        problems=tuple(problems),
        notes=tuple(notes),
    )


def _problems(folder: BuildFolder, manifest: Manifest, counts: _Counts) -> Iterator[str]:
    try:
        manifest.balance()
    except UnbalancedBooksError as error:
        yield f"{MANIFEST}: {error}"
    names = set(folder.names())
    listed = {shard.file for shard in manifest.shards}
    for name in sorted(names - listed):
        if name.split("/")[0] in TABLES and "/" in name:
            kind = "left by a run that ended" if name.endswith(TEMPORARY) else "not listed"
            yield f"{name}: {kind}; remove it"
    for shard in manifest.shards:
        if shard.file not in names:
            yield f"{shard.file}: is missing; build again"
        elif folder.sha256(shard.file) != shard.sha256:
            yield f"{shard.file}: is not the file that was written; build again"
        else:
            counts.files += 1
            yield from _problems_of_shard(folder, shard, counts)


def _problems_of_shard(folder: BuildFolder, shard: ShardFile, counts: _Counts) -> Iterator[str]:
    row_type = TABLES[shard.table]
    with folder.files.open(folder.path(shard.file), "rb") as stream:
        try:
            parquet = pq.ParquetFile(stream)
        except pa.ArrowInvalid as error:
            yield f"{shard.file}: is no Parquet file ({error})"
            return
        found = parquet.schema_arrow
        if not found.remove_metadata().equals(arrow_schema(row_type)):
            yield f"{shard.file}: has columns of another layout; read it with its own version"
            return
        metadata = {key.decode(): value.decode() for key, value in (found.metadata or {}).items()}
        if metadata != file_metadata(row_type):
            yield f"{shard.file}: its metadata are not those of this version"
        if parquet.metadata.num_rows != shard.num_rows:
            yield f"{shard.file}: holds {parquet.metadata.num_rows} rows, not {shard.num_rows}"
        last = ""
        for batch in parquet.iter_batches(batch_size=BATCH_ROWS):
            for record in batch.to_pylist():
                counts.rows += 1
                where = f"{shard.file}: {record['row_id']}"
                if record["row_id"] <= last:
                    yield f"{where}: is not in the order of ids, or there twice"
                last = record["row_id"]
                yield from _problems_of_row(row_type, record, where, counts)


def _problems_of_row(
    row_type: type[Row], record: dict[str, Any], where: str, counts: _Counts
) -> Iterator[str]:
    try:
        row = from_record(row_type, record)
    except ValueError as error:
        yield f"{where}: does not fit the model ({type(error).__name__})"
        return
    if isinstance(row, Stage1Row | AqaRow) and row.audio is not None and row.audio.bytes is None:
        yield f"{where}: its clip is empty"
    if isinstance(row, Stage2Row | HumdialRow):
        heard = sum(
            message.content.count("<audio>") for message in row.messages if message.kind == "listen"
        )
        tags = sum(message.content.count("<audio>") for message in row.messages)
        if not heard == tags == len(row.audios) == len(row.audio_spans):
            yield f"{where}: has {tags} <audio> tags for {len(row.audios)} clips"
    for clip in _clips(row):
        counts.clips += 1
        try:
            samples, rate = soundfile.read(io.BytesIO(clip), dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            yield f"{where}: a clip does not decode ({error})"
            continue
        if rate != SAMPLE_RATE or samples.shape[1] != 1 or not len(samples):
            yield f"{where}: a clip is not mono sound at {SAMPLE_RATE} Hz"


def _clips(row: Row) -> Iterator[bytes]:
    cells = row.audios if isinstance(row, Stage2Row | HumdialRow) else ()
    if isinstance(row, Stage1Row | AqaRow) and row.audio is not None:
        cells = (row.audio,)
    for cell in cells:
        if cell.bytes is not None:
            yield cell.bytes
