"""`ieat render` as a person uses it."""

import json

import pytest

from ieat.pipeline.cli import run
from tests.builders import composed
from tests.written_rows import embedded, write_build


@pytest.fixture
def out(tmp_path):
    return write_build(tmp_path / "out", embedded(composed()) + embedded(composed(name="d2")))


def ieat(capsys, *arguments):
    code = run([str(argument) for argument in arguments], [])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_it_says_what_it_wrote_and_what_to_set(out, tmp_path, capsys):
    output = tmp_path / "swift"
    code, said, _ = ieat(
        capsys, "render", out, "--format", "swift", "--output", output, "--mode", "mix:1,1,1",
        "--thinking-tags", "custom:[,]",
    )  # fmt: skip
    assert code == 0
    assert said.splitlines() == [
        f"train: 4 of 4 rows in {output}/train.jsonl",
        "  explicit 2 (drawn 2), injected 1 (drawn 1), implicit 1 (drawn 1)",
        f"4 clips; what it came from: {output}/render.json",
        "note: start training in this folder, or name it in ROOT_IMAGE_DIR",
        "note: injected needs ms-swift 4.3.0 or later, with its own template backend",
        "note: --add_non_thinking_prefix false, or models that may think get an empty block",
    ]
    text = (output / "train.jsonl").read_text(encoding="utf-8")
    written = [json.loads(line) for line in text.splitlines()]
    assert {one["messages"][-1]["content"] for one in written} == {
        "[She is angry, as her bag was stolen.]I am sorry.", "I am sorry."
    }  # fmt: skip


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (("--format", "jsonl"), "there is no format 'jsonl'"),
        (("--format", "hf", "--mode", "mix:1"), "give three shares"),
        (("--format", "hf", "--thinking-tags", "xml"), "there are no thinking tags 'xml'"),
        (("--format", "osum", "--mode", "injected"), "OSUM-EChat learns whole answers"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(out, tmp_path, capsys, flags, reason):
    code, said, error = ieat(capsys, "render", out, "--output", tmp_path / "new", *flags)
    assert (code, said) == (2, "")
    assert reason in error
    assert error.count("\n") == 1
    assert not (tmp_path / "new").exists()
