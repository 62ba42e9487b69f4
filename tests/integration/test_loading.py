"""Others read our tables: Hugging Face before and from version 4, pyarrow, duckdb."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import datasets
import duckdb
import pyarrow.parquet as pq
import pytest

from tests.writing import sounding, write_build

CURRENT = os.environ.get("IEAT_CURRENT_DATASETS_PYTHON", "")
SCRIPT = Path(__file__).with_name("load_rows.py")
EXPECTED = {
    "stage1": [
        *([f"corpus/d1/{turn:03d}/stage1", [[4800, 16000]]] for turn in range(5)),
        *([f"corpus/d2/{turn:03d}/stage1", []] for turn in range(5)),
    ],
    "stage2": [
        ["corpus/d1/000/stage2", [[4800, 16000]]],
        ["corpus/d1/002/stage2", [[4800, 16000], [4800, 16000]]],
        ["corpus/d2/000/stage2", []],
        ["corpus/d2/002/stage2", []],
    ],
}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of one dialogue with sound and one without, and a split without targets."""
    folder = tmp_path_factory.mktemp("loading")
    spoken = [
        sounding(folder / "sound", "d1"),
        sounding(folder / "sound", "d2", with_audio=False, texts_only=range(5)),
        sounding(folder / "sound", "d3", split="test", left_out={0: "x_y", 2: "x_y"}),
    ]
    write_build(folder / "out", spoken)
    return folder / "out"


def load_with(python: str, out: Path) -> dict[str, Any]:
    ended = subprocess.run(
        [python, "-W", "ignore", str(SCRIPT), str(out)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def assert_all_rows_came(found: dict[str, Any]) -> None:
    for way in ("loaded", "streamed"):
        assert found[f"stage1 {way}"] == EXPECTED["stage1"]
        assert found[f"stage2 {way}"] == EXPECTED["stage2"]


def test_hugging_face_before_version_4_loads_and_streams_all_rows(out: Path) -> None:
    found = load_with(sys.executable, out)
    assert found["major"] < 4
    assert_all_rows_came(found)


@pytest.mark.skipif(
    not Path(CURRENT).is_file(),
    reason="needs the interpreter that `make test` sets up with the current `datasets`",
)
def test_hugging_face_from_version_4_loads_and_streams_all_rows(out: Path) -> None:
    found = load_with(CURRENT, out)
    assert found["major"] >= 4
    assert_all_rows_came(found)


def test_hugging_face_before_version_4_decodes_clips_and_lists_of_clips(
    out: Path, tmp_path: Path
) -> None:
    turns = datasets.load_dataset(str(out), "stage1", split="train", cache_dir=str(tmp_path))
    assert turns[0]["audio"]["array"].shape == (4800,)
    assert turns[0]["audio"]["sampling_rate"] == 16000
    targets = datasets.load_dataset(str(out), "stage2", split="train", cache_dir=str(tmp_path))
    assert [clip["array"].shape for clip in targets[1]["audios"]] == [(4800,), (4800,)]
    streamed = datasets.load_dataset(str(out), "stage2", split="train", streaming=True)
    assert [len(row["audios"]) for row in streamed] == [1, 2, 0, 0]


def test_files_without_the_card_still_tell_their_clips(out: Path, tmp_path: Path) -> None:
    rows = datasets.load_dataset(
        "parquet",
        data_files=str(out / "stage1" / "train-00000-of-00001.parquet"),
        split="train",
        cache_dir=str(tmp_path),
    )
    assert rows.features["audio"] == datasets.Audio(sampling_rate=16000)


def test_a_split_without_targets_does_not_stop_the_others(out: Path, tmp_path: Path) -> None:
    rows = datasets.load_dataset(str(out), "stage2", cache_dir=str(tmp_path))
    assert rows.num_rows == {"train": 4}


def test_duckdb_and_pyarrow_read_the_same(out: Path) -> None:
    pattern = str(out / "stage2" / "train-*.parquet")
    by_duckdb = duckdb.sql(
        f"select row_id, trainable.explicit, audios from '{pattern}' order by row_id"
    ).fetchall()
    by_pyarrow = pq.read_table(out / "stage2", partitioning=None).to_pylist()
    assert by_duckdb == [
        (row["row_id"], row["trainable"]["explicit"], row["audios"]) for row in by_pyarrow
    ]
