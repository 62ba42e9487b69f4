"""Whole builds whose turns a teacher on loopback answers, in both languages."""

import json
from collections import Counter

import pyarrow.parquet as pq
import pytest

from ieat.pipeline.check import check_build
from ieat.pipeline.main import build
from ieat.pipeline.output.stage1_reading import read_stage1
from ieat.pipeline.output.verify import verify
from ieat.pipeline.plan import plan_build
from tests.openai_server import OpenAIServer, failure
from tests.sounds import speech, write
from tests.talk_build import build_config, shards, talks
from tests.talk_script import endpoint

PRICES = {"input": 1.0, "output": 4.0}
SAID = {
    "en": ("My bag is gone", "Where is it", "They stole it [sigh]", "I see", "It is tagged now"),
    "zh": ("我的包不见了", "在哪里丢的", "被人偷走了", "这样啊", "那个带标签的也丢了"),
}


def spoken(folder, language):
    """Return a manifest line of five turns with sound."""
    turns = []
    for turn, words in enumerate(SAID[language]):
        path = folder / f"{language}-{turn}.wav"
        write(path, speech()[8_000 : 8_000 + 1_600 * (10 + turn)])
        speaker = "ann" if turn % 2 == 0 else "bob"
        turns.append({"speaker": speaker, "audio": path.name, "text": words})
    return json.dumps(
        {"dialogue_id": language, "language": language, "turns": turns}, ensure_ascii=False
    )


def configured(folder, base_url, **changes):
    teacher = {"context": "history", "prices": PRICES, "max_tokens": 64, "base_url": base_url}
    values = {
        "store": str(folder / "store"),
        "teacher": "openai:student-7b",
        "teacher_settings": teacher | changes.pop("teacher_settings", {}),
    }
    lines = [spoken(folder, language) for language in SAID]
    return build_config(folder, lines, base_url, **values | changes)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("taught")
    with OpenAIServer(endpoint) as server:
        config = configured(folder, server.base_url)
        before = plan_build(config).stages["distill"]
        report = build(config)
        requests = list(server.requests)
        after = plan_build(config).stages["distill"]
        again = build(config.model_copy(update={"output": str(folder / "again")}))
        assert server.count() == len(requests)
    assert (report.exit_code, again.exit_code) == (0, 0)
    assert shards(folder / "out") == shards(folder / "again")
    return config, report, requests, (before, after)


def rows(config, table):
    return pq.read_table(f"{config.output}/{table}").to_pylist()


def test_the_teacher_is_asked_greedily_without_thinking_and_without_a_form(built):
    _, _, requests, _ = built
    taught = [request.body for request in requests if request.body["model"] == "student-7b"]
    # Three turns of the user a dialogue, the last of which is asked again.
    assert len(taught) == 2 * 4
    for body in taught:
        assert body["chat_template_kwargs"] == {"enable_thinking": False}
        assert (body["temperature"], body["max_tokens"]) == (0.0, 64)
        assert "response_format" not in body
    others = [request.body for request in requests if request.body["model"] != "student-7b"]
    assert not any("chat_template_kwargs" in body for body in others)


def test_each_turn_of_the_user_has_a_target_in_its_language_or_a_dead_letter(built):
    config, report, _, _ = built
    found = {
        (row["language"], row["turn_index"]): row["distillation"] for row in rows(config, "stage1")
    }
    assert {key for key, cell in found.items() if cell} == {
        ("en", 0), ("en", 2), ("zh", 0), ("zh", 2)
    }  # fmt: skip
    assert found["en", 2]["target_text"] == "I hear you. Take your time."
    assert [m["content"] for m in found["en", 2]["teacher_messages"]][1:] == [
        "[emotion: afraid] My bag is gone",
        "Where is it",
        "[emotion: angry] [sounds: sigh] They stole it",
    ]
    assert found["zh", 2]["teacher_messages"][-1]["content"] == "[情绪：生气] 被人偷走了"
    assert (found["zh", 2]["stop_reason"], found["zh", 2]["early_stop"]) == ("stop", False)
    assert report.manifest.codes == {"turn:tag_named": 2}
    letters = [row for row in rows(config, "_dead_letters") if row["stage"] == "distill"]
    assert Counter(letter["table"] for letter in letters) == {"stage1": 2}
    assert all(len(letter["response_keys"]) == 2 for letter in letters)
    assert verify(config.output).is_sound


