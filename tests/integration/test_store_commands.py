"""`ieat store` as a person uses it, on the store of a real build."""

import json
import shutil
import socket
import sqlite3

import pytest

from ieat.pipeline.cli import run
from ieat.pipeline.main import build
from ieat.prompts.library import VERSIONS
from tests.openai_server import OpenAIServer
from tests.talk_build import build_config, shards, talks
from tests.talk_script import endpoint

NUM_DIALOGUES = 3
NUM_ANSWERS = NUM_DIALOGUES * 4


@pytest.fixture(scope="module")
def paid(tmp_path_factory):
    """A finished build of three dialogues and its store; not to be changed."""
    folder = tmp_path_factory.mktemp("paid")
    with OpenAIServer(endpoint) as server:
        assert build(build_config(folder, talks(NUM_DIALOGUES), server.base_url)).exit_code == 0
        assert server.count() == NUM_ANSWERS
    return folder


@pytest.fixture
def copy(paid, tmp_path):
    shutil.copytree(paid, tmp_path, dirs_exist_ok=True)
    return tmp_path


def ieat(capsys, *arguments):
    code = run([str(argument) for argument in arguments], [])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_stats_tell_answers_tokens_and_money_by_engine_and_question(paid, capsys):
    code, said, _ = ieat(capsys, "store", "stats", paid / "out.ieat")
    assert code == 0
    lines = [line.split() for line in said.splitlines()]
    # The server bills 10 tokens in and 5 out for each answer: 30 millionths of a dollar.
    assert lines[1] == [
        "openai:fake-1",
        f"joint@{VERSIONS['joint']}",
        "6",
        "60",
        "0",
        "30",
        "0.0002",
    ]
    assert lines[2] == [
        "openai:fake-1",
        f"response@{VERSIONS['response']}",
        "6",
        "60",
        "0",
        "30",
        "0.0002",
    ]
    assert said.splitlines()[-1] == "12 answers for 3 dialogues, 0.0004 USD"
    code, said, _ = ieat(capsys, "store", "stats", paid / "out.ieat", "--json")
    told = json.loads(said)
    assert [entry["usd"] for entry in told["answers"]] == [pytest.approx(0.00018)] * 2
    assert (told["dialogues"], told["broken"]) == (3, 0)


def test_verify_finds_an_answer_that_was_changed_and_prune_removes_it(copy, capsys):
    store = copy / "out.ieat"
    assert ieat(capsys, "store", "verify", store)[:2] == (0, "12 answers, 0 broken\n")
    with sqlite3.connect(store / "responses.sqlite") as file:
        [key] = file.execute("SELECT key FROM answers ORDER BY key LIMIT 1").fetchone()
        file.execute("UPDATE answers SET answer = replace(answer, '5', '6') WHERE key = ?", [key])
    code, said, _ = ieat(capsys, "store", "verify", store)
    assert code == 5
    assert said.splitlines()[0] == f"{key}: is not what was stored: its SHA-256 differs"
    assert "ieat store prune --broken --yes" in said
    code, said, _ = ieat(capsys, "store", "prune", store, "--broken")
    assert said == "would remove 1 answers; do it with --yes\n"
    assert ieat(capsys, "store", "prune", store, "--broken", "--yes")[1] == "removed 1 answers\n"
    assert ieat(capsys, "store", "verify", store)[:2] == (0, "11 answers, 0 broken\n")


def test_show_gives_an_answer_by_the_beginning_of_its_key(paid, capsys):
    with sqlite3.connect(paid / "out.ieat" / "responses.sqlite") as file:
        [key] = file.execute("SELECT key FROM answers LIMIT 1").fetchone()
    code, said, _ = ieat(capsys, "store", "show", paid / "out.ieat", key[:20])
    shown = json.loads(said)
    assert (code, shown["key"], shown["engine_id"]) == (0, key, "openai:fake-1")
    assert shown["usd"] == pytest.approx(30e-6)
    assert len(shown["dialogues"]) == 1
    code, _, error = ieat(capsys, "store", "show", paid / "out.ieat", "zz")
    assert (code, error.count("\n")) == (2, 1)


