"""What lies in two splits is found, and what is held out does not leave its split."""

import pytest

from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.shards import ShardName, write_shard
from ieat.pipeline.output.sink import ShelveRows, SinkSettings
from ieat.pipeline.output.split_check import (
    HeldOutError,
    Parted,
    Shared,
    SharedKey,
    find_shared,
    refuse_held_out,
)
from ieat.pipeline.output.split_facts import describe_shared, made_splits_by, misplaced_rows
from ieat.pipeline.output.stage2_rows import RowSettings
from ieat.schemas.build import Books, Manifest
from tests.builders import composed

SETTINGS = SinkSettings(
    out="out",
    num_shards=2,
    rows=RowSettings(max_context_turns=20, max_context_seconds=120.0, stage2_audio="embed"),
)


def test_speakers_and_scripts_of_two_splits_are_found_with_an_example_of_each():
    shared = find_shared(
        [
            Parted("d2", "train", ("q/joe", "q/ann"), ("s1",)),
            Parted("d1", "train", ("q/joe",), ("s1", "s2")),
            Parted("d3", "test", ("q/joe", "q/eve"), ("s3",)),
            Parted("d4", "dev", (), ("s2",)),
        ]
    )
    joe = SharedKey("q/joe", (("test", "d3"), ("train", "d1")))
    assert shared == Shared(3, 3, (joe,), (SharedKey("s2", (("dev", "d4"), ("train", "d1"))),))
    assert list(describe_shared(shared)) == [
        ("speaker", "splits: 1 speakers lie in more than one: q/joe (d3 in test, d1 in train)"),
        ("script", "splits: 1 scripts lie in more than one: s2 (d4 in dev, d1 in train)"),
    ]


def test_splits_that_share_nothing_are_disjoint():
    shared = find_shared(
        [Parted("a", "train", ("q/a",), ("s",)), Parted("b", "test", ("r/a",), ())]
    )
    assert shared == Shared(2, 1, (), ())
    assert shared.is_disjoint
    assert list(describe_shared(shared)) == []


def test_only_some_of_many_are_named():
    names = tuple(f"q/{n}" for n in range(5))
    shared = find_shared([Parted("a", "train", names, ()), Parted("b", "test", names, ())])
    ((_, told),) = describe_shared(shared)
    assert told == (
        "splits: 5 speakers lie in more than one: q/0 (b in test, a in train), "
        "q/1 (b in test, a in train), q/2 (b in test, a in train) and 2 more"
    )


def test_splits_are_ours_only_where_shares_are_set():
    assert made_splits_by({"config": {"splits": {"shares": {"train": 1}, "by": ["script"]}}}) == (
        "script",
    )
    assert made_splits_by({"config": {}}) == made_splits_by({}) == ()


def test_what_is_trained_on_may_be_held_out_but_never_the_other_way():
    refuse_held_out("d", "train", "test")
    refuse_held_out("d", "test", "test")
    for split in ("train", "dev"):
        with pytest.raises(HeldOutError, match=f"gives it to test, but it would go to {split}"):
            refuse_held_out("d", "test", split)


def test_the_sink_refuses_a_test_dialogue_in_train():
    given = composed()
    moved = given.dialogue.model_copy(update={"corpus_split": "test"})
    with pytest.raises(HeldOutError, match="corpus/d1: its corpus gives it to test"):
        list(ShelveRows(SETTINGS).process(given.model_copy(update={"dialogue": moved})))


def test_a_file_of_train_takes_no_row_of_another_split(tmp_path):
    rows = [
        row
        for key, (_, row) in ShelveRows(SETTINGS).process(composed(split="test"))
        if key.startswith("stage1/")
    ]
    name = ShardName("stage1", "train", 0, 1)
    with pytest.raises(HeldOutError, match=r"train-.*: the row corpus/d1/.* is of the split test"):
        write_shard(BuildFolder(str(tmp_path)), name, sorted(rows), None)
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_row_that_lies_apart_from_its_dialogue_is_found_in_a_finished_build(tmp_path):
    folder = BuildFolder(str(tmp_path))
    rows = {}
    for key, (_, row) in ShelveRows(SETTINGS).process(composed()):
        rows.setdefault(key.split("/")[0], []).append(row)
    strayed = rows["stage1"][0].replace('"split":"train"', '"split":"test"')
    held_out = rows["dialogues"][0].replace('"corpus_split":"train"', '"corpus_split":"dev"')
    shards = [
        write_shard(folder, ShardName("dialogues", "train", 0, 1), [held_out], None).file,
        write_shard(folder, ShardName("stage1", "test", 0, 1), [strayed], None).file,
        write_shard(folder, ShardName("stage1", "train", 0, 1), rows["stage1"][1:], None).file,
    ]
    manifest = Manifest(books=Books(), shards=tuple(shards), codes={}, not_configured=())
    assert list(misplaced_rows(folder, manifest)) == [
        "dialogues/train-00000-of-00001.parquet: corpus/d1: its corpus gives it to dev, but it "
        "would go to train",
        "stage1/test-00000-of-00001.parquet: corpus/d1/000/stage1: lies in test, but its dialogue "
        "is of the split train",
    ]
