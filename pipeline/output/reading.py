"""Read the rows of a build for training, in any of the three think modes."""

from collections.abc import Iterator
from typing import Any, Literal, get_args

import pyarrow.parquet as pq

from ieat.pipeline.failures import ConfigError
from ieat.pipeline.output.files import BuildFolder

ThinkMode = Literal["explicit", "injected", "implicit"]
"""How the thinking of a row is used: learned, in context without loss, or left out."""

WITH_THINKING = ("stage2", "humdial_t3")
"""Tables whose messages think before they answer."""

BATCH_ROWS = 16
"""Rows that are in memory at a time."""


def read_samples(
    out: str,
    mode: ThinkMode = "explicit",
    split: str = "train",
    *,
    trainable_only: bool = True,
    table: str = "stage2",
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a split as plain values; `bytes` of a clip are a whole FLAC file.

    Messages of stage 2 and of `humdial_t3` fit the mode: `explicit` has loss on the thinking,
    `injected` shows it without loss, `implicit` leaves it out. Other rows are the same in every
    mode.

    Args:
        out: Folder or fsspec URL of the build.
        mode: How the thinking is used.
        split: Split of the data set.
        trainable_only: Whether rows that are not fit for the mode (stage 1: whose words are not
            fit; others: that are not fit) are passed over.
        table: The table to read: stage1, stage2, aqa, or one of HumDial's tasks.

    Raises:
        ConfigError: There is no such mode, or the build has no such split.
    """
    if mode not in get_args(ThinkMode):
        raise ConfigError(f"there is no think mode {mode!r}; use {', '.join(get_args(ThinkMode))}")
    folder = BuildFolder(out)
    return _rows(folder, find_files(folder, table, split), mode, trainable_only, table)


def find_files(folder: BuildFolder, table: str, split: str) -> list[str]:
    """Return the files of a split of a table, in order.

    Raises:
        ConfigError: There are none.
    """
    files = sorted(folder.files.glob(folder.path(f"{table}/{split}-*-of-*.parquet")))
    if not files:
        raise ConfigError(f"{folder.out} has no {table}/{split}-*.parquet; look at its README.md")
    return files


def splits_of(out: str, table: str) -> tuple[str, ...]:
    """Return the splits that a table of a build has, sorted.

    Raises:
        ConfigError: The build has no such table.
    """
    folder = BuildFolder(out)
    files = folder.files.glob(folder.path(f"{table}/*-of-*.parquet"))
    # A split holds no dash: `train-00000-of-00004.parquet`.
    splits = {file.rpartition("/")[2].partition("-")[0] for file in files}
    if not splits:
        raise ConfigError(f"{out} has no {table}/*.parquet; look at its README.md")
    return tuple(sorted(splits))


def adjust_messages(messages: list[dict[str, Any]], mode: ThinkMode) -> list[dict[str, Any]]:
    """Return messages, written for `explicit`, as a think mode wants them."""
    if mode == "implicit":
        return [message for message in messages if message["kind"] != "think"]
    if mode == "injected":
        return [{**m, "loss": m["loss"] and m["kind"] != "think"} for m in messages]
    return messages


def _rows(
    folder: BuildFolder, files: list[str], mode: ThinkMode, trainable_only: bool, table: str
) -> Iterator[dict[str, Any]]:
    for file in files:
        with folder.files.open(file, "rb") as stream, pq.ParquetFile(stream) as parquet:
            for batch in parquet.iter_batches(batch_size=BATCH_ROWS):
                for row in batch.to_pylist():
                    if trainable_only and not _is_fit(row, mode, table):
                        continue
                    if table in WITH_THINKING:
                        row["messages"] = adjust_messages(row["messages"], mode)
                    yield row


def _is_fit(row: dict[str, Any], mode: ThinkMode, table: str) -> bool:
    if table == "stage2":
        return bool(row["trainable"][mode])
    part = row["words"] if table == "stage1" else row
    return bool(part["trainable"]["is_trainable"])
