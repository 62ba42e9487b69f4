"""Whole builds in both languages in which every check of a row fires, and the books balance."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ieat.pipeline.codes import CODES
from ieat.pipeline.config.checks import ROW_CODES
from ieat.pipeline.main import build
from ieat.pipeline.output.verify import verify
from tests.openai_server import OpenAIServer, Reply, Request, chat
from tests.sounds import QUEEN
from tests.talk_build import build_config
from tests.talk_script import asked, endpoint, manifest_line

LONG = {"en": "No. " * 7, "zh": "不。" * 7}
TALKS = [
    manifest_line("plain", ("ann", "My bag is gone"), ("bob", "Oh no, where?")),
    manifest_line("shown", ("ann", "My bag is gone (fear)"), ("bob", "Oh no, where?")),
    manifest_line("asked", ("ann", "My bag is gone"), ("bob", "Response: As an AI, I hear you.")),
    manifest_line("long", ("ann", "My bag is gone"), ("bob", LONG["en"])),
    manifest_line("foreign", ("ann", "你好，请问你在吗"), ("bob", "Oh no, where?")),
    manifest_line("named", ("ann", "They stole it"), ("bob", "The text says you are tagged sad.")),
    manifest_line("declined", ("ann", "They stole it"), ("bob", "Sorry, I can't help with that.")),
    manifest_line("zh1", ("明", "我妈住院了"), ("红", "别急，我陪你。"), language="zh"),
    manifest_line("zh2", ("明", "【恐惧】我妈住院了"), ("红", "别急。"), language="zh"),
    manifest_line(
        "zh3", ("明", "我妈住院了"), ("红", "回复：作为人工智能，我理解。"), language="zh"
    ),
    manifest_line("zh4", ("明", "我妈住院了"), ("红", LONG["zh"]), language="zh"),
    manifest_line("zh5", ("明", "包被偷了"), ("红", "文本中的情绪标签是1、难过。"), language="zh"),
    manifest_line("zh6", ("明", "包被偷了"), ("红", "（轻声）别急。"), language="zh"),
]


def restating(request: Request) -> Reply:
    """Answer as the script does, but with a cause that is its quote."""
    question = asked(request)
    reply = endpoint(request)
    if question.schema != "joint" or "stole" not in question.words:
        return reply
    return chat(
        {
            "evidence": [{"turn": question.turn, "quote": question.words}],
            "emotion": "anger",
            "intensity": "high",
            "event": f"They said: {question.words}.",
            "appraisal": None,
            "kind": "explicit",
        }
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Build the talks, and recorded speech under limits that it cannot keep."""
    folder = tmp_path_factory.mktemp("checked")
    with OpenAIServer(restating) as server:
        talks = build_config(folder, TALKS, server.base_url, response="corpus")
        report = build(talks)
    spoken = talks.model_copy(
        update={
            "inputs": talks.inputs[:1],
            "output": str(folder / "spoken"),
            "limit": 1,
            "labeler": "linear",
            "attributor": "extractive",
            "checks": talks.checks.model_copy(
                update={"min_clip_seconds": 2.5, "max_clip_seconds": 3.0, "min_snr": 45.0}
            ),
        }
    )
    manifest = QUEEN / "manifest.jsonl"
    inputs = (spoken.inputs[0].model_copy(update={"path": str(manifest), "corpus": "queen"}),)
    build(spoken.model_copy(update={"inputs": inputs}))
    return folder, report


def rows(out: Path, table: str) -> list[dict[str, Any]]:
    return pq.read_table(out / table).to_pylist()


def test_every_code_of_a_row_is_found_at_least_once(built: Any) -> None:
    folder, _ = built
    found = {
        flag
        for out in (folder / "out", folder / "spoken")
        for table in ("dialogues", "stage1", "stage2")
        for row in rows(out, table)
        for flag in row["flags"]
    } | {letter["code"] for letter in rows(folder / "out", "_dead_letters")}
    assert set(ROW_CODES) - found == set()
    assert set(ROW_CODES) <= set(CODES)


def test_the_books_balance_and_tell_what_was_kept_out(built: Any) -> None:
    folder, report = built
    targets = report.manifest.books.targets
    assert (targets.read, targets.written, targets.dead) == (13, 11, {"emotion_shown": 2})
    assert report.manifest.codes == {"row:emotion_shown": 2}
    assert report.exit_code == 0
    assert verify(str(folder / "out")).problems == ()


def test_each_answer_of_a_person_has_its_flags(built: Any) -> None:
    folder, _ = built
    flags = {
        row["dialogue_id"].partition("/")[2]: tuple(row["flags"])
        for row in rows(folder / "out", "stage2")
    }
    assert flags == {
        "plain": (),
        "asked": ("self_reference",),
        "long": ("too_long",),
        "foreign": ("wrong_language",),
        "named": ("label_named", "restates_evidence", "surrogate_leak"),
        "declined": ("refusal", "restates_evidence"),
        "zh1": (),
        "zh3": ("self_reference",),
        "zh4": ("too_long",),
        "zh5": ("label_named", "surrogate_leak"),
        "zh6": ("markup",),
    }


def test_a_dead_letter_holds_the_row_that_was_kept_out(built: Any) -> None:
    folder, _ = built
    letter = min(rows(folder / "out", "_dead_letters"), key=lambda row: row["row_id"])
    assert letter["row_id"] == "check:talks/shown/000/stage2"
    assert letter["message"] == "talks/shown/000/stage2: the student would read '(fear)'"
    assert json.loads(letter["record"])["messages"][0]["content"] == "My bag is gone (fear)"
