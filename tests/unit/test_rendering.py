"""Rows become lines and files of clips, and what does not is counted with its reason."""

import hashlib
import json
from collections import Counter

import pytest

from ieat.pipeline.failures import BadAudio, ConfigError
from ieat.pipeline.render.clip_files import clip_path
from ieat.pipeline.render.rendering import RenderSettings, render
from ieat.schemas.dialogue import Language
from tests.builders import composed, fake_clip
from tests.dialogues import TALK
from tests.written_rows import embedded, referenced, write_build

MIX = "mix:1,1,1"


@pytest.fixture
def output(tmp_path):
    return tmp_path / "rendered"


def many(count, **fields):
    return [row for n in range(count) for row in embedded(composed(name=f"d{n}", **fields))]


def rendered(tmp_path, rows, output, name="swift", read=fake_clip, **settings):
    out = write_build(tmp_path / "out", rows)
    return render(out, str(output), RenderSettings(format=name, **settings), read)


def lines(output, split="train"):
    text = (output / f"{split}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def files(folder):
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_each_split_is_a_file_and_each_turn_one_clip(tmp_path, output):
    rows = embedded(composed()) + embedded(
        composed(name="d2", split="dev", language=Language.ZH, thinking="她很生气。")
    )
    report = rendered(tmp_path, rows, output)
    assert [line["row_id"] for line in lines(output)] == [
        "corpus/d1/000/stage2", "corpus/d1/002/stage2"
    ]  # fmt: skip
    first, second = (line["audios"] for line in lines(output))
    assert second[0] == first[0] == clip_path(rows[0].audio_spans[0])
    assert (output / second[1]).read_bytes() == fake_clip(rows[1].audio_spans[1])
    assert [line["think_mode"] for line in lines(output, "dev")] == ["explicit", "explicit"]
    assert len(list(output.rglob("*.flac"))) == report.clips == 4


def test_what_it_came_from_is_written_down_and_the_books_balance(tmp_path, output):
    rows = embedded(composed()) + embedded(composed(name="d2", labeler_id="linear:1"))
    report = rendered(tmp_path, rows, output)
    told = json.loads((output / "render.json").read_text(encoding="utf-8"))
    assert told == report.model_dump(mode="json")
    assert told == {
        "format": "swift",
        "table": "stage2",
        "mode": "explicit",
        "thinking_tags": {
            "profile": "think", "opening": "<think>\n", "closing": "\n</think>\n\n"
        },
        "all_rows": False,
        "audio_root": "",
        "manifest_sha256": hashlib.sha256(b"{}\n").hexdigest(),
        "schema_version": rows[0].schema_version,
        "clips": 2,
        "long_clips": 0,
        "splits": {
            "train": {
                "file": "train.jsonl",
                "sha256": hashlib.sha256((output / "train.jsonl").read_bytes()).hexdigest(),
                "read": 4,
                "written": 2,
                "skipped": 2,
                "skipped_for": {"baseline_labeler": 2},
                "modes": {"explicit": {"share": 1.0, "drawn": 4, "written": 2}},
                "tasks": {"answer": 2},
                "changed_for": {},
            }
        },
        "notes": ["start training in this folder, or name it in ROOT_IMAGE_DIR"],
    }  # fmt: skip
    assert report.describe("there").splitlines()[0] == (
        "train: 2 of 4 rows in there/train.jsonl; skipped: baseline_labeler 2"
    )


def test_rows_that_are_not_fit_are_lines_with_all(tmp_path, output):
    rows = embedded(composed(labeler_id="linear:1", response="corpus"))
    report = rendered(tmp_path, rows, output, all_rows=True, mode="injected")
    assert report.splits["train"].written == 2
    assert report.all_rows


def test_a_mix_writes_the_mode_into_each_line_and_counts_what_fell(tmp_path, output):
    # Answers of the corpus did not come from the thinking: they are fit for `explicit` alone.
    rows = many(30) + [
        row for n in range(30, 40) for row in embedded(composed(name=f"d{n}", response="corpus"))
    ]
    report = rendered(tmp_path, rows, output, mode=MIX).splits["train"]
    assert (report.read, report.written, report.skipped) == (80, 80, 0)
    written = Counter(line["think_mode"] for line in lines(output))
    assert {mode: of.written for mode, of in report.modes.items()} == written
    assert sum(of.drawn for of in report.modes.values()) == 80
    by_id = {line["row_id"]: line["think_mode"] for line in lines(output)}
    assert {by_id[row.row_id] for row in rows[60:]} == {"explicit"}
    assert {by_id[row.row_id] for row in rows[:60]} == {"explicit", "injected", "implicit"}
    assert report.modes["explicit"].written > report.modes["explicit"].drawn


def test_a_row_keeps_its_mode_when_rows_are_added(tmp_path, output):
    rendered(tmp_path, many(4), output, mode=MIX)
    more = tmp_path / "more"
    more.mkdir()
    rendered(more, many(9), more / "rendered", mode=MIX)
    before = {line["row_id"]: line["think_mode"] for line in lines(output)}
    after = {line["row_id"]: line["think_mode"] for line in lines(more / "rendered")}
    assert len(before) == 8
    assert before.items() < after.items()


def test_rows_that_no_used_mode_fits_are_skipped_with_their_reasons(tmp_path, output):
    rows = many(2) + embedded(composed(name="d9", response="corpus"))
    report = rendered(tmp_path, rows, output, mode="mix:0,1,1").splits["train"]
    assert (report.written, report.skipped_for) == (4, {"corpus_response": 2})


def test_nothing_is_written_where_no_row_can_be_rendered(tmp_path, output):
    rows = embedded(composed(response="corpus"))
    with pytest.raises(ConfigError, match=r"corpus_response 2.*--all"):
        rendered(tmp_path, rows, output, mode="implicit")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_same_build_gives_the_same_bytes(tmp_path, output):
    rendered(tmp_path, many(3), output, mode=MIX)
    again = tmp_path / "again"
    render(str(tmp_path / "out"), str(again), RenderSettings("swift", MIX), fake_clip)
    assert files(again) == files(output)


def test_clips_by_reference_are_cut_once_and_named_as_embedded_ones(tmp_path, output):
    cut = []

    def read(span):
        cut.append(span.turn_index)
        return fake_clip(span)

    rendered(tmp_path, referenced(composed()), output, read=read)
    assert cut == [0, 2]
    whole = tmp_path / "whole"
    whole.mkdir()
    rendered(whole, embedded(composed()), whole / "rendered")
    assert files(whole / "rendered") == files(output)


def test_clips_that_many_encoders_hear_in_part_are_counted_once_and_left_whole(tmp_path, output):
    rows = [
        row.model_copy(
            update={
                "audio_spans": tuple(
                    span.model_copy(update={"duration": 30.5 if span.turn_index == 0 else 30.0})
                    for span in row.audio_spans
                )
            }
        )
        for row in embedded(composed())
    ]
    report = rendered(tmp_path, rows, output)
    assert (report.clips, report.long_clips) == (2, 1)
    assert "note: 1 clips are longer than 30 s" in report.describe("there")


def test_a_row_whose_clip_cannot_be_cut_again_is_skipped_and_leaves_no_file(tmp_path, output):
    def read(span):
        if span.turn_index == 2:
            raise BadAudio("audio_changed", "the file changed")
        return fake_clip(span)

    report = rendered(tmp_path, referenced(composed()), output, read=read)
    assert report.splits["train"].skipped_for == {"audio_changed": 1}
    assert [line["row_id"] for line in lines(output)] == ["corpus/d1/000/stage2"]
    assert len(list(output.rglob("*.flac"))) == 1


@pytest.mark.parametrize(
    ("words", "name", "mark"),
    [
        ("I say </think> aloud", "swift", "</think>"),
        ("Look at this <image>", "swift", "<image>"),
        ("Look at this <video>", "llamafactory", "<video>"),
    ],
)
def test_words_that_a_trainer_takes_for_a_tag_skip_their_row(tmp_path, output, words, name, mark):
    assert mark in words
    talk = (TALK[0], ("bob", words), *TALK[2:])
    report = rendered(tmp_path, embedded(composed(talk)), output, name)
    assert report.splits["train"].skipped_for == {"tag_in_words": 1}
    assert [line["row_id"] for line in lines(output)] == ["corpus/d1/000/stage2"]


def test_a_reply_that_begins_a_row_is_answered_by_nobody(tmp_path, output):
    rows = embedded(composed((("bob", "Hello"), *TALK)))
    report = rendered(tmp_path, rows, output)
    assert report.splits["train"].changed_for == {"reply_first": 2}
    assert [(m["role"], m["content"]) for m in lines(output)[0]["messages"][:3]] == [
        ("user", ""), ("assistant", "Hello"), ("user", "<audio>")
    ]  # fmt: skip


def test_osum_takes_rows_whose_target_is_one_clip_and_turns_back_to_one_that_is_not(
    tmp_path, output
):
    talk = (
        ("ann", "One"), ("bob", "Yes"), ("ann", "Two"), ("ann", "Three"), ("bob", "Yes"),
        ("ann", "Four"), ("bob", "Yes"), ("ann", "Five"), ("bob", "Yes"),
    )  # fmt: skip
    rows = embedded(composed(talk, texts_only=(0,), emotions={}))
    report = rendered(tmp_path, rows, output, "osum", all_rows=True).splits["train"]
    assert report.skipped_for == {"several_clips": 1, "text_in_turn": 1}
    assert report.changed_for == {"turns_left_out": 2}
    told = [{key for key in line if key.startswith(("wav", "txt"))} for line in lines(output)]
    assert told == [{"wav", "txt"}, {"wav", "txt", "wav_1", "txt_1"}]
    assert len(list(output.rglob("*.flac"))) == 2


@pytest.mark.parametrize("name", ["llamafactory", "osum"])
@pytest.mark.parametrize("mode", ["injected", MIX])
def test_thinking_in_context_is_refused_where_answers_are_learned_whole(
    tmp_path, output, name, mode
):
    with pytest.raises(ConfigError, match="--format swift or hf"):
        rendered(tmp_path, many(1), output, name, mode=mode)


def test_osum_refuses_tags_that_its_loader_would_write_a_second_time(tmp_path, output):
    with pytest.raises(ConfigError, match="leave --thinking-tags out"):
        rendered(tmp_path, many(1), output, "osum", thinking_tags="think")


def test_paths_begin_with_the_root_that_is_given(tmp_path, output):
    rendered(tmp_path, many(1), output, audio_root="/data/talks/")
    path = lines(output)[0]["audios"][0]
    assert path.startswith("/data/talks/audio/")
    assert (output / path.removeprefix("/data/talks/")).is_file()


def test_a_line_is_one_line_for_every_reader(tmp_path, output):
    words = "One\u2028two\u2029three\x85four"
    rendered(tmp_path, embedded(composed((TALK[0], ("bob", words), *TALK[2:]))), output)
    assert lines(output)[1]["messages"][1]["content"] == words


def test_a_table_that_is_broken_is_told_and_leaves_nothing(tmp_path, output):
    out = write_build(tmp_path / "out", many(1))
    (tmp_path / "out" / "stage2" / "train-00000-of-00001.parquet").write_bytes(b"PAR1")
    with pytest.raises(ConfigError, match="ieat verify"):
        render(out, str(output), RenderSettings("swift"))
    assert not output.exists()


def test_an_output_that_is_not_free_stays_as_it_is(tmp_path, output):
    output.mkdir()
    (output / "notes.txt").write_text("mine", encoding="utf-8")
    for overwrite in (False, True):
        with pytest.raises(ConfigError, match="no rendering"):
            rendered(tmp_path / str(overwrite), many(1), output, overwrite=overwrite)
    assert files(output) == {"notes.txt": b"mine"}


def test_an_earlier_rendering_is_replaced_as_a_whole_when_asked(tmp_path, output):
    rendered(tmp_path, many(1, split="dev"), output)
    out = write_build(tmp_path / "other", many(2))
    with pytest.raises(ConfigError, match="--overwrite"):
        render(out, str(output), RenderSettings("hf"), fake_clip)
    render(out, str(output), RenderSettings("hf", overwrite=True), fake_clip)
    assert sorted(path.name for path in output.iterdir()) == ["audio", "render.json", "train.jsonl"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "out", "rendered"]


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_a_rendering_that_is_cut_short_leaves_nothing(tmp_path, output, problem):
    def read(span):
        raise problem

    with pytest.raises((KeyboardInterrupt, ConfigError)):
        rendered(tmp_path, referenced(composed()), output, read=read)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_places_that_are_no_finished_build_and_formats_that_are_none_are_refused(tmp_path, output):
    with pytest.raises(ConfigError, match=r"manifest\.json"):
        render(str(tmp_path), str(output), RenderSettings("swift"))
    with pytest.raises(ConfigError, match="swift, llamafactory, osum, hf"):
        render(str(tmp_path), str(output), RenderSettings("parquet"))
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match="has no stage2"):
        render(str(tmp_path), str(output), RenderSettings("swift"))
    with pytest.raises(ConfigError, match="local folder"):
        render(write_build(tmp_path / "o", many(1)), "s3://b/x", RenderSettings("swift"))
