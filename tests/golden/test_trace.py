"""What `ieat show` prints into a pipe, whole."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from ieat.pipeline.trace import show_build, show_dialogue, show_failed
from tests.build_rows import (
    chinese_dialogue,
    dead_letter,
    dialogue,
    target,
    write_manifest,
    write_run,
    write_tables,
)


def test_the_views_of_a_build_print_what_was_reviewed(
    tmp_path: Path, check_golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    out = Path("out")
    write_tables(
        out,
        {
            "dialogues": [dialogue(), chinese_dialogue()],
            "stage1": [],
            "stage2": [target()],
            "_dead_letters": [
                dead_letter("x", "audio_missing", "x.wav: there is no such file"),
                dead_letter("y", "a_code_to_come", "y.wav: something else"),
            ],
        },
    )
    write_manifest(out)
    write_run(out)
    printed = io.StringIO()
    console = Console(file=printed, width=80)
    show_build(str(out), console)
    for dialogue_id in ("queen/and1", "queen/zh"):
        console.print("=" * 80)
        show_dialogue(str(out), dialogue_id, console)
    console.print("=" * 80)
    show_failed(str(out), console)
    check_golden("trace.txt", printed.getvalue())
