"""Builds that part their dialogues: groups stay where they are, and copies are left out."""

import json

import pyarrow.parquet as pq
import pytest

from ieat.pipeline.config import load_config
from ieat.pipeline.failures import ConfigError
from ieat.pipeline.main import build
from ieat.pipeline.output.closing import read_manifest
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.verify import verify
from ieat.pipeline.plan import plan_build
from tests.talk_script import manifest_line

STORY = "I came home late and somebody had stolen the old leather bag with all of my letters"


def line(name, speaker, words="", **fields):
    words = words or f"This is what {speaker} has to tell about {name} and nobody else {name}"
    return manifest_line(name, (speaker, words), (f"friend of {name}", "Oh"), **fields)


LINES = [
    line("d0", "joe"),
    line("d1", "joe"),
    line("d2", "eve", STORY),
    line("d3", "max", f"{STORY} inside"),
    line("d4", "zoe", split="test"),
    line("d5", "zoe"),
    line("d6", "kim"),
    line("d7", "lee"),
]


def configured(folder, lines=LINES, output="out", **changes):
    manifest = folder / "talks.jsonl"
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    values = {
        "inputs": [{"path": str(manifest), "speaker_scope": "corpus"}],
        "output": str(folder / output),
        "store": str(folder / "store"),
        "recognizer": "gold",
        "shards": 2,
        "splits": {"shares": {"train": 0.5, "dev": 0.5}},
        "near_duplicates": 0.8,
    }
    return load_config(None, values | changes)


def splits_in(out):
    found = {}
    for file in sorted(out.glob("dialogues/*.parquet")):
        for row in pq.read_table(file, columns=["dialogue_id", "split"]).to_pylist():
            assert file.name.startswith(f"{row['split']}-")
            found[row["dialogue_id"].removeprefix("talks/")] = row["split"]
    return found


def test_a_build_parts_its_dialogues_and_a_grown_corpus_leaves_them_where_they_are(tmp_path):
    report = build(configured(tmp_path))
    assert report.warnings == (
        "1 dialogues that the corpora give to train share speakers or scripts with their split "
        "test, and go there",
    )
    books = report.manifest.books.dialogues
    assert (books.read, books.written, books.filtered) == (8, 7, {"near_duplicate": 1})
    first = splits_in(tmp_path / "out")
    assert first["d0"] == first["d1"]
    assert first["d4"] == first["d5"] == "test"
    assert set(first) == {"d0", "d1", "d2", "d4", "d5", "d6", "d7"}
    assert set(first.values()) == {"train", "dev", "test"}
    screening = json.loads((tmp_path / "out/screening.json").read_text())
    assert screening == {
        "near_duplicates": [
            {
                "dialogue_id": "talks/d3",
                "original": "talks/d2",
                "similarity": 15 / 18,
            }
        ]
    }
    assert verify(str(tmp_path / "out")).problems == ()
    grown = configured(tmp_path, [line("a0", "joe"), line("a1", "kim"), *LINES], "grown")
    build(grown)
    second = splits_in(tmp_path / "grown")
    assert second == first | {"a0": first["d0"], "a1": first["d6"]}
    # The same corpus at once, with nothing remembered, may go elsewhere; remembered, it stays.
    again = splits_in(tmp_path / "grown")
    build(grown)
    assert splits_in(tmp_path / "grown") == again


def test_groups_that_grow_together_over_a_border_end_the_build_before_anything_is_asked(tmp_path):
    build(configured(tmp_path))
    first = splits_in(tmp_path / "out")
    other = next(name for name in ("d2", "d6", "d7") if first[name] != first["d0"])
    words = {"d2": "eve", "d6": "kim", "d7": "lee"}
    joining = manifest_line("x", ("joe", "Hi"), (words[other], "Oh"))
    with pytest.raises(ConfigError, match=r"grow together: the dialogue talks/x shares speakers"):
        build(configured(tmp_path, [*LINES, joining], "grown"))
    with pytest.raises(ConfigError, match=r"grow together: the dialogue talks/x"):
        plan_build(configured(tmp_path, [*LINES, joining], "grown"))


def test_a_plan_counts_what_is_left_and_remembers_nothing(tmp_path):
    plan = plan_build(configured(tmp_path))
    assert plan.num_dialogues == 7
    assert list(plan.broken) == ["near_duplicate"]
    assert not (tmp_path / "store" / "splits.json").exists()


def test_a_build_with_a_limit_remembers_nothing(tmp_path):
    report = build(configured(tmp_path, limit=3))
    assert not (tmp_path / "store" / "splits.json").exists()
    assert any("with a limit" in warning for warning in report.warnings)


def test_the_number_of_groups_changes_no_byte(tmp_path):
    build(configured(tmp_path, output="one"))
    build(configured(tmp_path, output="many", group_dialogues=1))
    one, many = (
        {
            shard.file: shard.sha256
            for shard in read_manifest(BuildFolder(str(tmp_path / out))).shards
        }
        for out in ("one", "many")
    )
    assert one == many


def test_both_holders_of_an_id_fail_and_part_nothing(tmp_path):
    report = build(configured(tmp_path, [*LINES, line("d6", "lee")], near_duplicates=None))
    assert report.manifest.codes == {"dialogue:duplicate_id": 2}
    assert "talks/d6" not in (tmp_path / "store" / "splits.json").read_text()


def test_splits_of_the_corpus_that_share_people_are_told_but_no_defect(tmp_path):
    build(configured(tmp_path, splits={}, near_duplicates=None))
    found = verify(str(tmp_path / "out"))
    assert found.is_sound
    assert found.notes == (
        "splits: 1 speakers lie in more than one: talks/zoe (talks/d4 in test, talks/d5 in train)",
    )
    assert found.describe().endswith("note: " + found.notes[0])


def test_another_runner_is_refused_before_anything_is_read(tmp_path):
    config = configured(tmp_path)
    with pytest.raises(ConfigError, match=r"splits\.shares and near_duplicates look at all"):
        build(config, beam_flags=["--direct_running_mode=multi_processing"])
    assert not (tmp_path / "out").exists()
