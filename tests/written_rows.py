"""A finished build of stage-2 rows made by hand, quick to write: for tests of readers."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ieat.pipeline.output.clips import ReadClip
from ieat.pipeline.output.stage2_rows import RowSettings, stage2_rows
from ieat.schemas.arrow import arrow_schema, to_record
from ieat.schemas.cells import AudioCell
from ieat.schemas.records import ComposedDialogue
from ieat.schemas.rows import Stage2Row
from tests.builders import fake_clip


def embedded(dialogue: ComposedDialogue, read: ReadClip = fake_clip) -> list[Stage2Row]:
    """Return the rows of a dialogue with their clips."""
    return [
        row.model_copy(
            update={
                "audios": tuple(
                    AudioCell(bytes=read(span), path=audio.path)
                    for span, audio in zip(row.audio_spans, row.audios, strict=True)
                )
            }
        )
        for row in referenced(dialogue)
    ]


def referenced(dialogue: ComposedDialogue) -> list[Stage2Row]:
    """Return the rows of a dialogue with clips by reference, each source with its own hash."""
    return [
        row.model_copy(
            update={
                "audio_spans": tuple(
                    span.model_copy(
                        update={"source_sha256": hashlib.sha256(span.uri.encode()).hexdigest()}
                    )
                    for span in row.audio_spans
                )
            }
        )
        for row in stage2_rows(dialogue, RowSettings(20, 120.0, "reference"))
    ]


def write_build(out: Path, rows: Sequence[Stage2Row]) -> str:
    """Write rows as a finished build, a file a split, and return its folder."""
    (out / "stage2").mkdir(parents=True)
    for split in {row.split for row in rows}:
        records = [to_record(row) for row in rows if row.split == split]
        table = pa.Table.from_pylist(records, schema=arrow_schema(Stage2Row))
        pq.write_table(table, out / "stage2" / f"{split}-00000-of-00001.parquet")
    (out / "manifest.json").write_text("{}\n", encoding="utf-8")
    return str(out)