def test_a_store_that_is_not_there_is_not_made(tmp_path, capsys):
    for command in (["stats"], ["verify"], ["prune", "--broken", "--yes"]):
        code, _, error = ieat(capsys, "store", command[0], tmp_path / "none", *command[1:])
        assert code == 2
        assert "there is no response store" in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("elsewhere", ["folder", "objects"])
def test_exported_answers_rebuild_the_same_bytes_elsewhere_without_key_or_socket(
    paid, tmp_path, capsys, monkeypatch, elsewhere
):
    file = tmp_path / "answers.jsonl.zst"
    assert ieat(capsys, "store", "export", paid / "out.ieat", file)[0] == 0
    place = str(tmp_path / "theirs") if elsewhere == "folder" else f"file://{tmp_path}/theirs"
    code, said, _ = ieat(capsys, "store", "import", place, file)
    assert (code, said) == (0, "12 new answers, 0 known already\n")
    assert ieat(capsys, "store", "import", place, file)[1] == "0 new answers, 12 known already\n"

    def refuse(*_):
        raise AssertionError("replay opens no socket")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    config = build_config(
        tmp_path, talks(NUM_DIALOGUES), None, store=place, replay=True,
        inputs=[{"path": str(paid / "talks.jsonl")}],
    )  # fmt: skip
    assert build(config).exit_code == 0
    assert shards(tmp_path / "out") == shards(paid / "out")
    again = tmp_path / "again.jsonl.zst"
    assert ieat(capsys, "store", "export", place, again)[0] == 0
    assert again.read_bytes() == file.read_bytes()


def test_an_export_that_was_cut_or_changed_is_taken_over_in_no_part(paid, tmp_path, capsys):
    file = tmp_path / "answers.jsonl.zst"
    ieat(capsys, "store", "export", paid / "out.ieat", file)
    whole = file.read_bytes()
    for broken in (whole[:-20], b"no zstd at all", whole[: len(whole) // 2]):
        file.write_bytes(broken)
        code, _, error = ieat(capsys, "store", "import", tmp_path / "s", file)
        assert (code, error.count("\n")) == (2, 1)
    with sqlite3.connect(tmp_path / "s" / "responses.sqlite") as store:
        assert store.execute("SELECT count(*) FROM answers").fetchone() == (0,)


def test_prune_keeps_what_the_named_builds_rest_on(copy, capsys, monkeypatch):
    store = copy / "out.ieat"
    with OpenAIServer(endpoint) as server:
        fewer = build_config(
            copy, talks(1), server.base_url, output=str(copy / "few"), store=str(store)
        )
        assert build(fewer).exit_code == 0
        assert server.count() == 0
    code, said, _ = ieat(capsys, "store", "prune", store, "--build", copy / "few")
    assert (code, said) == (0, "would remove 8 answers, paid with 0.0002 USD; do it with --yes\n")
    both = ("--build", copy / "few", "--build", copy / "out")
    assert ieat(capsys, "store", "prune", store, *both)[1].startswith("would remove 0 answers")
    assert ieat(capsys, "store", "prune", store, "--build", copy / "few", "--yes")[0] == 0
    replayed = fewer.model_copy(update={"replay": True, "output": str(copy / "replayed")})
    assert build(replayed).manifest.codes == {}
    assert shards(copy / "replayed") == shards(copy / "few")


def test_prune_without_saying_what_for_is_a_mistake(copy, capsys):
    assert ieat(capsys, "store", "prune", copy / "out.ieat")[0] == 2
    code, _, error = ieat(capsys, "store", "prune", copy / "out.ieat", "--build", copy)
    assert (code, "holds no tables of a build" in error) == (2, True)
