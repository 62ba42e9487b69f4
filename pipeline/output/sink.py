"""Write a build: rows to shards, failures to dead letters, and the manifest that accounts for all.

Beam reads the hints of this module at run time, so it must not import annotations from __future__.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.pvalue import AsList, PCollection, TaggedOutput

from ieat.pipeline.output.books import (
    Entry,
    close_books,
    entries_of_composed,
    entries_of_letter,
    entries_of_set_aside,
    entry_of_unit,
)
from ieat.pipeline.output.clips import KeptClips, ReadClip
from ieat.pipeline.output.dead_letters import letter_of_dialogue, letters_of_parts
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.rows import dialogue_row, stage1_rows
from ieat.pipeline.output.shards import ShardName, number_repeats, write_shard
from ieat.pipeline.output.stage2_rows import RowSettings, stage2_rows
from ieat.schemas.build import Manifest, ShardFile
from ieat.schemas.records import ComposedDialogue, SetAside, SourceUnit
from ieat.schemas.rows import TABLES, DeadLetterRow, Row

DEAD_LETTERS = "_dead_letters"
"""The table of what failed."""

ALL = "all"
"""The one split of dead letters."""

DATA_TABLES = tuple(table for table in TABLES if table != DEAD_LETTERS)
"""The tables of the card."""

MANIFEST = "manifest.json"
"""The file that accounts for everything."""

LOST = "lost"
"""Tag of rows whose clips cannot be read again."""

ShelvedRow = tuple[str, tuple[str, str]]
"""A row on its way: the key of its shard, then its id and itself as JSON. An empty id only says
that the shard is wanted."""


@dataclass(frozen=True)
class SinkSettings:
    """What of the configuration the sink depends on."""

    out: str
    """Folder or fsspec URL of the build."""
    num_shards: int
    """Files per table and split."""
    rows: RowSettings
    """How rows are made."""
    not_configured: tuple[str, ...] = ()
    """Optional stages that this build does without; told in the manifest."""


def shard_of(unit_id: str, num_shards: int) -> int:
    """Return the shard of a dialogue: from its id alone, the same in every run and process."""
    digest = hashlib.sha256(unit_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") % num_shards


def rows_of(composed: ComposedDialogue, settings: RowSettings) -> Iterator[tuple[str, Row]]:
    """Yield the rows of a dialogue with the names of their tables."""
    yield "dialogues", dialogue_row(composed)
    for stage1 in stage1_rows(composed):
        yield "stage1", stage1
    for stage2 in stage2_rows(composed, settings):
        yield "stage2", stage2


class WriteBuild(beam.PTransform):
    """Composed dialogues in; tables and manifest on disk, the manifest out.

    Args:
        settings: Where and how to write.
        read_clip: Reads a clip again from where it lies.
        aside: The dialogues that left before their end.
        units: What the corpora gave; every one must come out written or set aside.
    """

    def __init__(
        self,
        settings: SinkSettings,
        read_clip: ReadClip,
        aside: PCollection[SetAside],
        units: PCollection[SourceUnit],
    ) -> None:
        super().__init__()
        self._settings = settings
        self._read_clip = read_clip
        self._aside = aside
        self._units = units

    def expand(self, composed: PCollection[ComposedDialogue]) -> PCollection[Manifest]:
        """Return the one manifest."""
        aside = self._aside
        num_shards = self._settings.num_shards
        wanted = (
            composed
            | "Splits" >> beam.Map(_split_of)
            | "Each split once" >> beam.Distinct()
            | "Every shard of a split" >> beam.FlatMap(_shards_of_split, num_shards)
        )
        shelved = composed | "Make rows" >> beam.FlatMap(_shelve_rows, self._settings)
        written = (
            (wanted, shelved)
            | "Rows with their shards" >> beam.Flatten()
            | "Rows by shard" >> beam.GroupByKey()
            | "Write rows"
            >> beam.ParDo(WriteShard(self._settings, self._read_clip)).with_outputs(
                LOST, main="files"
            )
        )
        letters = (
            aside | "Dead dialogues" >> beam.FlatMap(_letters_of_dialogue),
            composed | "Dead parts" >> beam.FlatMap(letters_of_parts),
            written[LOST],
        ) | "Dead letters" >> beam.Flatten()
        empty = aside.pipeline | "Every shard of dead letters" >> beam.Create(
            [(_key(DEAD_LETTERS, ALL, shard), ("", "")) for shard in range(num_shards)]
        )
        letter_files = (
            (empty, letters | "Shelve dead letters" >> beam.Map(_shelve_letter, num_shards))
            | "Dead letters with their shards" >> beam.Flatten()
            | "Dead letters by shard" >> beam.GroupByKey()
            | "Write dead letters"
            >> beam.ParDo(WriteShard(self._settings, self._read_clip)).with_outputs(
                LOST, main="files"
            )
        )
        files = (written["files"], letter_files["files"]) | "All files" >> beam.Flatten()
        entries = (
            (
                self._units | "Count what was read" >> beam.Map(entry_of_unit),
                composed | "Count rows" >> beam.FlatMap(entries_of_composed),
                aside | "Count dialogues set aside" >> beam.FlatMap(entries_of_set_aside),
                letters | "Count dead letters" >> beam.FlatMap(entries_of_letter),
            )
            | "All counts" >> beam.Flatten()
            | "Sum counts" >> beam.CombinePerKey(sum)
        )
        return (
            aside.pipeline
            | "Once" >> beam.Create([self._settings])
            | "Write manifest" >> beam.Map(write_manifest, AsList(files), AsList(entries))
        )


class WriteShard(beam.DoFn):
    """Writes the rows of one shard; rows whose clips cannot be read again go to `LOST`."""

    def __init__(self, settings: SinkSettings, read_clip: ReadClip) -> None:
        self._settings = settings
        self._read_clip = read_clip

    def process(self, shelf: tuple[str, Iterable[tuple[str, str]]]) -> Iterator[ShardFile]:
        """Yield the file that was written."""
        key, rows = shelf
        table, split, number = key.split("/")
        name = ShardName(table, split, int(number), self._settings.num_shards)
        is_embedded = table == "stage1" or (
            table == "stage2" and self._settings.rows.stage2_audio == "embed"
        )
        # Sorted by id, then by content: the order of a shuffle is never that of a file.
        texts: Iterable[str] = (text for row_id, text in sorted(rows) if row_id)
        if table == DEAD_LETTERS:
            texts = number_repeats(texts)
        written = write_shard(
            BuildFolder(self._settings.out),
            name,
            texts,
            KeptClips(self._read_clip) if is_embedded else None,
        )
        for letter in written.lost:
            yield TaggedOutput(LOST, letter)  # type: ignore[misc]  # Beam takes tags in between
        yield written.file


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


def _split_of(composed: ComposedDialogue) -> str:
    return composed.dialogue.split


def _shards_of_split(split: str, num_shards: int) -> Iterator[ShelvedRow]:
    for table in DATA_TABLES:
        for shard in range(num_shards):
            yield _key(table, split, shard), ("", "")


def _shelve_rows(composed: ComposedDialogue, settings: SinkSettings) -> Iterator[ShelvedRow]:
    dialogue = composed.dialogue
    shard = shard_of(dialogue.dialogue_id, settings.num_shards)
    for table, row in rows_of(composed, settings.rows):
        yield _key(table, dialogue.split, shard), (row.row_id, row.model_dump_json())


def _letters_of_dialogue(aside: SetAside) -> Iterator[DeadLetterRow]:
    letter = letter_of_dialogue(aside)
    if letter is not None:
        yield letter


def _shelve_letter(letter: DeadLetterRow, num_shards: int) -> ShelvedRow:
    shard = shard_of(letter.dialogue_id or letter.unit_id, num_shards)
    return _key(DEAD_LETTERS, ALL, shard), (letter.row_id, letter.model_dump_json())


def _key(table: str, split: str, shard: int) -> str:
    return f"{table}/{split}/{shard:05d}"


def read_manifest(folder: BuildFolder) -> Manifest:
    """Return the manifest of a finished build."""
    return Manifest.model_validate_json(folder.read_bytes(MANIFEST))


__all__ = [
    "SinkSettings",
    "WriteBuild",
    "read_manifest",
    "rows_of",
    "shard_of",
    "write_manifest",
]
