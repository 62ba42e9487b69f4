"""A finished build is checked, told on its card, and read for training."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
import yaml

from ieat.pipeline.failures import ConfigError
from ieat.pipeline.output.reading import read_samples
from ieat.pipeline.output.stage2_rows import RowSettings
from ieat.pipeline.output.verify import verify
from ieat.schemas.emotion import Emotion
from tests.builders import aside, fake_clip
from tests.writing import sounding, write_build


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One dialogue written from its thinking, one with the corpus' answers, one dead."""
    folder = tmp_path_factory.mktemp("finished")
    spoken = [
        sounding(folder / "sound", "d1", golds={0: Emotion.SAD, 2: Emotion.FEAR}),
        sounding(
            folder / "sound",
            "d2",
            split="test",
            recognizer_id="moonshine:tiny",
            response="corpus",
            emotions={0: Emotion.NEUTRAL, 2: Emotion.NEUTRAL},
        ),
    ]
    write_build(folder / "out", spoken, [aside("d3")])
    return folder / "out"


@pytest.fixture
def out(built: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(built, tmp_path / "out"))


def test_a_finished_build_is_sound(built: Path) -> None:
    report = verify(str(built))
    assert report.describe().splitlines()[0] == "sound: 7 files, 17 rows, 16 clips"
    assert report.problems == ()


def spoil_bytes(out: Path) -> None:
    with (out / "stage1/train-00000-of-00001.parquet").open("r+b") as file:
        file.seek(100)
        file.write(b"spoiled")


def remove_shard(out: Path) -> None:
    (out / "stage2/test-00000-of-00001.parquet").unlink()


def add_shard(out: Path) -> None:
    (out / "stage2/more-00000-of-00001.parquet").write_bytes(b"")


def leave_half(out: Path) -> None:
    (out / "stage2/train-00000-of-00001.parquet.0a.tmp").write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (spoil_bytes, "stage1/train-00000-of-00001.parquet: is not the file that was written"),
        (remove_shard, "stage2/test-00000-of-00001.parquet: is missing"),
        (add_shard, "stage2/more-00000-of-00001.parquet: not listed"),
        (leave_half, "stage2/train-00000-of-00001.parquet.0a.tmp: left by a run that ended"),
    ],
)
def test_what_is_wrong_with_files_is_told(
    out: Path, spoil: Callable[[Path], None], problem: str
) -> None:
    spoil(out)
    report = verify(str(out))
    assert [found.startswith(problem) for found in report.problems] == [True]
    assert report.is_sound is False


def test_a_clip_that_does_not_decode_is_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_build(out, [sounding(tmp_path / "sound")], read=fake_clip)
    problems = verify(str(out)).problems
    assert len(problems) == 8
    assert all("a clip does not decode" in found for found in problems)


def test_a_folder_without_a_finished_build_is_a_mistake(out: Path, tmp_path: Path) -> None:
    (out / "manifest.json").unlink()
    with pytest.raises(ConfigError, match="its build is not finished"):
        verify(str(out))
    with pytest.raises(ConfigError, match=r"holds no build\.json"):
        verify(str(tmp_path / "nowhere"))


def test_clips_lie_uncompressed_in_row_groups_and_the_rest_is_compressed(built: Path) -> None:
    group = pq.ParquetFile(built / "stage2/train-00000-of-00001.parquet").metadata.row_group(0)
    codecs = {
        group.column(index).path_in_schema: group.column(index).compression
        for index in range(group.num_columns)
    }
    assert codecs.pop("audios.list.element.bytes") == "UNCOMPRESSED"
    assert set(codecs.values()) == {"ZSTD"}


def test_a_build_may_lie_on_any_file_system(built: Path, tmp_path: Path) -> None:
    out = "memory://builds/finished"
    write_build(out, [sounding(tmp_path / "sound")])
    assert verify(out).describe() == "sound: 4 files, 8 rows, 8 clips"
    assert [row["row_id"] for row in read_samples(out)] == [
        "corpus/d1/000/stage2",
        "corpus/d1/002/stage2",
    ]


