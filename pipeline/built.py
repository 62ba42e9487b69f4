"""Read the tables of a finished or running build, for people who look at it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.core import url_to_fs
from pydantic import ValidationError

from ieat.pipeline.failures import ConfigError
from ieat.schemas.base import Value
from ieat.schemas.build import Manifest
from ieat.schemas.rows import DeadLetterRow, DialogueRow, Stage2Row

RowType = TypeVar("RowType", bound=Value)

NUM_NEAR = 5
"""Most ids that are offered when one is not found."""


@dataclass
class Build:
    """The folder of a build.

    Args:
        out: Folder or fsspec URL that the build was written to.

    Raises:
        ConfigError: The folder holds no dialogues.
    """

    out: str

    def __post_init__(self) -> None:
        self._files: fsspec.AbstractFileSystem
        self._files, self._root = url_to_fs(self.out)
        if not self._shards("dialogues") and not self._shards("_dead_letters"):
            raise ConfigError(
                f"{self.out} holds no build: no dialogues/*.parquet was found there; "
                "name the folder that was given as --output"
            )

    def _shards(self, table: str) -> list[str]:
        return sorted(self._files.glob(f"{self._root}/{table}/*.parquet"))

    def manifest(self) -> Manifest | None:
        """Return the manifest; null while the build has not ended."""
        place = f"{self._root}/manifest.json"
        if not self._files.exists(place):
            return None
        try:
            return Manifest.model_validate_json(self._files.cat_file(place))
        except ValidationError as error:
            raise ConfigError(
                f"{self.out}/manifest.json is not in the layout that this version reads; "
                "show it with the version that wrote it"
            ) from error

    def run(self) -> dict[str, Any]:
        """Return what run.json says of the last run; empty while it has not ended."""
        place = f"{self._root}/run.json"
        if not self._files.exists(place):
            return {}
        try:
            read = json.loads(self._files.cat_file(place))
        except ValueError as error:
            raise ConfigError(f"{self.out}/run.json is no JSON; build again to write it") from error
        return read if isinstance(read, dict) else {}

    def dialogues(self) -> Iterator[DialogueRow]:
        """Yield all dialogues, file by file, each file's in order of their ids."""
        for read in self._rows("dialogues", _columns(DialogueRow)):
            yield _checked(DialogueRow, read)

    def dialogue(self, dialogue_id: str) -> DialogueRow:
        """Return one dialogue.

        Raises:
            ConfigError: There is none with this id; names those that look like it.
        """
        for read in self._rows("dialogues", _columns(DialogueRow), dialogue_id):
            return _checked(DialogueRow, read)
        raise ConfigError(self._explain_missing(dialogue_id))

    def targets(self, dialogue_id: str) -> list[Stage2Row]:
        """Return the stage-2 rows of a dialogue in turn order, their clips left out."""
        columns = [name for name in _columns(Stage2Row) if name != "audios"]
        rows = [
            _checked(Stage2Row, {**read, "audios": ()})
            for read in self._rows("stage2", columns, dialogue_id)
        ]
        return sorted(rows, key=lambda row: row.turn_index)

    def rows_without_clips(self, table: str, row_type: type[RowType]) -> Iterator[RowType]:
        """Yield the rows of a table, file by file, the field `audios` left empty."""
        columns = [name for name in _columns(row_type) if name != "audios"]
        for read in self._rows(table, columns):
            yield _checked(row_type, {**read, "audios": ()})

    def target_modes(self) -> dict[str, tuple[int, int]]:
        """Return for each dialogue its stage-2 rows and how many fit at least one think mode."""
        counts: dict[str, tuple[int, int]] = {}
        for read in self._rows("stage2", ["dialogue_id", "trainable"]):
            total, fit = counts.get(read["dialogue_id"], (0, 0))
            modes = read["trainable"]
            is_fit = modes["explicit"] or modes["injected"] or modes["implicit"]
            counts[read["dialogue_id"]] = (total + 1, fit + int(is_fit))
        return counts

    def dead_letters(self, dialogue_id: str | None = None) -> list[DeadLetterRow]:
        """Return the failures of a dialogue, or all of them, in order of their ids."""
        rows = [
            _checked(DeadLetterRow, read)
            for read in self._rows("_dead_letters", _columns(DeadLetterRow), dialogue_id)
        ]
        return sorted(rows, key=lambda row: row.row_id)

    def _rows(
        self, table: str, columns: Sequence[str], dialogue_id: str | None = None
    ) -> Iterator[dict[str, Any]]:
        chosen = None if dialogue_id is None else [("dialogue_id", "==", dialogue_id)]
        for shard in self._shards(table):
            try:
                read = pq.read_table(
                    shard,
                    columns=list(columns),
                    filters=chosen,
                    filesystem=self._files,
                    partitioning=None,
                )
            except (pa.ArrowException, OSError) as error:
                raise ConfigError(
                    f"{shard} cannot be read as a table of this version; "
                    "show it with the version that wrote it, or build it again"
                ) from error
            for batch in read.to_batches(max_chunksize=64):
                yield from batch.to_pylist()

    def _explain_missing(self, dialogue_id: str) -> str:
        dead = self.dead_letters(dialogue_id)
        if dead:
            return (
                f"{dialogue_id} failed in {dead[0].stage}: {dead[0].message}; "
                f"see `ieat show {self.out} --failed`"
            )
        known = [read["dialogue_id"] for read in self._rows("dialogues", ["dialogue_id"])]
        near = [name for name in known if dialogue_id.lower() in name.lower()][:NUM_NEAR]
        near = near or get_close_matches(dialogue_id, known, n=NUM_NEAR, cutoff=0.5)
        if near:
            return f"no dialogue {dialogue_id!r} in {self.out}; did you mean {', '.join(near)}?"
        return f"no dialogue {dialogue_id!r} in {self.out}; `ieat show {self.out}` lists all"


def _columns(row: type[Value]) -> list[str]:
    return list(row.model_fields)


def _checked(row: type[RowType], read: dict[str, Any]) -> RowType:
    try:
        return row.model_validate(read)
    except ValidationError as error:
        raise ConfigError(
            f"{read.get('row_id', 'a row')} is not in the layout that this version reads "
            f"({error.error_count()} problems); show it with the version that wrote it"
        ) from error
