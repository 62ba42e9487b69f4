"""What a person types, what is printed, and how it ends."""

import json
import re
import signal
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from ieat.pipeline.cli import run
from tests.integration.test_kills import command, slowly, wait_for
from tests.openai_server import OpenAIServer
from tests.talk_script import manifest_line

TALK = (("ann", "My bag is gone, I am so angry"), ("bob", "Where did you leave it"))


def manifest(folder, *lines):
    file = folder / "talks.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(file)


def build(folder, *flags, lines=None):
    given = lines if lines is not None else [manifest_line("a", *TALK)]
    return run(
        [
            "build", "--input", manifest(folder, *given), "--output", str(folder / "out"),
            "--recognizer", "gold", *flags,
        ],
        [],
    )  # fmt: skip


def refused(capsys, match, *arguments, beam=()):
    assert run(list(arguments), list(beam)) == 2
    printed = capsys.readouterr().err
    assert match in printed
    assert "Traceback" not in printed
    return printed


def test_a_build_says_what_became_of_everything(tmp_path, capsys):
    good = manifest_line("a", *TALK)
    assert build(tmp_path, lines=[good, '{"broken']) == 0
    printed = capsys.readouterr().out
    assert "dialogues  read 2: written 1, dead 1, filtered 0, not reached 0" in printed
    assert "dialogue:broken_json 1" in printed
    assert (tmp_path / "out" / "README.md").exists()


def test_an_unknown_flag_is_a_mistake(tmp_path, capsys):
    assert build(tmp_path, "--recogniser", "gold") == 2
    assert "No such option: --recogniser" in capsys.readouterr().err


