"""The sink as a whole: files, dead letters, manifest; the same bytes however rows arrive."""

import json
from collections.abc import Sequence
from pathlib import Path

import apache_beam as beam
import pyarrow.parquet as pq
import pytest

from ieat.pipeline.failures import BadAudio
from ieat.pipeline.output.clips import ReadClip
from ieat.pipeline.output.closing import close_build, read_manifest
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.group_records import Group, read_record
from ieat.pipeline.output.sink import SinkSettings, WriteBuild, shard_of
from ieat.pipeline.output.stage2_rows import RowSettings
from ieat.schemas.build import Manifest
from ieat.schemas.cells import SpanCell
from ieat.schemas.records import DistilledDialogue, SetAside, SourceUnit
from tests.builders import aside, composed, fake_clip

ROWS = RowSettings(max_context_turns=20, max_context_seconds=120.0, stage2_audio="embed")


def write(
    out: Path,
    dialogues: Sequence[DistilledDialogue],
    set_aside: Sequence[SetAside] = (),
    *,
    num_shards: int = 2,
    rows: RowSettings = ROWS,
    read_clip: ReadClip = fake_clip,
    reshuffle: bool = False,
) -> Manifest:
    settings = SinkSettings(
        out=str(out), num_shards=num_shards, rows=rows, not_configured=("voice",)
    )
    group = Group(shards=tuple(range(num_shards)))
    with beam.Pipeline("FnApiRunner") as p:
        read = p | "Dialogues" >> beam.Create(list(dialogues)).with_output_types(DistilledDialogue)
        if reshuffle:
            read |= beam.Reshuffle()
        left = p | "Aside" >> beam.Create(list(set_aside)).with_output_types(SetAside)
        given = [SourceUnit(input_index=0, source="s", uri="s")] * (len(dialogues) + len(set_aside))
        units = p | "Units" >> beam.Create(given).with_output_types(SourceUnit)
        _ = read | WriteBuild(settings, group, read_clip, left, units)
    close_build(settings, [read_record(BuildFolder(str(out)), group)])
    return read_manifest(BuildFolder(str(out)))


def ids(out: Path, table: str) -> list[str]:
    return [
        row
        for file in sorted(out.glob(f"{table}/*.parquet"))
        for row in pq.read_table(file, partitioning=None)["row_id"].to_pylist()
    ]


def files(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()
    }


def lose_second_clip(span: SpanCell) -> bytes:
    if span.turn_index == 2:
        raise BadAudio("audio_missing", f"{span.uri}: there is no such file")
    return fake_clip(span)


def test_every_row_lies_in_the_shard_of_its_dialogue(tmp_path: Path) -> None:
    write(tmp_path, [composed(name="d1"), composed(name="d2", split="test")])
    assert ids(tmp_path, "dialogues") == ["corpus/d2", "corpus/d1"]
    shard = shard_of("corpus/d1", 2)
    found = pq.read_table(tmp_path / f"stage1/train-{shard:05d}-of-00002.parquet")
    assert found["row_id"].to_pylist() == [f"corpus/d1/{turn:03d}/stage1" for turn in range(5)]
    stage2 = pq.read_table(tmp_path / f"stage2/train-{shard:05d}-of-00002.parquet")
    assert stage2["row_id"].to_pylist() == ["corpus/d1/000/stage2", "corpus/d1/002/stage2"]


def test_every_shard_of_every_split_is_there_even_when_it_is_empty(tmp_path: Path) -> None:
    write(tmp_path, [composed(name="d1")], num_shards=3)
    assert sorted(files(tmp_path)) == sorted(
        ["manifest.json"]
        + [
            f"{table}/{split}-0000{shard}-of-00003.parquet"
            for table, split in (
                ("dialogues", "train"),
                ("stage1", "train"),
                ("stage2", "train"),
                ("_dead_letters", "all"),
            )
            for shard in range(3)
        ]
    )


def test_the_same_dialogues_give_the_same_bytes_in_any_order_and_bundling(tmp_path: Path) -> None:
    dialogues = [
        composed(name=f"d{number}", failed_states={2: "quote_unfound"}) for number in "123"
    ]
    lost = [aside("d7"), aside("d8")]
    write(tmp_path / "one", dialogues, lost)
    write(tmp_path / "two", dialogues[::-1], lost[::-1], reshuffle=True)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_the_manifest_accounts_for_every_unit(tmp_path: Path) -> None:
    manifest = write(
        tmp_path,
        [
            composed(
                name="d1",
                failed_states={2: "quote_unfound"},
                failed_targets={2: "needs_failed_state"},
            ),
            composed(name="d2", silent=(4,), left_out={0: "state_unknown"}),
        ],
        [
            aside("d3"),
            aside("d4", "not_reached"),
            aside("d5", "filtered", code="excluded_by_list", num_turns=0, num_targets=0),
        ],
    )
    assert manifest.books.model_dump() == {
        "dialogues": {
            "read": 5,
            "written": 2,
            "dead": {"audio_missing": 1},
            "filtered": {"excluded_by_list": 1},
            "not_reached": {"stopped": 1},
        },
        "turns": {
            "read": 18,
            "written": 9,
            "dead": {"audio_missing": 4},
            "filtered": {"no_words": 1},
            "not_reached": {"stopped": 4},
        },
        "targets": {
            "read": 8,
            "written": 2,
            "dead": {"audio_missing": 2, "needs_failed_state": 1},
            "filtered": {"state_unknown": 1},
            "not_reached": {"stopped": 2},
        },
        "tables": {},
    }
    assert manifest.codes == {
        "dialogue:audio_missing": 1,
        "target:needs_failed_state": 1,
        "turn:quote_unfound": 1,
    }
    assert manifest.not_configured == ("voice",)
    assert ids(tmp_path, "_dead_letters") == sorted(
        ["hear:corpus/d3", "attribute:corpus/d1/002", "compose:corpus/d1/002/stage2"],
        key=lambda found: (shard_of("/".join(found.split(":")[1].split("/")[:2]), 2), found),
    )


