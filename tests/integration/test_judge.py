"""A finished build is judged through a server on loopback; its rows stay as they are."""

import json

import pyarrow.parquet as pq
import pytest

from ieat.pipeline.cli import run
from ieat.pipeline.output.withdrawal import take_out
from ieat.schemas.dialogue import Language
from tests.humdial_rows import build_with, t1_row, t3_row
from tests.openai_server import OpenAIServer, chat, failure

GOOD = {
    "justification": {
        "Accuracy_Completeness": "a", "Depth_Granularity": "b", "Added_Value": "c",
    },
    "scores": {"Accuracy_Completeness": 5, "Depth_Granularity": 3, "Added_Value": 1},
    "overall_comment": "fine",
}  # fmt: skip


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "k")


def judge(out, server, *flags, task="t1", model="openai:judge"):
    return run(
        ["judge", str(out), "--task", task, "--judge", model, "--base-url", server.base_url,
         *flags],
        [],
    )  # fmt: skip


def score_files(out):
    return sorted((out / "scores").glob("*.parquet"))


def before_and_after(out):
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and path.parent.name != "scores"
    }


def test_scores_are_written_beside_the_rows_and_a_second_run_asks_nothing(tmp_path, capsys):
    out = build_with(tmp_path, "humdial_t1", [t1_row("d1"), t1_row("d2", language=Language.ZH)])
    rows = before_and_after(out)
    with OpenAIServer(lambda request: chat(GOOD)) as server:
        assert judge(out, server) == 0
        assert server.count() == 2
        body = server.requests[0].body
        assert judge(out, server) == 0
        assert server.count() == 2
    assert (body["temperature"], body["top_p"], body["seed"]) == (0.6, 0.95, 1234)
    assert before_and_after(out) == rows
    (file,) = score_files(out)
    found = pq.read_table(file).to_pylist()
    assert [(row["judged_row_id"], row["mean"], row["failure"]) for row in found] == [
        ("corpus/d1/humdial_t1", 3.0, None),
        ("corpus/d2/humdial_t1", 3.0, None),
    ]
    assert [cell["score"] for cell in found[0]["dimensions"]] == [5, 3, 1]
    assert [row["rubric_id"] for row in found] == ["judge_t1@1.en", "judge_t1@1.zh"]
    assert (found[0]["judge_id"], found[0]["is_self"]) == ("openai:judge", False)
    assert json.loads(found[0]["sampling"])["seed"] == 1234
    said = capsys.readouterr().out
    assert "ours, not the official one" in said
    assert "all       overall                     2       0  3.00             3.00" in said


def test_answers_that_are_not_understood_are_failures_and_counted(tmp_path, capsys):
    out = build_with(tmp_path, "humdial_t1", [t1_row(f"d{n}", answer=f"Sad {n}.") for n in "123"])
    replies = iter([chat(GOOD), chat("I like it."), chat(GOOD["scores"])])
    with OpenAIServer(lambda request: next(replies)) as server:
        assert judge(out, server, "--json") == 0
        assert server.count() == 3
    (file,) = score_files(out)
    assert sorted(str(row["failure"]) for row in pq.read_table(file).to_pylist()) == [
        "None", "answer_form", "broken_json",
    ]  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    overall = told["figures"][-1]
    assert (overall["num_scored"], overall["num_failed"]) == (1, 2)
    assert (overall["mean"], overall["mean_with_failures"]) == (3.0, pytest.approx(15 / 9))


def test_a_judge_does_not_judge_itself_unless_it_may(tmp_path, capsys):
    out = build_with(tmp_path, "humdial_t1", [t1_row("d1", model="openai:judge@7")])
    with OpenAIServer(lambda request: chat(GOOD)) as server:
        assert judge(out, server) == 2
        assert server.count() == 0
        assert "add --allow-self" in capsys.readouterr().err
        assert judge(out, server, "--allow-self") == 0
    (file,) = score_files(out)
    assert pq.read_table(file)["is_self"].to_pylist() == [True]


