"""Load a build with whatever version of `datasets` is installed here, and print what came.

Run as a script by test_loading.py, also under an interpreter that has no ieat.
"""

import io
import json
import os
import sys
import tempfile

import soundfile

os.environ["HF_DATASETS_OFFLINE"] = os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"


def main(out: str) -> None:
    """Print one JSON object: for each table and way of loading, ids, tags and sound."""
    import datasets

    found: dict[str, object] = {"major": int(datasets.__version__.split(".")[0])}
    for table, column in (("stage1", "audio"), ("stage2", "audios")):
        feature = datasets.Audio(decode=False)
        for streaming in (False, True):
            with tempfile.TemporaryDirectory() as cache:
                rows = datasets.load_dataset(
                    out, table, split="train", streaming=streaming, cache_dir=cache
                )
                rows = rows.cast_column(column, feature if column == "audio" else [feature])
                found[f"{table} {'streamed' if streaming else 'loaded'}"] = [
                    [row["row_id"], [lengths(clip) for clip in clips(row[column])]] for row in rows
                ]
    json.dump(found, sys.stdout)


def clips(cell: object) -> list[dict[str, bytes]]:
    """Return the clips of a cell: none, one, or a list of them."""
    if cell is None:
        return []
    return cell if isinstance(cell, list) else [cell]  # type: ignore[list-item]


def lengths(clip: dict[str, bytes]) -> list[int]:
    """Return samples and rate of a clip."""
    samples, rate = soundfile.read(io.BytesIO(clip["bytes"]))
    return [len(samples), rate]


if __name__ == "__main__":
    main(sys.argv[1])