def test_a_trainer_reads_each_task_as_instruction_sound_and_target(built):
    config, _, _, _ = built
    samples = {
        task: {sample.row_id: sample for sample in read_stage1(config.output, task)}
        for task in ("alignment", "attributes", "distillation")
    }
    assert [len(found) for found in samples.values()] == [10, 6, 4]
    row_id = "talks/en/002/stage1"
    said = samples["alignment"][row_id]
    assert (said.target, said.ends, said.context) == ("They stole it", True, ())
    assert said.audio[:4] == b"fLaC"
    felt = json.loads(samples["attributes"][row_id].target)
    assert felt["emotion"] == "anger"
    assert felt["sounds"] == ["sigh"]
    assert set(felt) <= {"emotion", "intensity", "sounds", "rate", "pitch", "level"}
    answered = samples["distillation"][row_id]
    assert answered.target == "I hear you. Take your time."
    assert answered.audio == said.audio
    first, second = answered.context
    assert (first.role, first.text) == ("user", None)
    assert first.audio == samples["alignment"]["talks/en/000/stage1"].audio
    assert (second.role, second.text, second.audio) == ("assistant", "Where is it", None)
    for found in samples.values():
        assert all(sample.instruction for sample in found.values())


def test_a_plan_counts_every_answer_before_and_none_after(built):
    _, report, _, (before, after) = built
    spent = report.ledger["distill", "openai:student-7b"]
    assert (before.num_stored, before.num_known + before.num_possible) == (0, 6)
    assert (after.num_stored, after.num_known, after.num_possible) == (8, 0, 0)
    assert before.usd > spent.usd > 0


def test_the_card_and_the_books_of_the_build_tell_of_the_teacher(built):
    config, _, _, _ = built
    with open(f"{config.output}/README.md", encoding="utf-8") as file:
        card = file.read()
    assert "| teacher | `openai:student-7b` |" in card
    assert "| `stage1`, distillation | 4 | 4 | 100% | none |" in card
    with open(f"{config.output}/build.json", encoding="utf-8") as file:
        identity = json.load(file)
    assert identity["teacher_sampling"]["context"] == "history"
    assert "distillation@1.en" in identity["prompts"]


def test_a_server_that_refuses_the_switch_of_the_thinking_stops_the_run_and_says_what_to_set(
    tmp_path,
):
    def refuses(request):
        if "chat_template_kwargs" in request.body:
            return failure(400, "Unrecognized request argument supplied: chat_template_kwargs")
        return endpoint(request)

    with OpenAIServer(refuses) as server:
        config = build_config(
            tmp_path, talks(1), server.base_url, teacher="openai:student-7b", in_flight=1
        )
        report = build(config)
        taught = [r for r in server.requests if r.body["model"] == "student-7b"]
        assert len(taught) == 1
        assert (report.exit_code, report.stop_code) == (4, "engine_unavailable")
        assert "set teacher_settings.thinking_off to none" in report.stop_message
        settings = config.teacher_settings.model_copy(update={"thinking_off": "none"})
        output = str(tmp_path / "other")
        mended = {"teacher_settings": settings, "output": output}
        assert build(config.model_copy(update=mended)).exit_code == 0


def test_check_tells_what_the_teacher_answers(tmp_path):
    with OpenAIServer(endpoint) as server:
        lines = list(check_build(configured(tmp_path, server.base_url)))
    (line,) = [line for line in lines if line.startswith("teacher ")]
    assert line.startswith("teacher   openai:student-7b: I hear you. Take your time. (")