def test_the_users_rubric_is_sent_as_it_is_and_its_scores_keep_apart(tmp_path):
    out = build_with(tmp_path, "humdial_t3", [t3_row("d1")])
    rubric = tmp_path / "official.txt"
    rubric.write_text('Judge: {conversation_context}\n{{"scores": {{"x": <1-5>}}}}')
    scores = {"scores": {"textual_empathy_insight": 4, "vocal_empathy_congruence": 5}}
    with OpenAIServer(lambda request: chat(scores)) as server:
        assert judge(out, server, "--rubric", str(rubric), task="t3") == 0
        assert judge(out, server, task="t3") == 0
        words, mode = server.requests[0].words, server.requests[0].mode
    assert words == (
        "Judge: User(sad): My bag is gone [sigh]\nAI: Oh no.\nUser(anger): They stole it!\n"
        'AI: Anybody would be furious.\n{"scores": {"x": <1-5>}}'
    )
    assert mode == "prompt"
    found = [row for file in score_files(out) for row in pq.read_table(file).to_pylist()]
    assert sorted((row["rubric_id"], row["is_own_rubric"]) for row in found) == [
        ("judge_t3@1.en", True), ("official.txt", False),
    ]  # fmt: skip
    assert [[cell["score"] for cell in row["dimensions"]] for row in found] == [[4], [4]]


def test_what_cannot_be_judged_is_said_before_anything_is_asked(tmp_path, capsys):
    out = build_with(tmp_path, "humdial_t1", [t1_row()])
    with OpenAIServer(lambda request: chat(GOOD)) as server:
        assert judge(out, server, task="t2") == 2
        assert "has no rows of humdial_t2" in capsys.readouterr().err
        assert judge(out, server, task="t9") == 2
        assert judge(out, server, model="judge") == 2
        assert "write openai:MODEL" in capsys.readouterr().err
        assert judge(out, server, "--max-usd", "1") == 2
        assert judge(tmp_path / "none", server) == 2
        assert server.count() == 0


def test_a_bad_key_stops_at_the_first_call_and_an_earlier_score_stays(tmp_path, capsys):
    out = build_with(tmp_path, "humdial_t1", [t1_row("d1"), t1_row("d2")])
    with OpenAIServer(lambda request: failure(401, "bad key")) as server:
        assert judge(out, server) == 4
        assert server.count() == 1
    assert score_files(out) == []
    assert "2 of 2 rows are left" in capsys.readouterr().out


def test_scores_of_a_withdrawn_dialogue_go_with_it(tmp_path):
    out = build_with(
        tmp_path, "humdial_t1", [t1_row("d1"), t1_row("d2", answer="Something private.")]
    )
    quoting = {**GOOD, "overall_comment": "It says: something private."}
    with OpenAIServer(
        lambda request: chat(quoting if "private" in request.words else GOOD)
    ) as server:
        assert judge(out, server) == 0
    assert take_out(str(out), {"corpus/d2"}) == 1
    (file,) = score_files(out)
    assert pq.read_table(file)["dialogue_id"].to_pylist() == ["corpus/d1"]
    assert b"private" not in file.read_bytes()


def test_a_file_configures_the_judge_and_a_wrong_one_is_said_in_one_line(tmp_path, capsys):
    out = build_with(tmp_path, "humdial_t1", [t1_row()])
    file = tmp_path / "judge.yaml"
    with OpenAIServer(lambda request: chat(GOOD)) as server:
        arguments = ["judge", str(out), "--task", "t1", "--base-url", server.base_url]
        file.write_text("judge: openai:judge\njudge_settings: {extra_body: {top_k: 20}}\n")
        assert run([*arguments, "--config", str(file)], []) == 0
        assert server.requests[0].body["top_k"] == 20
        for text, problem in (
            ("judge_settings: 3\n", "judge_settings: "),
            ("judgement: 3\n", "judgement: unknown key"),
            ("- a\n", "holds no keys"),
            ("a: [\n", "line 2, column 1"),
        ):
            file.write_text(text)
            assert run([*arguments, "--config", str(file)], []) == 2
            assert problem in capsys.readouterr().err
        assert server.count() == 1
