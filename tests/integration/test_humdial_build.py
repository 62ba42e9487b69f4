"""A tree made to both published layouts of HumDial becomes rows of its four tasks."""

import json

import pyarrow.parquet as pq
import pytest

from ieat.pipeline.cli import run
from ieat.pipeline.config import load_config
from ieat.pipeline.failures import ConfigError
from ieat.pipeline.main import build
from ieat.pipeline.output.verify import verify
from ieat.pipeline.plan import plan_build
from ieat.pipeline.render.rendering import FORMATS, RenderSettings, render
from tests.humdial_tree import HOSPITAL, STOLEN, WHY, write_dialogue, write_test_dialogue
from tests.openai_server import OpenAIServer, chat
from tests.talk_script import endpoint


def configured(folder, server, **changes):
    values = {
        "inputs": [{"path": str(folder / "tree"), "layout": "humdial", "corpus": "humdial"}],
        "output": str(folder / "out"),
        "recognizer": "openai:ear",
        "labeler": "llm",
        "attributor": "llm",
        "response": "written",
        "language_model": "openai:fake-1",
        "user_speaker": "user",
        "shards": 1,
        "humdial_tables": ["t1", "t2", "t3", "t4"],
    }
    return load_config(None, values | changes, base_url=server.base_url if server else None)


def rows(folder, table, out="out"):
    return {
        row["row_id"]: row
        for file in sorted((folder / out / table).glob("*.parquet"))
        for row in pq.read_table(file).to_pylist()
    }


def looks_back(server):
    return sum(
        request.body.get("response_format", {}).get("json_schema", {}).get("name", "")
        .startswith("retrospection")
        for request in server.requests
    )  # fmt: skip


def with_words(said, at, words):
    changed = list(said)
    changed[at] = (said[at][0], said[at][1], words)
    return changed


@pytest.fixture
def tree(tmp_path):
    train = tmp_path / "tree" / "train"
    write_dialogue(train / "en", "task2_4", "en_0001_0001", STOLEN)
    write_dialogue(train / "zh", "task2_4", "zh_0001_0001", HOSPITAL)
    write_dialogue(train / "zh", "task2_4", "zh_0001_0002", with_words(HOSPITAL, 1, "adding 唉"))
    write_dialogue(train / "en", "task3_3", "en_0002_0001", WHY)
    write_dialogue(train / "zh", "task4_4", "zh_0003_0001", HOSPITAL)
    write_dialogue(train / "en", "task1", "en_0004_0001", STOLEN[2:3])
    write_dialogue(train / "en", "task2_4", "en_0001_0002", STOLEN[:1])
    write_test_dialogue(tmp_path / "tree", "en", "T1", "0001_0001", 4)
    return tmp_path


def test_rows_of_all_four_tasks_come_out_of_both_layouts(tree):
    with OpenAIServer(endpoint) as server:
        config = configured(tree, server, recognizer="gold")
        planned = plan_build(config)
        report = build(config)
        # Four dialogues are looked back over, one of them twice; another is too short.
        assert planned.stages["retrospect"].num_known == 4
        assert looks_back(server) == 5
        asked = len(server.requests)
        again = build(configured(tree, server, recognizer="gold", output=str(tree / "again"),
                                 store=config.store_folder))  # fmt: skip
        assert len(server.requests) == asked
    assert verify(config.output).is_sound
    tables = report.manifest.books.tables
    assert {
        name: (c.read, c.written, dict(c.dead), dict(c.filtered)) for name, c in tables.items()
    } == {
        "humdial_t1": (4, 2, {"t1_addition": 1}, {"too_few_turns": 1}),
        "humdial_t2": (1, 1, {}, {}),
        "humdial_t3": (6, 5, {}, {"t3_no_answer": 1}),
        "humdial_t4": (1, 1, {}, {}),
    }
    assert report.manifest.codes == {"dialogue:no_words": 1, "row:t1_addition": 1}
    english = rows(tree, "humdial_t1")["humdial/task2_4_en_0001_0001/humdial_t1"]
    assert english["emotion_sequence"] == ["fear", "neutral", "anger"]
    assert english["sequence_from"] == "gold"
    assert english["trainable"] == {"is_trainable": True, "reasons": []}
    assert all(clip["bytes"] for clip in english["audios"])
    chinese = rows(tree, "humdial_t1")["humdial/task2_4_zh_0001_0001/humdial_t1"]
    assert chinese["anchor"] == "情绪序列: 平静 -> 悲伤 -> 愤怒"
    assert chinese["question"]["text"] == "你能总结一下我的情绪变化吗"
    (letter,) = (row for row in rows(tree, "_dead_letters").values() if row["unit"] == "row")
    assert letter["row_id"] == "retrospect:humdial/task2_4_zh_0001_0002/humdial_t1"
    assert len(letter["response_keys"]) == 2
    assert again.manifest == report.manifest
    for file in (tree / "out").glob("humdial_*/*.parquet"):
        twin = tree / "again" / file.relative_to(tree / "out")
        assert file.read_bytes() == twin.read_bytes()


