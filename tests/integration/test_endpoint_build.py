"""A whole build against an OpenAI-compatible server on loopback, for chat and transcription."""

import json
from collections import Counter

import pyarrow.parquet as pq
import pytest

from ieat.pipeline.config import load_config
from ieat.pipeline.main import build
from ieat.pipeline.output.reading import read_samples
from ieat.pipeline.output.verify import verify
from ieat.prompts.library import VERSIONS
from tests.openai_server import CHAT, TRANSCRIPTIONS, OpenAIServer, failure
from tests.sounds import speech, write
from tests.talk_script import CODES, MISBEHAVIORS, SENTENCES, endpoint, manifest_line

LLM = {
    "labeler": "llm",
    "attributor": "llm",
    "response": "written",
    "language_model": "openai:fake-1",
    "user_speaker": "first",
    "shards": 2,
}


@pytest.fixture
def server():
    with OpenAIServer(endpoint) as running:
        yield running


def manifest(folder, *lines):
    file = folder / "talks.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(file)


def configured(folder, server, *lines, **changes):
    values = LLM | {
        "inputs": [{"path": manifest(folder, *lines)}],
        "output": str(folder / "out"),
        "recognizer": "gold",
    }
    return load_config(None, values | changes, base_url=server.base_url if server else None)


def versioned(prompt):
    """Return what a schema is named in a request, in the version that is the default."""
    return f"{prompt}_{VERSIONS[prompt]}"


def rows(folder, table):
    return [
        row
        for file in sorted((folder / "out" / table).glob("*.parquet"))
        for row in pq.read_table(file).to_pylist()
    ]


def spoken(folder, name, num_turns=4, **fields):
    """Return a manifest line whose turns the server knows by their lengths."""
    turns = []
    for turn in range(num_turns):
        path = folder / f"{name}-{turn}.wav"
        write(path, speech()[8_000 : 8_000 + 1_600 * (10 + turn)])
        turns.append({"speaker": "ann" if turn % 2 == 0 else "bob", "audio": path.name})
    return json.dumps({"dialogue_id": name, "language": "en", "turns": turns} | fields)


def test_speech_becomes_trainable_rows_in_all_three_modes(tmp_path, server):
    config = configured(tmp_path, server, spoken(tmp_path, "a"), recognizer="openai:whisper-1")
    report = build(config)
    assert (report.exit_code, report.manifest.codes) == (0, {})
    assert server.count(TRANSCRIPTIONS) == 4
    first, second = sorted(rows(tmp_path, "stage2"), key=lambda row: row["turn_index"])
    assert first["trainable"] == {
        "explicit": True, "injected": True, "implicit": True, "reasons": []
    }  # fmt: skip
    assert [(m["role"], m["kind"], m["loss"]) for m in second["messages"]] == [
        ("user", "listen", False),
        ("assistant", "write", False),
        ("user", "listen", False),
        ("assistant", "think", True),
        ("assistant", "write", True),
    ]
    assert second["messages"][1]["content"] == SENTENCES[1]
    assert len(second["audios"]) == 2
    assert second["messages"][-1]["content"] == "I hear you. That sounds hard."
    assert second["response"]["style"] == "comfort"
    assert [state["emotion"] for state in second["trajectory_so_far"]] == ["fear", "anger"]
    (quote,) = second["thinking"]["causes"][-1]["evidence"]
    assert quote["quote"] == SENTENCES[2]
    assert quote["is_word_timed"]
    for mode, kinds, loss_on_thinking in (
        ("explicit", ["listen", "write", "listen", "think", "write"], True),
        ("injected", ["listen", "write", "listen", "think", "write"], False),
        ("implicit", ["listen", "write", "listen", "write"], None),
    ):
        samples = sorted(
            read_samples(config.output, mode=mode), key=lambda sample: sample["turn_index"]
        )
        assert [m["kind"] for m in samples[1]["messages"]] == kinds
        losses = [m["loss"] for m in samples[1]["messages"] if m["kind"] == "think"]
        assert losses == ([] if loss_on_thinking is None else [loss_on_thinking])
    assert verify(config.output).is_sound


def test_chinese_is_asked_thought_and_answered_in_chinese(tmp_path, server):
    line = manifest_line(
        "z", ("小王", "我妈昨天住院了"), ("小李", "严重吗"), ("小王", "还有人偷了我的包"),
        ("小李", "太过分了"), language="zh",
    )  # fmt: skip
    report = build(configured(tmp_path, server, line))
    assert report.exit_code == 0
    last = max(rows(tmp_path, "stage2"), key=lambda row: row["turn_index"])
    assert "生气" in last["thinking"]["text"]
    assert "“还有人偷了我的包”" in last["thinking"]["text"]
    assert last["response"]["text"] == "我明白，这一定不好受。"
    assert [cause["emotion"] for cause in last["thinking"]["causes"]] == ["sad", "anger"]
    assert last["trainable"]["reasons"] == ["no_audio"]


def test_label_and_cause_are_paid_with_one_question_a_turn(tmp_path, server):
    line = manifest_line("a", ("ann", "My bag is gone"), ("bob", "Oh"), ("ann", "Fine"))
    build(configured(tmp_path, server, line))
    asked = Counter(
        request.body["response_format"]["json_schema"]["name"] for request in server.requests
    )
    assert asked == {versioned("joint"): 2, versioned("response"): 1}


