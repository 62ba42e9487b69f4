"""The views of `ieat show`."""

import io
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from ieat.pipeline.failures import ConfigError
from ieat.pipeline.run_report import recount_run
from ieat.pipeline.trace import mark_quote, show_build, show_dialogue, show_failed
from ieat.schemas.emotion import Emotion
from tests.build_rows import (
    WORDS,
    chinese_dialogue,
    dead_letter,
    dialogue,
    evidence,
    target,
    turn,
    write_manifest,
    write_tables,
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A build of two dialogues in two shards, a third one failed."""
    write_tables(
        tmp_path,
        {
            "dialogues": [dialogue(), chinese_dialogue()],
            "stage2": [target(turn_index=4), target(turn_index=2)],
            "_dead_letters": [dead_letter("lost", "audio_missing", "lost.wav is not there")],
        },
    )
    return tmp_path


def shown(out: Path, dialogue_id: str, width: int = 80) -> str:
    printed = io.StringIO()
    show_dialogue(str(out), dialogue_id, Console(file=printed, width=width))
    return printed.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("dialogue_id", ["queen/and1", "queen/zh"])
def test_no_line_is_wider_than_the_terminal(out: Path, dialogue_id: str, width: int) -> None:
    lines = shown(out, dialogue_id, width).splitlines()
    assert max(cell_len(line) for line in lines) <= width
    assert [line for line in lines if line != line.rstrip()] == []


def test_words_stay_whole_on_a_narrow_terminal(out: Path) -> None:
    spoken = {word for _, clean, _ in WORDS for word in clean.split()}
    assert spoken <= set(shown(out, "queen/and1", 60).replace("[", "").replace("]", "").split())


def test_a_pipe_gets_no_escape_codes_and_no_boxes(out: Path) -> None:
    text = shown(out, "queen/and1")
    assert "\x1b" not in text
    assert not [char for char in text if "\u2500" <= char <= "\u259f"]


def test_a_terminal_gets_colors(out: Path) -> None:
    printed = io.StringIO()
    console = Console(file=printed, width=80, force_terminal=True, _environ={"TERM": "xterm"})
    show_dialogue(str(out), "queen/and1", console)
    assert "\x1b[31m✶" in printed.getvalue()


def test_a_terminal_without_unicode_gets_letters(out: Path) -> None:
    with io.TextIOWrapper(io.BytesIO(), encoding="ascii") as printed:
        show_build(str(out), Console(file=printed, width=80, safe_box=True))
        printed.flush()
        assert b"-HA?AF" in printed.buffer.getvalue()  # type: ignore[attr-defined]


def test_the_quote_is_marked_where_its_offsets_say() -> None:
    words = (("joe", "No, no, no.", Emotion.ANGER),)
    second = evidence(0, "no", words).model_copy(update={"start": 8, "end": 10})
    assert mark_quote(second, turn(0, *words[0])).plain == "No, no, [no]."


def test_a_quote_that_does_not_stand_at_its_offsets_is_not_marked_elsewhere() -> None:
    words = (("joe", "No, no, no.", Emotion.ANGER),)
    wrong = evidence(0, "no", words).model_copy(update={"start": 5, "end": 7})
    assert mark_quote(wrong, turn(0, *words[0])).plain == "no (not at 5-7 of the turn's words)"


def test_control_characters_of_a_transcript_do_not_reach_the_terminal() -> None:
    words = (("joe", "one \x1b[31m two", Emotion.ANGER),)
    assert "\x1b" not in mark_quote(evidence(0, "two", words), turn(0, *words[0])).plain


def test_targets_are_shown_in_turn_order_from_all_shards(out: Path) -> None:
    lines = shown(out, "queen/and1").splitlines()
    heads = [line.strip() for line in lines if " answers " in line]
    assert heads == ["turn 2: joe answers anderson", "turn 4: joe answers anderson"]


def test_an_unknown_dialogue_is_answered_with_those_that_look_like_it(out: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean queen/and1"):
        shown(out, "AND1")
    with pytest.raises(ConfigError, match="did you mean queen/and1"):
        shown(out, "queen/ant1")
    with pytest.raises(ConfigError, match="lists all"):
        shown(out, "something else")


def test_a_dialogue_that_failed_is_answered_with_its_reason(out: Path) -> None:
    with pytest.raises(ConfigError, match=r"failed in hear: lost\.wav is not there"):
        shown(out, "queen/lost")


def test_a_folder_without_a_build_is_a_persons_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no build"):
        show_build(str(tmp_path), Console(file=io.StringIO()))


def test_rows_of_another_layout_are_a_persons_mistake(tmp_path: Path) -> None:
    write_tables(tmp_path, {"dialogues": [target()]})
    with pytest.raises(ConfigError, match="show it with the version that wrote it"):
        show_dialogue(str(tmp_path), "queen/and1", Console(file=io.StringIO()))


def test_a_build_without_failures_says_so(tmp_path: Path) -> None:
    write_tables(tmp_path, {"dialogues": [dialogue()]})
    printed = io.StringIO()
    show_failed(str(tmp_path), Console(file=printed, width=200))
    assert printed.getvalue() == f"{tmp_path}: nothing failed\n"


def test_failures_come_by_code_the_most_frequent_first(tmp_path: Path) -> None:
    letters = [
        dead_letter("a", "audio_missing", "a"),
        dead_letter("b", "refusal", "b"),
        dead_letter("c", "refusal", "c"),
    ]
    write_tables(tmp_path, {"_dead_letters": letters})
    printed = io.StringIO()
    show_failed(str(tmp_path), Console(file=printed, width=200))
    lines = printed.getvalue().splitlines()
    assert [line for line in lines if line.endswith((": 1", ": 2"))] == [
        "refusal: 2",
        "audio_missing: 1",
    ]


def test_a_long_dialogue_shows_its_trajectory_in_several_rows(tmp_path: Path) -> None:
    turns = tuple(turn(index, "ann", f"Word {index}.", Emotion.HAPPY) for index in range(60))
    long = dialogue().model_copy(update={"turns": turns, "shifts": (), "causes": ()})
    write_tables(tmp_path, {"dialogues": [long]})
    text = shown(tmp_path, "queen/and1")
    assert sum(line.count("▴") for line in text.splitlines() if line.startswith("  ann")) == 60
    assert max(len(line) for line in text.splitlines()) <= 80


def test_a_build_that_has_not_ended_is_listed_all_the_same(out: Path) -> None:
    printed = io.StringIO()
    show_build(str(out), Console(file=printed, width=80))
    assert "the build has not ended" in printed.getvalue()
    assert "queen/zh" in printed.getvalue()


def test_a_broken_manifest_is_a_persons_mistake(out: Path) -> None:
    (out / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"manifest\.json is not in the layout"):
        show_build(str(out), Console(file=io.StringIO()))


def test_a_run_of_another_version_is_recounted_as_far_as_it_is_understood() -> None:
    asked = {"engine": "openai:m", "answered": 2, "a_count_to_come": 7}
    assert list(recount_run({"asked": [asked], "money": None})) == [
        ("asked", "openai:m: 2 questions")
    ]
    assert list(recount_run({})) == []


def test_a_run_file_that_is_no_json_is_a_mistake_that_says_how_to_mend_it(out: Path) -> None:
    write_manifest(out)
    (out / "run.json").write_text("{")
    with pytest.raises(ConfigError, match=r"run\.json is no JSON; build again to write it"):
        show_build(str(out), Console(file=io.StringIO()))
