"""What a card tells of the rows, gathered from the written tables in one pass over each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow.parquet as pq

from ieat.pipeline.output.card.agreement import Agreement
from ieat.pipeline.output.card.balance import Balance
from ieat.pipeline.output.card.causes import Causes
from ieat.pipeline.output.card.consistency import Consistency
from ieat.pipeline.output.card.emotions import Emotions
from ieat.pipeline.output.card.fitness import Fitness, fit_parts
from ieat.pipeline.output.card.flags import Flags, flag_paths, flags_in
from ieat.pipeline.output.card.lengths import Lengths
from ieat.pipeline.output.card.openings import Openings
from ieat.pipeline.output.card.parting import Parting, Responses
from ieat.pipeline.output.card.resources import Origins
from ieat.pipeline.output.card.size import Sizes
from ieat.pipeline.output.card.speakers import Speakers
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.sink import DATA_TABLES
from ieat.schemas.build import Manifest
from ieat.schemas.rows import TABLES

BATCH_ROWS = 64
"""Rows that are in memory at a time."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "dialogues": (
        "dialogue_id",
        "corpus",
        "split",
        "corpus_split",
        "speaker_ids",
        "script_ids",
        "language",
        "license",
        "tasks",
        "turns",
        "shifts",
        "causes",
        "provenance",
    ),
    "stage1": ("language", "duration", "words.clean", "attributes.emotion", "attributes.intensity"),
    "stage2": (
        "row_id",
        "language",
        "turn_index",
        "trajectory_so_far",
        "thinking.text",
        "response.text",
        "consistency",
    ),
}
"""What is read of a table besides its flags and what is fit; never its clips."""


@dataclass
class Facts:
    """Counts over all rows of a build; grows with speakers and scripts, not with rows."""

    sizes: Sizes = field(default_factory=Sizes)
    """How much there is."""
    speakers: Speakers = field(default_factory=Speakers)
    """Who speaks how much."""
    emotions: Emotions = field(default_factory=Emotions)
    """Emotions and shifts."""
    causes: Causes = field(default_factory=Causes)
    """Kinds of causes, and their quotes."""
    agreement: Agreement = field(default_factory=Agreement)
    """Labels of different sources."""
    consistency: Consistency = field(default_factory=Consistency)
    """Answers that sound."""
    fitness: Fitness = field(default_factory=Fitness)
    """What is fit to train on."""
    flags: Flags = field(default_factory=Flags)
    """What is odd."""
    lengths: Lengths = field(default_factory=Lengths)
    """How long parts are."""
    openings: Openings = field(default_factory=Openings)
    """How rows open."""
    balance: Balance = field(default_factory=Balance)
    """Groups of dialogues."""
    parting: Parting = field(default_factory=Parting)
    """Splits, and what they share."""
    responses: Responses = field(default_factory=Responses)
    """Words of answers, where they are compared."""
    origins: Origins = field(default_factory=Origins)
    """Prompts and answers behind the dialogues."""

    def add(self, table: str, split: str, row: dict[str, Any]) -> None:
        """Count a row of a table."""
        if table == "dialogues":
            self._add_dialogue(split, row)
        elif table == "stage1":
            self.emotions.add_turn(split, row)
            self.lengths.add_turn(row)
        elif table == "stage2":
            self.emotions.add_target(row)
            self.lengths.add_target(row)
            self.responses.add_target(row)
            self.consistency.add_target(row)
            self.openings.add_target(row)

    def _add_dialogue(self, split: str, row: dict[str, Any]) -> None:
        self.sizes.add_dialogue(split, row, self.speakers.add_dialogue(row))
        self.emotions.add_dialogue(row)
        self.causes.add_dialogue(row)
        self.lengths.add_dialogue(row)
        self.balance.add_dialogue(row)
        self.parting.add_dialogue(row)
        self.origins.add_dialogue(row)
        for turn in row["turns"]:
            self.agreement.add_turn(turn)
            # A turn without words has no row of its own to carry its flags.
            if not turn["clean"]:
                self.flags.add("stage1", turn["flags"])


def gather_facts(
    folder: BuildFolder, manifest: Manifest, near_duplicates: float | None = None
) -> Facts:
    """Read the tables of a build once, in bounded memory and without their clips.

    Args:
        folder: The build.
        manifest: Its manifest.
        near_duplicates: Similarity from which answers count as alike; null compares none.
    """
    facts = Facts(responses=Responses(near_duplicates))
    for table in DATA_TABLES:
        parts = fit_parts(TABLES[table])
        flagged = flag_paths(TABLES[table])
        columns = (
            *COLUMNS.get(table, ()),
            *(".".join(path) for path in flagged),
            *(part.column for part in parts),
        )
        for split, row in _rows(folder, manifest, table, columns):
            facts.flags.add(table, flags_in(row, flagged))
            facts.fitness.add_row(table, parts, row)
            facts.add(table, split, row)
    return facts


def _rows(
    folder: BuildFolder, manifest: Manifest, table: str, columns: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for shard in manifest.shards:
        if shard.table != table:
            continue
        with (
            folder.files.open(folder.path(shard.file), "rb") as stream,
            pq.ParquetFile(stream) as parquet,
        ):
            for batch in parquet.iter_batches(batch_size=BATCH_ROWS, columns=list(columns)):
                for row in batch.to_pylist():
                    yield shard.split, row
