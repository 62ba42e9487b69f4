"""Read the tasks of stage 1 for training: what the student is told, hears, and should answer."""

import json
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args

import pyarrow.parquet as pq

from ieat.pipeline.failures import ConfigError
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.reading import BATCH_ROWS, find_files

Stage1Task = Literal["alignment", "attributes", "distillation", "aqa"]
"""A task of the table `stage1`, or the one of the table `aqa`."""

PART_OF_TASK = {"alignment": "words", "attributes": "attributes", "distillation": "distillation"}
"""Column of each task."""

COLUMNS = ("row_id", "dialogue_id", "turn_index", "audio", "words")
"""Columns that every task of the table `stage1` needs."""

AQA_COLUMNS = ("row_id", "audio", "instruction", "target_text", "trainable")
"""Columns of the table `aqa` that are read."""


class ContextTurn(NamedTuple):
    """A turn before the one that is answered."""

    role: Literal["user", "assistant"]
    """Whose it is: the user's is heard, the assistant's is words."""
    audio: bytes | None
    """The user's sound, a whole FLAC file; null for the assistant, and where there is none."""
    text: str | None
    """The assistant's words; null for the user."""


class Stage1Sample(NamedTuple):
    """One task about one turn, or one question."""

    row_id: str
    """Id of the row."""
    task: Stage1Task
    """Name of the task."""
    instruction: str
    """What the student is told beside the sound."""
    audio: bytes | None
    """What the student hears, a whole FLAC file; null for a turn that is text only."""
    target: str
    """What it should answer: the words, the attributes as JSON, the teacher's answer, or the
    answer to the question."""
    ends: bool
    """Whether the target ends here; an answer that was cut has no end of text to learn."""
    context: tuple[ContextTurn, ...]
    """The turns before, for a teacher that saw the history."""


def read_stage1(
    out: str, task: Stage1Task, split: str = "train", *, trainable_only: bool = True
) -> Iterator[Stage1Sample]:
    """Yield one task of stage 1 as instruction, sound and target, in the order of the rows.

    Args:
        out: Folder or fsspec URL of the build.
        task: The task; each has its instruction, its target and its own `trainable`.
        split: Split of the data set.
        trainable_only: Whether turns that are not fit for the task are passed over.

    Raises:
        ConfigError: There is no such task, or the build has no such split.
    """
    if task not in get_args(Stage1Task):
        names = ", ".join(get_args(Stage1Task))
        raise ConfigError(f"there is no task {task!r} of stage 1; use {names}")
    folder = BuildFolder(out)
    if task == "aqa":
        return _questions(folder, find_files(folder, "aqa", split), trainable_only)
    return _samples(folder, find_files(folder, "stage1", split), task, trainable_only)


def _samples(
    folder: BuildFolder, files: list[str], task: Stage1Task, trainable_only: bool
) -> Iterator[Stage1Sample]:
    part = PART_OF_TASK[task]
    # Rows of a dialogue lie together, in the order of its turns.
    dialogue_id = ""
    before: dict[int, dict[str, Any]] = {}
    for row in _rows(folder, files, list(dict.fromkeys((*COLUMNS, part)))):
        if row["dialogue_id"] != dialogue_id:
            dialogue_id, before = row["dialogue_id"], {}
        if task == "distillation":
            before[row["turn_index"]] = row
        cell = row[part]
        if cell is None or (trainable_only and not cell["trainable"]["is_trainable"]):
            continue
        yield Stage1Sample(
            row_id=row["row_id"],
            task=task,
            instruction=cell["instruction"],
            audio=_sound(row),
            target=_target(task, cell),
            ends=not cell.get("early_stop", False),
            context=tuple(
                _context_turn(before[turn], turn in cell["assistant_turns"])
                for turn in cell.get("context_turns", ())
            ),
        )


def _questions(
    folder: BuildFolder, files: list[str], trainable_only: bool
) -> Iterator[Stage1Sample]:
    for row in _rows(folder, files, list(AQA_COLUMNS)):
        if row["trainable"]["is_trainable"] or not trainable_only:
            yield Stage1Sample(
                row_id=row["row_id"],
                task="aqa",
                instruction=row["instruction"],
                audio=_sound(row),
                target=row["target_text"],
                ends=True,
                context=(),
            )


def _rows(folder: BuildFolder, files: list[str], columns: list[str]) -> Iterator[dict[str, Any]]:
    for file in files:
        with folder.files.open(file, "rb") as stream, pq.ParquetFile(stream) as parquet:
            for batch in parquet.iter_batches(batch_size=BATCH_ROWS, columns=columns):
                yield from batch.to_pylist()


def _context_turn(row: dict[str, Any], is_assistant: bool) -> ContextTurn:
    if is_assistant:
        return ContextTurn("assistant", None, row["words"]["clean"])
    return ContextTurn("user", _sound(row), None)


def _sound(row: dict[str, Any]) -> bytes | None:
    return row["audio"]["bytes"] if row["audio"] else None


def _target(task: Stage1Task, cell: dict[str, Any]) -> str:
    if task == "alignment":
        return str(cell["clean"])
    if task == "distillation":
        return str(cell["target_text"])
    return attributes_as_json(cell)


def attributes_as_json(cell: dict[str, Any]) -> str:
    """Return the attributes that are known as JSON, in a fixed order; the others are left out.

    Rate in words a second (characters for Chinese), pitch in Hz, level in dBFS, rounded to what can
    be heard. Sounds are those of the corpus' tags and those that a labeler heard; where neither was
    looked for there is no key.
    """
    heard = cell["voice_events"]
    sounds = list(dict.fromkeys((*cell["events"], *(heard["events"] if heard else ()))))
    known = {
        "emotion": cell["emotion"],
        "intensity": cell["intensity"],
        "sounds": sounds if sounds or heard else None,
        "rate": None if cell["rate"] is None else round(cell["rate"], 1),
        "pitch": None if cell["pitch"] is None else round(cell["pitch"]),
        "level": None if cell["level"] is None else round(cell["level"]),
    }
    return json.dumps(
        {name: value for name, value in known.items() if value is not None}, ensure_ascii=False
    )
