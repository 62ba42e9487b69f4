"""Tasks of stage 1 and spoken questions in every format, by the rules of its code base."""

import json

import pytest

from ieat.pipeline.failures import ConfigError
from ieat.pipeline.output.stage1_reading import read_stage1
from ieat.pipeline.render.rendering import FORMATS, RenderSettings, render
from tests.contract.trainer_rules import (
    read_as_hugging_face,
    read_as_llamafactory,
    read_as_osum,
    read_as_swift,
)

TURN = "talks/en1/002/stage1"
TAUGHT = "I hear you. Take your time."
"""What the teacher of the tests says in English."""


@pytest.fixture(scope="module")
def renderings(out, tmp_path_factory):
    """The tables `stage1` and `aqa` in each format; gives the folder."""
    folder = tmp_path_factory.mktemp("stage1")
    for name in FORMATS:
        for table in ("stage1", "aqa"):
            render(str(out), str(folder / name / table), RenderSettings(name, table=table))
    return folder


def lines(folder, split="train"):
    text = (folder / f"{split}.jsonl").read_text(encoding="utf-8")
    return {one.get("row_id") or one["key"]: one for one in map(json.loads, text.splitlines())}


@pytest.mark.parametrize("name", FORMATS)
def test_each_task_of_a_turn_is_a_line_that_is_learned_as_our_reader_gives_it(
    out, renderings, name
):
    folder = renderings / name / "stage1"
    readers = {"swift": read_as_swift, "osum": read_as_osum, "hf": read_as_hugging_face}
    if name == "llamafactory":
        described = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
        readers[name] = lambda line: read_as_llamafactory(line, described["ieat_train"])
    found = lines(folder)
    tasks = ("alignment", "distillation") if name == "osum" else (
        "alignment", "attributes", "distillation"
    )  # fmt: skip
    samples = {
        f"{sample.row_id}/{task}": sample
        for task in tasks
        for sample in read_stage1(str(out), task)
    }
    assert set(found) == set(samples)
    assert len(found) == 5 * len(tasks)
    for row_id, sample in samples.items():
        learned = readers[name](found[row_id])
        # OSUM-EChat learns to transcribe in lower case.
        is_lower = name == "osum" and sample.task == "alignment"
        target = sample.target.lower() if is_lower else sample.target
        assert learned.learned.removesuffix("<|end|>") == target
        assert (folder / learned.audios[-1]).read_bytes() == sample.audio
        heard = [turn.audio for turn in sample.context if turn.role == "user"]
        assert [(folder / path).read_bytes() for path in learned.audios[:-1]] == heard
        # OSUM-EChat has instructions of its own.
        assert (sample.instruction in learned.context) == (name != "osum")


def test_a_task_is_heard_told_and_answered(renderings):
    found = lines(renderings / "swift" / "stage1")
    told = found[f"{TURN}/alignment"]["messages"]
    assert told[0]["content"].startswith("<audio>\n")
    assert told[1:] == [{"role": "assistant", "content": "Oh no", "loss": True}]
    *before, last, answer = found[f"{TURN}/distillation"]["messages"]
    assert before == [
        {"role": "user", "content": "<audio>"},
        {"role": "assistant", "content": "My bag is gone", "loss": False},
    ]
    assert last["content"].startswith("<audio>\n")
    assert answer == {"role": "assistant", "content": TAUGHT, "loss": True}
    assert found[f"{TURN}/alignment"]["think_mode"] is None


def test_tasks_that_osum_has_are_its_own_and_the_others_are_counted(renderings):
    folder = renderings / "osum" / "stage1"
    found = lines(folder)
    assert found[f"{TURN}/alignment"]["task"] == "<TRANSCRIBE>"
    assert found[f"{TURN}/distillation"]["task"] == "<S2TCHAT> <TEXT2TOKEN> <HISTORY>"
    assert found["talks/en1/000/stage1/distillation"]["task"] == "<S2TCHAT>"
    report = json.loads((folder / "render.json").read_text(encoding="utf-8"))
    assert report["splits"]["train"]["skipped_for"] == {"task_not_in_format": 5}
    assert (report["mode"], report["thinking_tags"]) == (None, None)


def test_spoken_questions_are_lines_and_a_split_without_any_has_no_file(renderings):
    for name in FORMATS:
        folder = renderings / name / "aqa"
        assert set(lines(folder)) == {"quiz/en1/aqa", "quiz/zh1/aqa"}
        assert not (folder / "dev.jsonl").exists()
    chinese = lines(renderings / "llamafactory" / "aqa")["quiz/zh1/aqa"]
    assert chinese["conversations"][1] == {"from": "gpt", "value": "罗马"}
    described = (renderings / "llamafactory" / "aqa" / "dataset_info.json").read_text()
    assert set(json.loads(described)) == {"ieat_train"}


def test_one_task_can_be_rendered_alone(out, tmp_path):
    settings = RenderSettings("hf", table="stage1", tasks=("attributes",))
    report = render(str(out), str(tmp_path / "new"), settings)
    assert report.splits["train"].tasks == {"attributes": 5}
    felt = lines(tmp_path / "new")["talks/en1/001/stage1/attributes"]["messages"][1]
    assert json.loads(felt["content"][0]["text"])["emotion"] == "fear"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"table": "dialogues"}, "use stage2, stage1, aqa"),
        ({"table": "stage1", "mode": "explicit"}, "leave --mode and --thinking-tags out"),
        ({"table": "stage1", "tasks": ("emotion",)}, "alignment, attributes, distillation"),
        ({"tasks": ("alignment",)}, "stage2 has the tasks answer"),
    ],
)
def test_what_a_table_does_not_have_is_refused(out, tmp_path, changes, reason):
    with pytest.raises(ConfigError, match=reason):
        render(str(out), str(tmp_path / "new"), RenderSettings("swift", **changes))
