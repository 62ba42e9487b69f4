"""Write the rows of one shard as Parquet: same rows, same bytes, one row group in memory."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ieat.pipeline.failures import RecordError
from ieat.pipeline.output.clips import ReadClip
from ieat.pipeline.output.dead_letters import letter_of_row
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.huggingface import file_metadata
from ieat.pipeline.output.split_check import HeldOutError
from ieat.schemas.aqa_rows import AqaRow
from ieat.schemas.arrow import arrow_schema, to_record
from ieat.schemas.base import Value
from ieat.schemas.build import ShardFile
from ieat.schemas.cells import SpanCell
from ieat.schemas.humdial_rows import HumdialRow
from ieat.schemas.rows import TABLES, DeadLetterRow, Row, Stage1Row, Stage2Row

MAX_GROUP_ROWS = 256
"""Most rows of a row group."""

MAX_GROUP_BYTES = 32 << 20
"""Most bytes of clips in a row group; a single larger row is a group of its own."""

ZSTD_LEVEL = 3
"""Level of compression of everything but clips."""


class ShardName(NamedTuple):
    """Which file of which table."""

    table: str
    """Name of the table."""
    split: str
    """Split of the data set."""
    shard: int
    """0-based number of the file."""
    num_shards: int
    """Files per table and split."""

    @property
    def file(self) -> str:
        """Path within the build."""
        return f"{self.table}/{self.split}-{self.shard:05d}-of-{self.num_shards:05d}.parquet"


class WrittenShard(NamedTuple):
    """A file, and the rows that could not go into it."""

    file: ShardFile
    """The file."""
    lost: tuple[DeadLetterRow, ...]
    """Rows whose clips cannot be read again."""


class _Filled(NamedTuple):
    record: dict[str, Any]
    num_bytes: int


def write_shard(
    folder: BuildFolder,
    name: ShardName,
    rows: Iterable[str],
    read_clip: ReadClip | None,
) -> WrittenShard:
    """Write rows in the order given.

    Args:
        folder: The build.
        name: Which file it is.
        rows: Rows as JSON, sorted by their ids, clips without bytes.
        read_clip: Gives the bytes of a clip; null leaves clips as references.

    Raises:
        HeldOutError: A row is of another split than the file.
    """
    row_type = TABLES[name.table]
    lost: list[DeadLetterRow] = []
    num_rows = 0
    with folder.write(name.file) as file, open_writer(file, row_type) as writer:
        for group in _groups(_fill(rows, row_type, name, read_clip, lost)):
            writer.write_table(
                pa.Table.from_pylist(group, schema=writer.schema), row_group_size=len(group)
            )
            num_rows += len(group)
    written = ShardFile(
        table=name.table,
        split=name.split,
        file=name.file,
        num_rows=num_rows,
        num_bytes=file.num_bytes,
        sha256=file.sha256,
    )
    return WrittenShard(written, tuple(lost))


def number_repeats(rows: Iterable[str]) -> Iterator[str]:
    """Give dead letters of equal ids a number: both holders of a duplicate id are there."""
    seen: dict[str, int] = {}
    for row in rows:
        letter = DeadLetterRow.model_validate_json(row)
        count = seen[letter.row_id] = seen.get(letter.row_id, 0) + 1
        if count == 1:
            yield row
        else:
            numbered = letter.model_copy(update={"row_id": f"{letter.row_id}#{count}"})
            yield numbered.model_dump_json()


def _fill(
    rows: Iterable[str],
    row_type: type[Row],
    name: ShardName,
    read_clip: ReadClip | None,
    lost: list[DeadLetterRow],
) -> Iterator[_Filled]:
    last = None
    for text in rows:
        row = row_type.model_validate_json(text)
        if row.row_id == last:
            raise ValueError(f"{name.table}: two rows have the id {row.row_id}")
        last = row.row_id
        split = getattr(row, "split", name.split)
        if split != name.split:
            raise HeldOutError(f"{name.file}: the row {row.row_id} is of the split {split}")
        record = to_record(row)
        num_bytes = 0
        if read_clip is not None and isinstance(row, Stage1Row | Stage2Row | HumdialRow | AqaRow):
            uri = ""
            try:
                for clip, span in _clips(row, record):
                    uri = span.uri
                    clip["bytes"] = read_clip(span)
                    num_bytes += len(clip["bytes"])
            except RecordError as error:
                lost.append(letter_of_row(row, name.table, uri, error))
                continue
        yield _Filled(record, num_bytes)


def _clips(
    row: Stage1Row | Stage2Row | HumdialRow | AqaRow, record: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], SpanCell]]:
    if isinstance(row, Stage2Row | HumdialRow):
        yield from zip(record["audios"], row.audio_spans, strict=True)
    elif row.audio_span is not None:
        yield record["audio"], row.audio_span


def _groups(filled: Iterable[_Filled]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    num_bytes = 0
    for one in filled:
        if group and (len(group) == MAX_GROUP_ROWS or num_bytes + one.num_bytes > MAX_GROUP_BYTES):
            yield group
            group, num_bytes = [], 0
        group.append(one.record)
        num_bytes += one.num_bytes
    if group:
        yield group


def open_writer(file: Any, row_type: type[Value]) -> pq.ParquetWriter:
    """Open a file for rows of one type, as all files of a build are written."""
    schema = arrow_schema(row_type).with_metadata(file_metadata(row_type))
    leaves = list(_leaves(schema))
    return pq.ParquetWriter(
        file,
        schema,
        # FLAC does not shrink further; uncompressed, a reader takes a clip as it lies there.
        compression={path: "none" if is_clip else "zstd" for path, is_clip in leaves},
        compression_level={path: ZSTD_LEVEL for path, is_clip in leaves if not is_clip},
        use_dictionary=[path for path, is_clip in leaves if not is_clip],
        write_statistics=[path for path, is_clip in leaves if not is_clip],
    )


def _leaves(schema: pa.Schema) -> Iterator[tuple[str, bool]]:
    """Yield the Parquet path of every column, and whether it holds the bytes of clips."""
    for field in schema:
        yield from _leaves_below(field.name, field.type)


def _leaves_below(path: str, kind: pa.DataType) -> Iterator[tuple[str, bool]]:
    if pa.types.is_list(kind):
        yield from _leaves_below(f"{path}.list.element", kind.value_type)
    elif pa.types.is_struct(kind):
        for index in range(kind.num_fields):
            part = kind.field(index)
            yield from _leaves_below(f"{path}.{part.name}", part.type)
    else:
        yield path, pa.types.is_binary(kind)