def front_of(card: str) -> dict[str, object]:
    front: dict[str, object] = yaml.safe_load(card.split("---\n")[1])
    return front


def test_the_card_lists_tables_and_splits_but_no_dead_letters(built: Path) -> None:
    front = front_of((built / "README.md").read_text(encoding="utf-8"))
    assert front["language"] == ["en"]
    assert front["configs"] == [
        {
            "config_name": table,
            "data_files": [
                {"split": split, "path": f"{table}/{split}-*.parquet"}
                for split in ("test", "train")
            ],
            **({"default": True} if table == "stage2" else {}),
        }
        for table in ("stage2", "dialogues", "stage1")
    ]


@pytest.mark.parametrize(
    "line",
    [
        "| dialogues | 3 | 2 | 67% | 1 | 0 | 0 |",
        "| `stage2` | 2 | 2 | 4 |",
        "| `stage2`, explicit | 2 | 4 | 50% | unscored_words 2 |",
        "| `audios[].path` | string, nullable | Name of the clip, or the source's URI when audio "
        "is kept by reference. |",
    ],
)
def test_the_card_tells_what_was_counted(built: Path, line: str) -> None:
    assert line in (built / "README.md").read_text(encoding="utf-8").splitlines()


def test_the_files_are_the_same_whatever_was_there_before(built: Path, out: Path) -> None:
    names = sorted(path.relative_to(built) for path in built.rglob("*") if path.is_file())
    assert [(built / name).read_bytes() for name in names] == [
        (out / name).read_bytes() for name in names
    ]


def test_samples_have_the_messages_of_their_mode(built: Path) -> None:
    shown = {
        mode: [(m["kind"], m["loss"]) for m in next(read_samples(str(built), mode))["messages"]]
        for mode in ("explicit", "injected", "implicit")
    }
    assert shown == {
        "explicit": [("listen", False), ("think", True), ("write", True)],
        "injected": [("listen", False), ("think", False), ("write", True)],
        "implicit": [("listen", False), ("write", True)],
    }


def test_samples_that_are_not_fit_are_passed_over_unless_asked_for(built: Path) -> None:
    assert list(read_samples(str(built), split="test")) == []
    found = read_samples(str(built), split="test", trainable_only=False)
    assert [row["row_id"] for row in found] == ["corpus/d2/000/stage2", "corpus/d2/002/stage2"]
    turns = list(read_samples(str(built), table="stage1"))
    assert len(turns) == 5


def test_clips_of_samples_are_whole_files(built: Path) -> None:
    row = next(read_samples(str(built)))
    samples, rate = soundfile.read(io.BytesIO(row["audios"][0]["bytes"]))
    assert (len(samples), rate) == (4800, 16000)


def test_an_unknown_mode_or_split_is_a_mistake_that_is_told_at_once(built: Path) -> None:
    with pytest.raises(ConfigError, match="no think mode 'silent'"):
        read_samples(str(built), "silent")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="has no stage2/dev-"):
        read_samples(str(built), split="dev")


def test_row_groups_are_bounded_by_the_bytes_of_clips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ieat.pipeline.output.shards.MAX_GROUP_BYTES", 250)
    rows = RowSettings(20, 120.0, "reference")
    out = tmp_path / "out"
    write_build(out, [sounding(tmp_path / "s")], read=lambda span: b"x" * 100, rows=rows)
    found = pq.ParquetFile(out / "stage1/train-00000-of-00001.parquet").metadata
    assert [found.row_group(index).num_rows for index in range(found.num_row_groups)] == [2, 2, 1]


def test_files_name_the_version_of_their_layout(built: Path) -> None:
    schema: pa.Schema = pq.read_schema(built / "stage1/train-00000-of-00001.parquet")
    assert schema.metadata[b"ieat.schema_version"] == b"2"