def test_a_row_whose_clip_is_gone_becomes_a_dead_letter_and_the_books_still_balance(
    tmp_path: Path,
) -> None:
    manifest = write(tmp_path, [composed()], num_shards=1, read_clip=lose_second_clip)
    assert ids(tmp_path, "stage1") == [f"corpus/d1/{turn:03d}/stage1" for turn in (0, 1, 3, 4)]
    assert ids(tmp_path, "stage2") == ["corpus/d1/000/stage2"]
    letters = pq.read_table(tmp_path / "_dead_letters").to_pylist()
    assert [(row["row_id"], row["unit"], row["table"], row["code"]) for row in letters] == [
        ("write:corpus/d1/002/stage1", "row", "stage1", "audio_missing"),
        ("write:corpus/d1/002/stage2", "row", "stage2", "audio_missing"),
    ]
    assert json.loads(letters[0]["record"])["words"]["clean"] == "Somebody stole it from my car"
    assert manifest.books.turns.written == 4
    assert manifest.books.turns.dead == {"audio_missing": 1}
    assert manifest.books.targets.dead == {"audio_missing": 1}


def test_a_row_that_a_check_keeps_out_is_a_dead_letter_and_the_books_still_balance(
    tmp_path: Path,
) -> None:
    bad = composed(name="d2", thinking="The label says that she is sad.")
    manifest = write(tmp_path, [composed(), bad], num_shards=1)
    assert ids(tmp_path, "stage2") == ["corpus/d1/000/stage2", "corpus/d1/002/stage2"]
    assert len(ids(tmp_path, "stage1")) == 10
    letters = pq.read_table(tmp_path / "_dead_letters").to_pylist()
    assert [
        (row["row_id"], row["unit"], row["table"], row["stage"], row["code"]) for row in letters
    ] == [
        ("check:corpus/d2/000/stage2", "row", "stage2", "check", "label_named"),
        ("check:corpus/d2/002/stage2", "row", "stage2", "check", "label_named"),
    ]
    assert json.loads(letters[0]["record"])["thinking"]["text"] == bad.samples[0].thinking.text
    assert manifest.books.targets.model_dump() == {
        "read": 4,
        "written": 2,
        "dead": {"label_named": 2},
        "filtered": {},
        "not_reached": {},
    }
    assert manifest.codes == {"row:label_named": 2}


def test_both_holders_of_a_duplicate_id_have_a_dead_letter(tmp_path: Path) -> None:
    twice = [aside("d1", source=f"talks.jsonl:{line}") for line in (1, 2)]
    write(tmp_path, [], twice, num_shards=1)
    letters = pq.read_table(tmp_path / "_dead_letters").to_pylist()
    assert [(row["row_id"], row["source"]) for row in letters] == [
        ("hear:corpus/d1", "talks.jsonl:1"),
        ("hear:corpus/d1#2", "talks.jsonl:2"),
    ]


def test_clips_by_reference_name_their_source(tmp_path: Path) -> None:
    rows = RowSettings(max_context_turns=20, max_context_seconds=120.0, stage2_audio="reference")
    write(tmp_path, [composed()], num_shards=1, rows=rows)
    stage2 = pq.read_table(tmp_path / "stage2").to_pylist()
    assert stage2[1]["audios"] == [
        {"bytes": None, "path": "d1-0.wav"},
        {"bytes": None, "path": "d1-2.wav"},
    ]
    assert pq.read_table(tmp_path / "stage1").to_pylist()[0]["audio"] == {
        "bytes": b"clip d1-0.wav 0-32000",
        "path": "corpus/d1/000.flac",
    }


def test_shards_of_a_split_that_is_gone_are_removed(tmp_path: Path) -> None:
    write(tmp_path, [composed(split="dev")], num_shards=1)
    write(tmp_path, [composed(split="train")], num_shards=1)
    assert [path.name for path in tmp_path.glob("*/dev-*")] == []


def test_two_rows_of_one_id_stop_the_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="two rows have the id corpus/d1"):
        write(tmp_path, [composed(), composed()])
