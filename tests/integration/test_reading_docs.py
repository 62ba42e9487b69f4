"""The code of docs/reading.md runs as it is printed."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.dialogues import TALK
from tests.writing import sounding, write_build

PAGE = Path(__file__).parents[2] / "docs" / "reading.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reading")
    write_build(folder / "out", [sounding(folder / "sound")])
    return folder / "out"


def run(block: str, out: Path) -> list[tuple[Any, Any]]:
    seen: list[tuple[Any, Any]] = []
    names = {"OUT": str(out), "train_on": lambda *given: seen.append(given)}
    exec(block, names)
    return seen


def test_the_reader_of_its_own_takes_the_loss_off_the_thinking(out: Path) -> None:
    seen = run(BLOCKS[0], out)
    assert [[(m["kind"], m["loss"]) for m in messages] for messages, _ in seen] == [
        [("listen", False), ("think", False), ("write", True)],
        [
            ("listen", False),
            ("write", False),
            ("listen", False),
            ("think", False),
            ("write", True),
        ],
    ]
    assert [[len(clip) for clip in clips] for _, clips in seen] == [[4800], [4800, 4800]]


def test_the_reader_of_its_own_has_ten_lines() -> None:
    lines = [line for line in BLOCKS[0].splitlines() if line]
    assert len(lines) - sum("import" in line for line in lines) <= 10


def test_our_reader_leaves_the_thinking_out(out: Path) -> None:
    seen = run(BLOCKS[1], out)
    assert [[m["kind"] for m in messages] for messages, _ in seen] == [
        ["listen", "write"],
        ["listen", "write", "listen", "write"],
    ]
    assert [clip[:4] for clip in seen[1][1]] == [b"fLaC", b"fLaC"]


def test_our_reader_gives_the_tasks_of_stage_1_one_by_one(out: Path) -> None:
    seen: list[tuple[str, bytes, str]] = []
    names = {"OUT": str(out), "train_on": lambda *given: seen.append(given)}
    exec(BLOCKS[2], names)
    assert [target for _, _, target in seen] == [words for _, words in TALK]
    assert all(instruction and audio[:4] == b"fLaC" for instruction, audio, _ in seen)


def test_every_block_of_the_page_is_run() -> None:
    assert len(BLOCKS) == 4, "test_loading.py runs the last one's calls"