def judged(request):
    """Score every dimension with 3, in the form that the rubric asks for."""
    schema = request.body["response_format"]["json_schema"]["schema"]["properties"]
    names = schema["scores"]["required"]
    return chat(
        {
            "justification": dict.fromkeys(names, "Because."),
            "scores": dict.fromkeys(names, 3),
            "overall_comment": "Fair.",
        }
    )


TARGETS = {
    "humdial_t1": {"t1": 2},
    "humdial_t2": {"t2": 1},
    "humdial_t3": {"t3": 5},
    "humdial_t4": {"t4": 1},
}
"""Lines of each table by task."""


def test_its_answers_are_judged_and_its_rows_rendered_in_every_format(tree, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    out = tree / "out"
    with OpenAIServer(endpoint) as server:
        build(configured(tree, server, recognizer="gold"))
    with OpenAIServer(judged) as server:
        for task in ("t1", "t2", "t3"):
            code = run(
                ["judge", str(out), "--task", task, "--judge", "openai:judge", "--base-url",
                 server.base_url], [],
            )  # fmt: skip
            assert code == 0
    scores = [
        row
        for file in sorted((out / "scores").glob("*.parquet"))
        for row in pq.read_table(file).to_pylist()
    ]
    assert {row["judged_row_id"] for row in scores} == {
        row_id for task in ("t1", "t2", "t3") for row_id in rows(tree, f"humdial_{task}")
    }
    assert {row["mean"] for row in scores} == {3.0}
    for name in FORMATS:
        for table, wanted in TARGETS.items():
            if (name, table) == ("osum", "humdial_t4"):
                continue
            rendering = render(
                str(out), str(tree / name / table), RenderSettings(name, table=table)
            )
            assert rendering.splits["train"].tasks == wanted, (name, table)
            assert all(not c.written for split, c in rendering.splits.items() if split != "train")
    lines = (tree / "swift" / "humdial_t1" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    learned = {json.loads(line)["messages"][-1]["content"] for line in lines}
    assert learned == {row["answer"] for row in rows(tree, "humdial_t1").values()}


def test_the_test_tree_is_run_through_and_never_trained_on(tmp_path):
    write_test_dialogue(tmp_path / "tree", "en", "T1", "0001_0001", 4)
    write_test_dialogue(tmp_path / "tree", "en", "T3", "0001_0001", 3)
    with OpenAIServer(endpoint) as server:
        report = build(configured(tmp_path, server))
    assert report.exit_code == 0
    (row,) = rows(tmp_path, "humdial_t1").values()
    assert row["split"] == "test"
    assert row["sequence_from"] == "retrospective"
    for table in ("humdial_t1", "stage1"):
        for found in rows(tmp_path, table).values():
            kept = found["trainable"] if table != "stage1" else found["words"]["trainable"]
            assert kept["is_trainable"] is False
            assert "held_out" in kept["reasons"]


def test_a_build_without_these_tables_asks_nothing_and_is_the_build_it_was(tmp_path):
    folder = tmp_path / "tree" / "train" / "en"
    write_dialogue(folder, "task2_4", "en_0001_0001", STOLEN, with_audio=False)
    with OpenAIServer(endpoint) as server:
        build(configured(tmp_path, server, recognizer="gold", humdial_tables=[]))
        assert looks_back(server) == 0
    assert not list((tmp_path / "out").glob("humdial_*"))
    told = json.loads((tmp_path / "out" / "build.json").read_text())
    assert "humdial_tables" not in json.dumps(told)
    assert "retrospection@1.en" not in json.dumps(told)


def test_the_tables_that_are_asked_for_need_a_language_model(tmp_path):
    for table in ("t1", "t2"):
        with pytest.raises(ConfigError, match=f"humdial_tables: {table} needs a language_model"):
            configured(tmp_path, None, labeler="gold", attributor="extractive",
                       response="corpus", language_model=None, humdial_tables=[table])  # fmt: skip
    with pytest.raises(ConfigError, match="humdial_tables"):
        configured(tmp_path, None, humdial_tables=["t5"])