@pytest.mark.parametrize("misbehavior", MISBEHAVIORS)
def test_a_bad_answer_ends_with_its_code_and_the_other_targets_stay(tmp_path, server, misbehavior):
    line = manifest_line(
        "a", ("ann", "My bag is gone"), ("bob", "Oh no"), ("ann", f"It is {misbehavior} now"),
        ("bob", "I see"),
    )  # fmt: skip
    report = build(configured(tmp_path, server, line))
    assert report.exit_code == 0
    code = CODES[misbehavior]
    letters = {(row["unit"], row["code"]) for row in rows(tmp_path, "_dead_letters")}
    assert letters == {("turn", code), ("target", "needs_failed_state")}
    (row,) = rows(tmp_path, "stage2")
    assert row["turn_index"] == 0
    assert report.manifest.books.targets.dead == {"needs_failed_state": 1}
    questions = [r for r in server.requests if "[2] ann" in r.words and r.path == CHAT]
    assert len(questions) == (1 if misbehavior == "refused" else 2)


def test_states_with_corpus_labels_are_asked_for_their_causes_alone(tmp_path, server):
    turns = [
        {"speaker": "ann", "text": "My bag is gone", "emotion": "fearful"},
        {"speaker": "bob", "text": "Oh no", "emotion": "neutral"},
        {"speaker": "ann", "text": "I am sobbing", "emotion": "sad"},
        {"speaker": "bob", "text": "I see", "emotion": "neutral"},
    ]
    line = json.dumps({"dialogue_id": "a", "language": "en", "turns": turns})
    report = build(configured(tmp_path, server, line))
    asked = {request.body["response_format"]["json_schema"]["name"] for request in server.requests}
    assert asked == {versioned("attribution"), versioned("response")}
    # The words themselves speak of sobbing, so the claim holds.
    assert report.manifest.codes == {}
    assert len(rows(tmp_path, "stage2")) == 2


def test_the_same_build_again_pays_nothing_and_writes_the_same_bytes(tmp_path, server):
    lines = [
        manifest_line(f"d{n}", ("ann", f"My bag {n} is gone"), ("bob", "Oh"), ("ann", "Fine"))
        for n in range(6)
    ]
    config = configured(tmp_path, server, *lines)
    build(config)
    paid = server.count()
    assert paid == 6 * 3
    before = {file: file.read_bytes() for file in (tmp_path / "out").glob("*/*.parquet")}
    manifest_before = (tmp_path / "out" / "manifest.json").read_bytes()
    build(config.model_copy(update={"in_flight": 1}))
    assert server.count() == paid
    assert {file: file.read_bytes() for file in before} == before
    assert (tmp_path / "out" / "manifest.json").read_bytes() == manifest_before


def test_a_dialogue_that_is_added_costs_its_own_questions_only(tmp_path, server):
    lines = [
        manifest_line(f"d{n}", ("ann", f"My bag {n} is gone"), ("bob", "Oh"), ("ann", "Fine"))
        for n in range(3)
    ]
    build(configured(tmp_path, server, *lines[:2]))
    paid = server.count()
    build(configured(tmp_path, server, *lines))
    assert server.count() == paid + 3


def test_replay_opens_no_socket_and_a_missing_answer_is_a_dead_letter(tmp_path, server):
    lines = [
        manifest_line(f"d{n}", ("ann", f"My bag {n} is gone"), ("bob", "Oh"), ("ann", "Fine"))
        for n in range(2)
    ]
    build(configured(tmp_path, server, lines[0]))
    paid = server.count()
    report = build(
        configured(
            tmp_path, None, *lines, output=str(tmp_path / "again"), replay=True,
            store=str(tmp_path / "out.ieat"),
        )
    )  # fmt: skip
    assert server.count() == paid
    assert report.exit_code == 0
    assert report.manifest.codes == {"turn:not_in_store": 2, "target:needs_failed_state": 1}
    assert report.manifest.books.targets.written == 1


def test_an_endpoint_that_refuses_the_key_stops_the_run_with_one_call(tmp_path):
    with OpenAIServer(lambda request: failure(401, "bad key")) as server:
        lines = [
            manifest_line(f"d{n}", ("ann", f"My bag {n} is gone"), ("bob", "Oh")) for n in range(9)
        ]
        report = build(configured(tmp_path, server, *lines))
        assert server.count() == 1
    assert report.exit_code == 4
    assert "OPENAI_API_KEY" in report.describe()
    books = report.manifest.books.dialogues
    assert (books.read, books.written, books.not_reached) == (9, 0, {"engine_unavailable": 9})


def test_secrets_are_nowhere_in_what_is_written(tmp_path, server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "canary-key-1234567890")
    build(
        configured(tmp_path, server, manifest_line("a", ("ann", "My bag is gone"), ("bob", "Oh")))
    )
    assert server.requests[0].headers["Authorization"] == "Bearer canary-key-1234567890"
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert b"canary-key" not in file.read_bytes(), file


def test_another_host_under_the_same_name_is_told_and_costs_nothing(tmp_path, server):
    line = manifest_line("a", ("ann", "My bag is gone"), ("bob", "Oh"))
    assert build(configured(tmp_path, server, line)).warnings == ()
    with OpenAIServer(endpoint) as other:
        report = build(configured(tmp_path, other, line))
        assert other.count() == 0
    (warning,) = report.warnings
    assert server.base_url in warning
    assert "set its revision" in warning
    assert warning in report.describe()
