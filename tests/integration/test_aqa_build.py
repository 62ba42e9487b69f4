"""A file of spoken questions becomes the table `aqa` beside the dialogues, nobody being asked."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ieat.pipeline.aqa import write_questions
from ieat.pipeline.config import load_config
from ieat.pipeline.failures import ConfigError
from ieat.pipeline.main import build
from ieat.pipeline.output.books import close_books
from ieat.pipeline.output.sink import SinkSettings
from ieat.pipeline.output.stage1_reading import read_stage1
from ieat.pipeline.output.verify import verify
from ieat.pipeline.output.withdrawal import take_out
from ieat.pipeline.plan import plan_build
from ieat.pipeline.run_state import RunState
from ieat.pipeline.store.withdrawn import hash_id
from tests.sounds import speech, write
from tests.talk_build import shards
from tests.talk_script import manifest_line
from tests.writing import ROWS

TALK = manifest_line("t", ("ann", "My bag is gone"), ("bob", "Where is it"))
BOTH = {"__tuple__": True, "items": ["Rome", "Paris"]}
QUESTIONS = [
    {"key": "en1", "query": "Which two cities?", "answer": ["both", BOTH], "audio": "a.wav"},
    {"key": "zh1", "query": "中国的首都是哪里？", "answer": "北京", "audio": "a.wav"},
    {"key": 7, "query": "How many?", "answer": 7, "audio": "a.wav", "split": "test"},
    {"key": "own", "query": "Who?", "answer": "Bach", "audio": "a.wav", "target_text": "Händel."},
    {"key": "mute", "query": "And this?", "answer": "no"},
    {"key": "gone", "query": "And that?", "answer": "no", "audio": "none.wav"},
    {"key": "open", "query": "Why?", "answer": [], "audio": "a.wav"},
    {"key": "two", "query": "Once?", "answer": "yes", "audio": "a.wav"},
    {"key": "two", "query": "Twice?", "answer": "yes", "audio": "a.wav"},
    {"key": "form", "query": "What?", "answer": {"a": 1}, "audio": "a.wav"},
]


def configured(folder: Path, aqa: object, **changes: object):
    (folder / "talks.jsonl").write_text(TALK + "\n", encoding="utf-8")
    values = {
        "inputs": [{"path": str(folder / "talks.jsonl")}],
        "output": str(folder / "out"),
        "recognizer": "gold",
        "shards": 2,
        "aqa": aqa,
    }
    return load_config(None, values | changes)


def questions(folder: Path, lines: list) -> str:
    write(folder / "a.wav", speech()[:32_000])
    file = folder / "quiz.jsonl"
    text = "\n".join(
        line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines
    )
    file.write_text(text + "\n", encoding="utf-8")
    return str(file)


def rows(out: object, table: str, split: str = "*") -> dict:
    found = [
        row
        for file in sorted(Path(str(out), table).glob(f"{split}-*.parquet"))
        for row in pq.read_table(file).to_pylist()
    ]
    return {row["row_id"]: row for row in found}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("aqa")
    config = configured(folder, questions(folder, [*QUESTIONS, "{broken"]))
    report = build(config)
    again = build(config.model_copy(update={"output": str(folder / "again")}))
    assert (report.exit_code, again.exit_code) == (0, 0)
    assert shards(folder / "out") == shards(folder / "again")
    return config, report


def test_questions_with_sound_become_rows_with_what_counts_as_right(built):
    config, report = built
    found = rows(config.output, "aqa")
    assert sorted(found) == ["quiz/7/aqa", "quiz/en1/aqa", "quiz/own/aqa", "quiz/zh1/aqa"]
    english = found["quiz/en1/aqa"]
    assert english["answers"] == [{"all_of": ["both"]}, {"all_of": ["Rome", "Paris"]}]
    assert (english["target_text"], english["thinking"], english["language"]) == ("both", "", "en")
    assert english["audio"]["bytes"][:4] == b"fLaC"
    assert english["duration"] == 2.0
    assert english["trainable"] == {"is_trainable": True, "reasons": []}
    chinese = found["quiz/zh1/aqa"]
    assert (chinese["language"], chinese["target_text"]) == ("zh", "北京")
    assert any("\u4e00" <= character <= "\u9fff" for character in chinese["instruction"])
    assert verify(config.output).is_sound
    assert report.manifest.num_rows("aqa") == 4


def test_a_question_of_a_test_set_or_with_a_wrong_target_is_never_trained_on(built):
    found = rows(built[0].output, "aqa")
    assert found["quiz/7/aqa"]["trainable"]["reasons"] == ["held_out_split"]
    assert found["quiz/7/aqa"]["split"] == "test"
    assert list(rows(built[0].output, "aqa", "test")) == ["quiz/7/aqa"]
    assert found["quiz/own/aqa"]["trainable"]["reasons"] == ["target_without_answer"]


def test_a_trainer_reads_questions_as_the_other_tasks(built):
    config, _ = built
    samples = {sample.row_id: sample for sample in read_stage1(config.output, "aqa")}
    assert sorted(samples) == ["quiz/en1/aqa", "quiz/zh1/aqa"]
    assert (samples["quiz/zh1/aqa"].target, samples["quiz/zh1/aqa"].ends) == ("北京", True)
    assert samples["quiz/zh1/aqa"].audio[:4] == b"fLaC"
    with pytest.raises(ConfigError, match="there is no task 'asr' of stage 1"):
        read_stage1(config.output, "asr")


def test_a_question_that_cannot_be_used_is_a_dead_letter_and_the_books_balance(built):
    config, report = built
    letters = rows(config.output, "_dead_letters")
    assert {letter["unit_id"]: letter["code"] for letter in letters.values()} == {
        "quiz/mute/aqa": "question_without_audio",
        "quiz/gone/aqa": "audio_missing",
        "quiz/open/aqa": "question_without_answer",
        "quiz/two/aqa": "duplicate_id",
        "quiz/form/aqa": "invalid_question",
        f"{config.aqa.path}:11": "broken_json",
    }
    assert sum(letter["code"] == "duplicate_id" for letter in letters.values()) == 2
    counts = report.manifest.books.tables["aqa"]
    assert (counts.read, counts.written, counts.num_dead) == (11, 4, 7)
    assert report.manifest.books.dialogues.written == 1


def test_a_withdrawn_question_is_taken_out_of_a_build(built, tmp_path):
    config, _ = built
    other = build(config.model_copy(update={"output": str(tmp_path / "out")}))
    assert take_out(other.output, {"quiz/zh1"}) == 1
    assert "quiz/zh1/aqa" not in rows(other.output, "aqa")
    assert verify(other.output).is_sound


def test_a_withdrawn_question_is_left_out_and_a_stopped_run_counts_the_others(tmp_path):
    config = configured(tmp_path, questions(tmp_path, QUESTIONS[:2]))
    sink = SinkSettings(out=config.output, num_shards=1, rows=ROWS)
    withdrawn = RunState(("hear",), 1.0, withdrawn=frozenset({hash_id("quiz/zh1")}))
    beside = write_questions(config.aqa, sink, withdrawn)
    books, letters = close_books(beside.entries)
    assert (books.tables["aqa"].written, books.tables["aqa"].filtered) == (1, {"withdrawn": 1})
    assert letters == {}
    withdrawn.stop("interrupted", "stopped by SIGINT")
    books, _ = close_books(write_questions(config.aqa, sink, withdrawn).entries)
    assert books.tables["aqa"].not_reached == {"interrupted": 2}
    assert books.tables["aqa"].is_balanced


def test_the_plan_counts_questions_and_the_card_and_the_resources_name_the_file(built):
    config, _ = built
    assert "questions  11" in plan_build(config).describe()
    card = Path(config.output, "README.md").read_text(encoding="utf-8")
    assert "| `aqa` | 2 | 4 | 50% | held_out_split 1, target_without_answer 1 |" in card
    resources = json.loads(Path(config.output, "resources.json").read_text(encoding="utf-8"))
    assert [data["corpus"] for data in resources["data"]] == ["talks", "quiz"]


def test_parquet_with_sound_in_its_rows_is_read_as_televal_writes_it(tmp_path):
    write(tmp_path / "a.wav", speech()[:32_000])
    content = (tmp_path / "a.wav").read_bytes()
    table = {
        "key": ["q0", "q1"],
        "query": ["谁写了《红楼梦》？", "哪两个城市？"],
        "answer": ['["曹雪芹"]', json.dumps([BOTH])],
        "audio": [{"bytes": content, "path": "x.wav"}, {"bytes": b"no sound", "path": "y.wav"}],
        "query_emo": ["neutral", "neutral"],
    }
    file = tmp_path / "televal.parquet"
    pq.write_table(pa.table(table), file)
    aqa = {"path": str(file), "corpus": "televal", "split": "test", "license": "unknown"}
    report = build(configured(tmp_path, aqa))
    (row,) = rows(report.output, "aqa").values()
    assert (row["row_id"], row["audio_span"]["uri"]) == ("televal/q0/aqa", f"{file}#0")
    assert (row["answers"], row["license"]) == ([{"all_of": ["曹雪芹"]}], "unknown")
    assert row["trainable"]["reasons"] == ["held_out_split"]
    (letter,) = rows(report.output, "_dead_letters").values()
    assert (letter["unit_id"], letter["code"]) == ("televal/q1/aqa", "audio_undecodable")
    assert "8 bytes" in letter["record"]
    assert verify(report.output).is_sound


def test_a_file_without_any_sound_is_refused_before_anything_is_written(tmp_path):
    lines = [{"key": "a", "query": "Who?", "answer": "me"}]
    config = configured(tmp_path, questions(tmp_path, lines))
    for refuse in (build, plan_build):
        with pytest.raises(ConfigError, match=r"none of the 1 questions in .* has audio"):
            refuse(config)
    assert not Path(config.output).exists()
    with pytest.raises(ConfigError, match="holds no question"):
        build(configured(tmp_path, questions(tmp_path, [""])))
    with pytest.raises(ConfigError, match="nothing at none"):
        build(configured(tmp_path, "none.jsonl"))
    (tmp_path / "no.parquet").write_text("no")
    with pytest.raises(ConfigError, match="is no Parquet file"):
        build(configured(tmp_path, str(tmp_path / "no.parquet")))