def test_an_empty_input_says_what_was_looked_for(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    out = str(tmp_path / "out")
    refused(
        capsys, "empty", "build", "--input", str(tmp_path / "empty"), "--layout", "folder",
        "--language", "en", "--output", out,
    )  # fmt: skip
    refused(capsys, "none.jsonl", "build", "--input", str(tmp_path / "none.jsonl"), "--output", out)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_another_build_is_left_alone(tmp_path, capsys):
    assert build(tmp_path) == 0
    before = (tmp_path / "out" / "manifest.json").read_bytes()
    assert build(tmp_path, "--labeler", "gold") == 2
    assert "labeler" in capsys.readouterr().err
    assert (tmp_path / "out" / "manifest.json").read_bytes() == before


def test_a_folder_with_other_files_is_left_alone(tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    assert build(tmp_path) == 2
    assert (tmp_path / "out" / "thesis.tex").read_text() == "mine"
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["thesis.tex"]


def test_flags_behind_two_dashes_go_to_beam_and_wrong_ones_are_named(tmp_path, capsys):
    arguments = [
        "build", "--input", manifest(tmp_path, manifest_line("a", *TALK)),
        "--output", str(tmp_path / "out"), "--recognizer", "gold",
    ]  # fmt: skip
    refused(capsys, "--runer", *arguments, beam=["--runer=FnApiRunner"])
    assert run(arguments, ["--runner=FnApiRunner", "--job_name=mine"]) == 0


def test_init_plan_and_build_follow_each_other(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    manifest(tmp_path, manifest_line("a", *TALK))
    (tmp_path / "talks.jsonl").rename(tmp_path / "dialogues.jsonl")
    assert run(["init"], []) == 0
    assert run(["init"], []) == 2
    file = tmp_path / "ieat.yaml"
    file.write_text(file.read_text().replace("recognizer: moonshine", "recognizer: gold"))
    capsys.readouterr()
    assert run(["plan", "--config", "ieat.yaml"], []) == 0
    planned = capsys.readouterr().out
    assert "dialogues  1" in planned
    assert "targets    1" in planned
    assert not (tmp_path / "out").exists()
    assert run(["build", "--config", "ieat.yaml"], []) == 0
    assert run(["verify", "out"], []) == 0


def test_plan_knows_what_is_in_the_store(tmp_path, capsys):
    with OpenAIServer(slowly) as server:
        lines = [
            manifest_line("a", ("ann", "My bag is gone"), ("bob", "Oh"), ("ann", "Fine")),
            manifest_line("b", ("ann", "My hat is gone"), ("bob", "Oh"), ("ann", "Fine")),
        ]
        flags = [
            "--labeler", "llm", "--attributor", "llm", "--response", "written",
            "--language-model", "openai:fake-1", "--base-url", server.base_url,
            "--user-speaker", "first",
        ]  # fmt: skip
        assert build(tmp_path, *flags, "--limit", "1", lines=lines) == 0
        paid = server.count()
        capsys.readouterr()
        arguments = [
            "plan", "--input", str(tmp_path / "talks.jsonl"), "--output", str(tmp_path / "out"),
            "--recognizer", "gold", *flags,
        ]  # fmt: skip
        assert run(arguments, []) == 0
        assert server.count() == paid
    table = {
        line.split()[0]: line.replace("<= ", "<=").split()[1:]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith(("label ", "compose "))
    }
    compose = table.pop("compose")
    # Two questions at ten tokens and answers of five, as the stored ones had.
    assert table == {"label": ["2", "2", "20", "10"]}
    assert compose[:2] == ["1", "<=1"]
    assert all(tokens.startswith("<=") for tokens in compose[2:])


def test_check_asks_each_engine_and_leaves_no_file(tmp_path, capsys):
    with OpenAIServer(slowly) as server:
        arguments = [
            "check", "--input", manifest(tmp_path, manifest_line("a", *TALK)),
            "--output", str(tmp_path / "out"), "--recognizer", "gold", "--labeler", "llm",
            "--attributor", "llm", "--response", "written", "--language-model", "openai:fake-1",
            "--base-url", server.base_url, "--user-speaker", "first",
        ]  # fmt: skip
        assert run(arguments, []) == 0
        assert server.count() == 2
    printed = capsys.readouterr().out
    assert "cause     openai:fake-1: They said: My bag is gone, I am so angry." in printed
    assert "response  I hear you." in printed
    # The joint question, found again for its cause, and the response.
    assert "asked     3 questions (1 from the store), 30 tokens\n" in printed
    assert re.search(r"speed     \d\.\d\d s an answer: in_flight 64 asks about \d+ ques", printed)
    assert not (tmp_path / "out").exists()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.ieat", "talks.jsonl"]


def test_an_engine_that_cannot_be_reached_ends_with_4(tmp_path, capsys):
    config = tmp_path / "ieat.yaml"
    config.write_text(
        json.dumps(
            {
                "inputs": [{"path": manifest(tmp_path, manifest_line("a", *TALK))}],
                "output": str(tmp_path / "out"),
                "recognizer": "gold",
                "labeler": "llm",
                "language_model": "openai:fake-1",
                "language_model_settings": {"base_url": "http://127.0.0.1:9/v1", "max_attempts": 1},
            }
        )
    )
    assert run(["build", "--config", str(config)], []) == 4
    assert "http://127.0.0.1:9/v1" in capsys.readouterr().out


def test_too_many_failures_end_with_5_and_the_books_are_written(tmp_path, capsys):
    turns = [
        {"speaker": "ann", "text": "Hello", "audio": "none.wav"},
        {"speaker": "bob", "text": "Hi"},
    ]
    lines = [
        json.dumps({"dialogue_id": f"d{n}", "language": "en", "turns": turns}) for n in range(80)
    ]
    assert build(tmp_path, lines=lines) == 5
    printed = capsys.readouterr().out
    assert "max_failed_ratio" in printed
    books = json.loads((tmp_path / "out" / "manifest.json").read_text())["books"]["dialogues"]
    assert books["read"] == 80
    assert books["written"] == 0
    assert sum(books["dead"].values()) >= 50
    assert sum(books["dead"].values()) + sum(books["not_reached"].values()) == 80


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_person_who_stops_a_build_keeps_what_is_done_and_goes_on_later(tmp_path, number):
    with OpenAIServer(slowly) as server:
        typed = command(tmp_path, server.base_url, "out", "store", 60, 4)
        process = subprocess.Popen(typed, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        # The stages run breadth first: the first rows are done after about 150 of 240 calls.
        wait_for(server, 190, process)
        process.send_signal(number)
        printed, errors = process.communicate(timeout=60)
        assert process.returncode == 3, errors
        assert "the same command goes on" in printed
        books = json.loads((tmp_path / "out" / "manifest.json").read_text())["books"]["dialogues"]
        assert books["not_reached"]["interrupted"] + books["written"] == 60
        assert books["written"] > 0
        paid = server.count()
        again = subprocess.run(typed, capture_output=True, text=True, check=False)
        assert again.returncode == 0, again.stderr
        assert server.count() == 240
        assert paid < 240
    rows = sum(pq.read_metadata(f).num_rows for f in (tmp_path / "out/stage2").glob("*.parquet"))
    assert rows == 120


def test_help_names_commands_and_exit_codes():
    shown = subprocess.run(
        [sys.executable, "-m", "ieat.pipeline.cli", "--help"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for word in ("build", "init", "plan", "check", "show", "verify", "Exit codes"):
        assert word in shown
