"""The view of a build's progress."""

import io
import threading

import pytest
from rich.console import Console

from ieat.pipeline.progress import (
    Pace,
    ProgressView,
    StageProgress,
    describe_seconds,
    progress_line,
    progress_table,
)
from ieat.pipeline.spending.ledger import Spent


def stage(done: int, failed: int = 0, in_flight: int = 0, total: int | None = 100) -> StageProgress:
    return StageProgress("transcribe", done, failed, in_flight, total)


def pace_of(*seen: tuple[float, StageProgress]) -> Pace:
    pace = Pace()
    for now, progress in seen:
        pace.observe([progress], now)
    return pace


def test_the_rate_counts_failures_too_as_they_took_their_time() -> None:
    pace = pace_of((0.0, stage(0)), (10.0, stage(15, failed=5)))
    assert pace.rate("transcribe") == 2.0
    assert pace.left(stage(15, failed=5)) == 40.0


def test_the_rate_forgets_what_is_longer_ago_than_a_minute() -> None:
    pace = pace_of((0.0, stage(0)), (100.0, stage(1000)), (160.0, stage(1060)))
    assert pace.rate("transcribe") == 1.0


def test_one_look_gives_no_rate_and_no_time() -> None:
    pace = pace_of((5.0, stage(3)))
    assert pace.rate("transcribe") is None
    assert pace.left(stage(3)) is None


def test_a_stage_that_stands_still_promises_no_time() -> None:
    pace = pace_of((0.0, stage(3)), (10.0, stage(3)))
    assert pace.left(stage(3)) is None


def test_the_line_says_rate_failures_and_time_left() -> None:
    pace = pace_of((0.0, stage(0)), (30.0, stage(9, failed=1)))
    line = progress_line([stage(9, failed=1), StageProgress("label", 0, 0, 0, None)], pace)
    assert line == "dialogues: transcribe 9/100 (1 failed, 20.0 a minute, 4 min left)"


def test_the_line_before_anything_is_done_says_so() -> None:
    assert progress_line([stage(0, total=None)], Pace()) == "dialogues: none yet"


def test_the_table_has_a_row_for_every_stage() -> None:
    out = io.StringIO()
    pace = pace_of((0.0, stage(0)), (30.0, stage(9, failed=1, in_flight=4)))
    Console(file=out, width=80).print(
        progress_table(
            [stage(9, failed=1, in_flight=4), StageProgress("label", 2, 0, 0, None)], pace
        )
    )
    assert [line.split() for line in out.getvalue().splitlines()] == [
        ["stage", "done", "of", "failed", "at", "work", "a", "minute", "left"],
        ["transcribe", "9", "100", "1", "4", "20.0", "4", "min"],
        ["label", "2"],
    ]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min"), (7500, "2 h 05 min")]
)
def test_times_are_said_as_people_do(seconds: float, said: str) -> None:
    assert describe_seconds(seconds) == said


def test_without_a_terminal_there_is_a_plain_line_now_and_then_and_one_at_the_end() -> None:
    out = io.StringIO()
    looked = threading.Semaphore(0)
    counts = iter(range(1, 1000))

    def snapshot() -> list[StageProgress]:
        looked.release()
        return [stage(next(counts), total=None)]

    view = ProgressView(snapshot, Console(file=out), line_every=0.0, refresh=0.001)
    with view:
        for _ in range(3):
            assert looked.acquire(timeout=5)
    lines = out.getvalue().splitlines()
    assert len(lines) >= 3
    assert lines[0] == "dialogues: transcribe 1"
    assert "\x1b" not in out.getvalue()


def test_a_short_run_without_a_terminal_writes_its_last_line_only() -> None:
    out = io.StringIO()
    with ProgressView(lambda: [stage(7, total=7)], Console(file=out)):
        pass
    assert out.getvalue() == "dialogues: transcribe 7/7\n"


def test_on_a_terminal_the_table_stays_when_the_run_ends() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, _environ={"TERM": "xterm"})
    with ProgressView(lambda: [stage(7, total=7)], console, refresh=0.001):
        pass
    assert "transcribe" in out.getvalue()
    assert "\x1b" in out.getvalue()


def test_an_error_in_the_run_ends_the_view_and_goes_on_its_way() -> None:
    before = threading.active_count()
    with (
        pytest.raises(KeyboardInterrupt),
        ProgressView(lambda: [stage(1)], Console(file=io.StringIO())),
    ):
        raise KeyboardInterrupt
    assert threading.active_count() == before


def asking(done: int, **counts: float) -> StageProgress:
    return StageProgress("label", done, 0, 2, 20, Spent(**counts))  # type: ignore[arg-type]


def test_the_table_says_what_is_asked_and_what_it_costs() -> None:
    out = io.StringIO()
    spent = {"answered": 30, "stored": 10, "in_flight": 4, "retried": 2, "failed": 1}
    now = asking(10, **spent, prompt_tokens=900, completion_tokens=300, usd=0.03)
    pace = pace_of((0.0, asking(0)), (60.0, now))
    Console(file=out, width=140).print(progress_table([now], pace))
    header, row = out.getvalue().splitlines()
    assert header.split() == [
        *("stage", "done", "of", "failed", "at", "work", "a", "minute", "left", "answered"),
        *("stored", "asking", "retried", "no", "answer", "tokens/s", "USD", "to", "come"),
    ]
    # Ten dialogues are left, of whose questions three in four are expected to be new.
    assert row.split() == [
        *("label", "10", "20", "2", "10.0", "1", "min", "30", "10", "4", "2", "1", "20"),
        *("0.0300", "0.0225"),
    ]


def test_the_line_says_what_a_stage_has_cost() -> None:
    line = progress_line([asking(10, answered=5, usd=0.5)], Pace())
    assert line == "dialogues: label 10/20 (0.5000 USD)"


def test_nothing_is_to_come_where_nothing_was_paid() -> None:
    assert asking(10, answered=5).usd_to_come is None
    assert asking(0, answered=5, usd=1.0).usd_to_come is None
