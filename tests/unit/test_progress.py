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
    describe_usd,
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
        ["dialogues", "done", "of", "failed", "at", "work", "a", "minute", "left"],
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


def test_a_second_table_says_what_is_asked_and_what_it_costs() -> None:
    spent = {"answered": 30, "stored": 10, "in_flight": 4, "retried": 2, "failed": 1}
    now = asking(10, **spent, prompt_tokens=900, completion_tokens=300, usd=0.03)
    pace = pace_of((0.0, asking(0)), (60.0, now))
    # Ten dialogues are left, and the ten of the last minute cost 0.03.
    assert shown([stage(3), now], pace)[-2:] == [
        [*("questions", "answered", "stored", "asking", "retried", "failed", "tokens/s"),
         *("USD", "to", "come")],
        ["label", "30", "10", "4", "2", "1", "20", "0.0300", "0.0300"],
    ]  # fmt: skip


def test_a_stage_that_asks_without_prices_has_no_columns_of_money() -> None:
    assert shown([asking(10, answered=5)], Pace())[-2:] == [
        ["questions", "answered", "stored", "asking", "retried", "failed", "tokens/s"],
        ["label", "5"],
    ]


def shown(stages: list[StageProgress], pace: Pace, width: int = 80) -> list[list[str]]:
    out = io.StringIO()
    Console(file=out, width=width).print(progress_table(stages, pace))
    return [line.split() for line in out.getvalue().splitlines()]


def test_large_numbers_are_whole_at_80_columns() -> None:
    busy = Spent(
        answered=812_345, stored=120_000, in_flight=256, retried=1_234, failed=99,
        prompt_tokens=8_900_000, usd=332.0,
    )  # fmt: skip
    now = StageProgress("transcribe", 100_000, 1_000, 256, 1_200_000, busy)
    pace = pace_of((0.0, asking(0)._replace(stage="transcribe")), (60.0, now))
    dialogues, questions = shown([now], pace)[1::2]
    assert dialogues == [
        "transcribe", "100000", "1200000", "1000", "256", "101000.0", "11", "min",
    ]  # fmt: skip
    assert questions == [
        "transcribe", "812345", "120000", "256", "1234", "99", "148333", "332.00", "3613",
    ]  # fmt: skip


def test_the_line_says_what_a_stage_has_cost() -> None:
    line = progress_line([asking(10, answered=5, usd=0.5)], Pace())
    assert line == "dialogues: label 10/20 (0.5000 USD)"


def test_what_is_to_come_is_reckoned_at_the_dialogues_of_the_last_minute() -> None:
    # The first ten were stored; the two after them were paid.
    paid = asking(12, answered=2, usd=0.2)
    pace = pace_of((0.0, asking(0)), (10.0, asking(10)), (80.0, paid))
    assert pace.usd_to_come(paid) == pytest.approx(8 * 0.1)
    assert Pace().usd_to_come(paid) == pytest.approx(8 * 0.2 / 12)


def test_nothing_is_to_come_where_nothing_was_paid() -> None:
    assert Pace().usd_to_come(asking(10, answered=5)) is None
    assert Pace().usd_to_come(asking(0, answered=5, usd=1.0)) is None


@pytest.mark.parametrize(
    ("usd", "said"), [(0.03125, "0.0312"), (1.5, "1.50"), (999.994, "999.99"), (1234.5, "1234")]
)
def test_dollars_have_as_many_digits_as_they_need(usd: float, said: str) -> None:
    assert describe_usd(usd) == said


def test_without_a_terminal_the_tables_come_at_the_end_where_something_was_asked() -> None:
    out = io.StringIO()
    with ProgressView(lambda: [asking(20, answered=7)], Console(file=out, width=80)):
        pass
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert lines[0] == ["dialogues:", "label", "20/20"]
    assert lines[1][:3] == ["dialogues", "done", "of"]
    assert lines[3:] == [
        ["questions", "answered", "stored", "asking", "retried", "failed", "tokens/s"],
        ["label", "7"],
    ]
