"""How a build says that it ended."""

import errno
import os

import pytest

from ieat.pipeline.failures import unwritable
from ieat.pipeline.main import BuildReport, judge
from ieat.pipeline.run_state import MIN_ENDED, RunState
from ieat.schemas.build import Books, Manifest, UnitCounts


def judged(read: int, dead: int) -> str | None:
    state = RunState(("hear",), 0.5)
    counts = UnitCounts(read=read, written=read - dead, dead={"broken_json": dead} if dead else {})
    judge(counts, 0.5, state)
    return state.stop_reason.code if state.stop_reason else None


@pytest.mark.parametrize(
    ("read", "dead", "code"),
    [
        (1, 1, "too_many_failed"),
        (7, 7, "too_many_failed"),
        (7, 6, None),
        (MIN_ENDED, MIN_ENDED // 2, None),
        (MIN_ENDED, MIN_ENDED // 2 + 1, "too_many_failed"),
        (3, 0, None),
    ],
)
def test_dialogues_that_fail_where_they_are_read_count_as_failed(read, dead, code):
    assert judged(read, dead) == code


def test_an_earlier_reason_to_stop_stands():
    state = RunState(("hear",), 0.5)
    state.stop("interrupted", "stopped by SIGINT")
    judge(UnitCounts(read=1, dead={"broken_json": 1}), 0.5, state)
    assert state.stop_reason.code == "interrupted"


def report(output: str, dialogues: UnitCounts, stop: tuple[str, str] | None = None) -> BuildReport:
    manifest = Manifest(
        books=Books(dialogues=dialogues),
        shards=(),
        codes={"dialogue:broken_json": 1},
        not_configured=(),
    )
    code, message = stop or (None, None)
    return BuildReport(output, manifest, 1.0, code, message, ())


def test_the_command_that_shows_failures_can_be_pasted():
    said = report("my 'out'", UnitCounts(read=2, written=1, dead={"broken_json": 1})).describe()
    assert """see: ieat show 'my '"'"'out'"'"'' --failed""" in said


def test_only_a_build_that_left_something_out_goes_on():
    stop = ("too_many_failed", "1 of 1 dialogues failed")
    done = report("out", UnitCounts(read=1, dead={"broken_json": 1}), stop)
    assert done.describe().splitlines()[-1] == "stopped    1 of 1 dialogues failed"
    assert done.exit_code == 5
    left = report(
        "out", UnitCounts(read=1, not_reached={"interrupted": 1}), ("interrupted", "SIGINT")
    )
    assert left.describe().splitlines()[-1] == "stopped    SIGINT; the same command goes on"
    assert left.exit_code == 3


def test_an_output_that_cannot_be_written_to_is_told_without_a_number():
    error = OSError(errno.EACCES, os.strerror(errno.EACCES), "out/build.json")
    assert str(unwritable("out", error)) == (
        "cannot write to out: Permission denied; give another --output"
    )
    assert str(unwritable("x://out", ValueError("Protocol not known: x"))) == (
        "cannot write to x://out: Protocol not known: x; give another --output"
    )
