"""Write a build: rows to shards, and failures to dead letters.

A pipeline writes a group of shards, all of them or some, and leaves a record; the manifest is made
from the records of all groups (`closing.py`).

Beam reads the hints of this module at run time, so it must not import annotations from __future__.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import apache_beam as beam
from apache_beam.pvalue import AsList, PCollection, TaggedOutput

from ieat.pipeline.config import CheckSettings
from ieat.pipeline.output.books import (
    Entry,
    entries_of_composed,
    entries_of_humdial,
    entries_of_letter,
    entries_of_set_aside,
    entry_of_unit,
    sum_entries,
)
from ieat.pipeline.output.clips import KeptClips, ReadClip
from ieat.pipeline.output.dead_letters import (
    CHECK_STAGE,
    letter_of_dialogue,
    letter_of_row,
    letters_of_humdial,
    letters_of_parts,
)
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.group_records import Group, GroupRecord, write_record
from ieat.pipeline.output.humdial_turn_rows import humdial_ends
from ieat.pipeline.output.row_checks import check_row
from ieat.pipeline.output.rows import dialogue_row, stage1_rows
from ieat.pipeline.output.shards import ShardName, WrittenShard, number_repeats, write_shard
from ieat.pipeline.output.split_check import refuse_held_out
from ieat.pipeline.output.stage2_rows import RowSettings, stage2_rows
from ieat.schemas.build import ShardFile
from ieat.schemas.records import DistilledDialogue, SetAside, SourceUnit
from ieat.schemas.retrospection import RowEnd
from ieat.schemas.rows import CORE_TABLES, HUMDIAL_TABLES, TABLES, DeadLetterRow, Row

DEAD_LETTERS = "_dead_letters"
"""The table of what failed."""

ALL = "all"
"""The one split of dead letters."""

DATA_TABLES = tuple(table for table in TABLES if table != DEAD_LETTERS)
"""The tables that a card may have, in its order."""

CLIP_TABLES = ("stage2", *HUMDIAL_TABLES)
"""Tables whose rows hold several clips, embedded or by reference."""


ALWAYS_EMBEDDED = frozenset({"stage1", "aqa"})
"""Tables whose rows hold their clips in every build."""

LOST = "lost"
"""Tag of rows whose clips cannot be read again, and of those that a check keeps out."""

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
    tables: tuple[str, ...] = CORE_TABLES
    """Tables that dialogues give, dead letters apart; each has all its shards in every split."""
    tables_beside: tuple[str, ...] = ()
    """Tables that are written beside the dialogues, likewise."""
    checks: CheckSettings = field(default_factory=CheckSettings)
    """What rows are checked for."""


def shard_key(table: str, split: str, shard: int) -> str:
    """Return the key of a shard, for `write_rows`."""
    return f"{table}/{split}/{shard:05d}"


def shard_of(unit_id: str, num_shards: int) -> int:
    """Return the shard of a dialogue: from its id alone, the same in every run and process."""
    digest = hashlib.sha256(unit_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") % num_shards


def rows_of(composed: DistilledDialogue, settings: RowSettings) -> Iterator[tuple[str, Row]]:
    """Yield the rows of a dialogue with the names of their tables."""
    yield "dialogues", dialogue_row(composed)
    for stage1 in stage1_rows(composed, settings.prompts):
        yield "stage1", stage1
    for stage2 in stage2_rows(composed, settings):
        yield "stage2", stage2
    for table, end in humdial_ends(composed, settings):
        if not isinstance(end, RowEnd):
            yield table, end


class WriteBuild(beam.PTransform):
    """Finished dialogues in; a group's shards and its record on disk, the record out.

    Args:
        settings: Where and how to write.
        group: The shards that all these dialogues belong to.
        read_clip: Reads a clip again from where it lies.
        aside: The dialogues that left before their end.
        units: What the corpora gave; every one must come out written or set aside.
    """

    def __init__(
        self,
        settings: SinkSettings,
        group: Group,
        read_clip: ReadClip,
        aside: PCollection[SetAside],
        units: PCollection[SourceUnit | str],
    ) -> None:
        super().__init__()
        self._settings = settings
        self._group = group
        self._read_clip = read_clip
        self._aside = aside
        self._units = units

    def expand(self, composed: PCollection[DistilledDialogue]) -> PCollection[GroupRecord]:
        """Return the one record."""
        aside = self._aside
        num_shards = self._settings.num_shards
        wanted = (
            composed
            | "Splits" >> beam.Map(_split_of)
            | "Each split once" >> beam.Distinct()
            | "Every shard of a split"
            >> beam.FlatMap(_shards_of_split, self._settings.tables, self._group.shards)
        )
        shelved = composed | "Make rows" >> beam.ParDo(ShelveRows(self._settings)).with_outputs(
            LOST, main="rows"
        )
        written = (
            (wanted, shelved["rows"])
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
            composed
            | "Dead rows of HumDial" >> beam.FlatMap(letters_of_humdial, self._settings.rows),
            shelved[LOST],
            written[LOST],
        ) | "Dead letters" >> beam.Flatten()
        empty = aside.pipeline | "Every shard of dead letters" >> beam.Create(
            [(shard_key(DEAD_LETTERS, ALL, shard), ("", "")) for shard in self._group.shards]
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
                composed
                | "Count rows of HumDial" >> beam.FlatMap(entries_of_humdial, self._settings.rows),
                aside | "Count dialogues set aside" >> beam.FlatMap(entries_of_set_aside),
                letters | "Count dead letters" >> beam.FlatMap(entries_of_letter),
            )
            | "All counts" >> beam.Flatten()
            | "Sum counts" >> beam.CombinePerKey(sum)
        )
        return (
            aside.pipeline
            | "Once" >> beam.Create([self._group])
            | "Write record"
            >> beam.Map(_record_group, self._settings.out, AsList(files), AsList(entries))
        )


class ShelveRows(beam.DoFn):
    """Makes and checks the rows of a dialogue; those that a check keeps out go to `LOST`."""

    def __init__(self, settings: SinkSettings) -> None:
        self._settings = settings

    def process(self, composed: DistilledDialogue) -> Iterator[ShelvedRow]:
        """Yield the rows that pass, each with the shard that it belongs to."""
        dialogue = composed.dialogue
        given = dialogue.corpus_split or dialogue.split
        refuse_held_out(dialogue.dialogue_id, given, dialogue.split)
        shard = shard_of(dialogue.dialogue_id, self._settings.num_shards)
        for table, made in rows_of(composed, self._settings.rows):
            row, error = check_row(made, composed, self._settings.checks)
            if error is None:
                key = shard_key(table, dialogue.split, shard)
                yield key, (row.row_id, row.model_dump_json())
            else:
                letter = letter_of_row(row, table, dialogue.source, error, CHECK_STAGE)
                yield TaggedOutput(LOST, letter)  # type: ignore[misc]  # Beam takes tags between


class WriteShard(beam.DoFn):
    """Writes the rows of one shard; rows whose clips cannot be read again go to `LOST`."""

    def __init__(self, settings: SinkSettings, read_clip: ReadClip) -> None:
        self._settings = settings
        self._read_clip = read_clip

    def process(self, shelf: tuple[str, Iterable[tuple[str, str]]]) -> Iterator[ShardFile]:
        """Yield the file that was written."""
        written = write_rows(self._settings, *shelf, self._read_clip)
        for letter in written.lost:
            yield TaggedOutput(LOST, letter)  # type: ignore[misc]  # Beam takes tags in between
        yield written.file


def write_rows(
    settings: SinkSettings, key: str, rows: Iterable[tuple[str, str]], read_clip: ReadClip | None
) -> WrittenShard:
    """Write one shard.

    Args:
        settings: Where and how to write.
        key: Table, split and number of the shard.
        rows: Ids and rows as JSON in any order; those with an empty id are no rows.
        read_clip: Reads a clip again from where it lies; null where there are none.
    """
    table, split, number = key.split("/")
    name = ShardName(table, split, int(number), settings.num_shards)
    is_embedded = table in ALWAYS_EMBEDDED or (
        table in CLIP_TABLES and settings.rows.stage2_audio == "embed"
    )
    # Sorted by id, then by content: the order of a shuffle is never that of a file.
    texts: Iterable[str] = (text for row_id, text in sorted(rows) if row_id)
    if table == DEAD_LETTERS:
        texts = number_repeats(texts)
    clips = KeptClips(read_clip) if is_embedded and read_clip is not None else None
    return write_shard(BuildFolder(settings.out), name, texts, clips)


def write_unreached(settings: SinkSettings, group: Group, aside: Iterable[SetAside]) -> GroupRecord:
    """Write what is left of a group that a stop kept from running: its dead letters.

    Args:
        settings: Where and how to write.
        group: The group.
        aside: How its dialogues ended, one each.
    """
    shelves: dict[str, list[tuple[str, str]]] = {
        shard_key(DEAD_LETTERS, ALL, shard): [] for shard in group.shards
    }
    entries: dict[str, int] = {}

    def add(lines: Iterable[Entry]) -> None:
        for line, count in lines:
            entries[line] = entries.get(line, 0) + count

    for found in aside:
        add([entry_of_unit(found.source), *entries_of_set_aside(found)])
        for letter in _letters_of_dialogue(found):
            add(entries_of_letter(letter))
            key, row = _shelve_letter(letter, settings.num_shards)
            shelves[key].append(row)
    return GroupRecord(
        group=group,
        files=tuple(write_rows(settings, key, rows, None).file for key, rows in shelves.items()),
        entries=entries,
    )


def _record_group(
    group: Group, out: str, files: list[ShardFile], entries: list[Entry]
) -> GroupRecord:
    ordered = tuple(sorted(files, key=lambda shard: shard.file))
    record = GroupRecord(group=group, files=ordered, entries=sum_entries(entries))
    write_record(BuildFolder(out), record)
    return record


def _split_of(composed: DistilledDialogue) -> str:
    return composed.dialogue.split


def _shards_of_split(
    split: str, tables: tuple[str, ...], shards: tuple[int, ...]
) -> Iterator[ShelvedRow]:
    for table in tables:
        for shard in shards:
            yield shard_key(table, split, shard), ("", "")


def _letters_of_dialogue(aside: SetAside) -> Iterator[DeadLetterRow]:
    letter = letter_of_dialogue(aside)
    if letter is not None:
        yield letter


def _shelve_letter(letter: DeadLetterRow, num_shards: int) -> ShelvedRow:
    shard = shard_of(letter.dialogue_id or letter.unit_id, num_shards)
    return shard_key(DEAD_LETTERS, ALL, shard), (letter.row_id, letter.model_dump_json())


__all__ = [
    "SinkSettings",
    "WriteBuild",
    "rows_of",
    "shard_key",
    "shard_of",
    "write_unreached",
]
