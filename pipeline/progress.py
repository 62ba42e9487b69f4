"""Show how far a build is: live tables on a terminal, a plain line now and then elsewhere."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NamedTuple

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from ieat.pipeline.spending.ledger import Spent

WINDOW = 60.0
"""Time over which a rate is taken, seconds: long enough to be steady, short enough to follow."""

REFRESH = 0.5
"""Time between two pictures on a terminal, seconds."""

LINE_EVERY = 30.0
"""Time between two lines elsewhere, seconds."""

NOTHING_ASKED = Spent()


class StageProgress(NamedTuple):
    """How far one stage is, in dialogues."""

    stage: str
    """Name of the stage."""
    done: int
    """Dialogues that passed it."""
    failed: int
    """Dialogues that failed in it."""
    in_flight: int
    """Dialogues at work in it."""
    total: int | None
    """Dialogues that are expected; null when unknown."""
    asked: Spent = NOTHING_ASKED
    """What the stage asked of engines."""

    @property
    def num_ended(self) -> int:
        """Dialogues that left the stage, whichever way."""
        return self.done + self.failed


class _Look(NamedTuple):
    """What was seen of a stage at one time, or came about between two."""

    at: float
    num_ended: int
    tokens: int
    usd: float


class Pace:
    """Turns counts over time into rates, remaining times and costs."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[_Look]] = {}

    def observe(self, stages: Sequence[StageProgress], now: float) -> None:
        """Remember the counts at a time in seconds; times do not run backwards."""
        for stage in stages:
            seen = self._seen.setdefault(stage.stage, deque())
            seen.append(_Look(now, stage.num_ended, stage.asked.tokens, stage.asked.usd))
            while len(seen) > 2 and seen[1].at <= now - WINDOW:
                seen.popleft()

    def rate(self, stage: str) -> float | None:
        """Return dialogues a second over the last minute; null before anything is known."""
        lately = self._lately(stage)
        return None if lately is None else lately.num_ended / lately.at

    def tokens_per_second(self, stage: str) -> float | None:
        """Return tokens a second over the last minute; null before anything is known."""
        lately = self._lately(stage)
        return None if lately is None else lately.tokens / lately.at

    def usd_to_come(self, stage: StageProgress) -> float | None:
        """Return what the dialogues that are left cost, US dollars; null when unknown.

        They are reckoned at those of the last minute: where a run goes on, the first ones were
        stored and say nothing about the others.
        """
        if stage.total is None or not stage.num_ended or not stage.asked.usd:
            return None
        num_left = max(0, stage.total - stage.num_ended)
        lately = self._lately(stage.stage)
        if lately is not None and lately.num_ended and lately.usd:
            return num_left * lately.usd / lately.num_ended
        return num_left * stage.asked.usd / stage.num_ended

    def _lately(self, stage: str) -> _Look | None:
        """Return what came about in the last minute, its time in seconds."""
        seen = self._seen.get(stage)
        if not seen or seen[-1].at <= seen[0].at:
            return None
        first, last = seen[0], seen[-1]
        return _Look(
            last.at - first.at,
            last.num_ended - first.num_ended,
            last.tokens - first.tokens,
            last.usd - first.usd,
        )

    def left(self, stage: StageProgress) -> float | None:
        """Return the seconds that the stage still needs at its rate; null when unknown."""
        rate = self.rate(stage.stage)
        if stage.total is None or not rate:
            return None
        return max(stage.total - stage.num_ended, 0) / rate


class ProgressView:
    """Shows a build's progress on standard error while the `with` block runs.

    Args:
        snapshot: Returns the counts of all stages in order; called from a thread of its own.
        console: Where to write; null means standard error.
        line_every: Seconds between two lines where there is no terminal.
        refresh: Seconds between two looks at the counts.
    """

    def __init__(
        self,
        snapshot: Callable[[], Sequence[StageProgress]],
        console: Console | None = None,
        line_every: float = LINE_EVERY,
        refresh: float = REFRESH,
    ) -> None:
        self._snapshot = snapshot
        self._console = console or Console(stderr=True)
        self._line_every = line_every
        self._refresh = refresh
        self._pace = Pace()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def __enter__(self) -> "ProgressView":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._draw()
        else:
            self._write_lines()

    def _look(self) -> Sequence[StageProgress]:
        stages = self._snapshot()
        self._pace.observe(stages, time.monotonic())
        return stages

    def _draw(self) -> None:
        with Live(console=self._console, auto_refresh=False, redirect_stdout=False) as live:
            is_over = False
            while not is_over:
                is_over = self._is_over.wait(self._refresh)
                live.update(progress_table(self._look(), self._pace), refresh=True)

    def _write_lines(self) -> None:
        next_line = time.monotonic() + self._line_every
        is_over = False
        while not is_over:
            is_over = self._is_over.wait(self._refresh)
            stages = self._look()
            if is_over or time.monotonic() >= next_line:
                line = progress_line(stages, self._pace)
                self._console.print(line, markup=False, highlight=False, soft_wrap=True)
                next_line += self._line_every
        if any(stage.asked != NOTHING_ASKED for stage in stages):
            self._console.print(progress_table(stages, self._pace))


def progress_table(stages: Sequence[StageProgress], pace: Pace) -> Group:
    """Lay out a row a stage: its dialogues, and below the questions that it asks for them."""
    asking = [stage for stage in stages if stage.asked != NOTHING_ASKED]
    tables = [_dialogues(stages, pace)]
    if asking:
        tables.append(_questions(asking, pace))
    return Group(*tables)


def _dialogues(stages: Sequence[StageProgress], pace: Pace) -> Table:
    table = _table("dialogues", "done", "of", "failed", "at work", "a minute", "left")
    for stage in stages:
        rate = pace.rate(stage.stage)
        table.add_row(
            stage.stage,
            str(stage.done),
            "" if stage.total is None else str(stage.total),
            _unless_zero(stage.failed),
            _unless_zero(stage.in_flight),
            "" if rate is None else f"{60 * rate:.1f}",
            _time_left(stage, pace),
            style="red" if stage.failed else "",
        )
    return table


def _questions(stages: Sequence[StageProgress], pace: Pace) -> Table:
    is_priced = any(stage.asked.usd for stage in stages)
    table = _table(
        *("questions", "answered", "stored", "asking", "retried", "failed", "tokens/s"),
        *(("USD", "to come") if is_priced else ()),
    )
    for stage in stages:
        asked = stage.asked
        tokens = pace.tokens_per_second(stage.stage)
        counts = (asked.answered, asked.stored, asked.in_flight, asked.retried, asked.failed)
        table.add_row(
            stage.stage,
            *map(_unless_zero, counts),
            f"{tokens:.0f}" if tokens else "",
            *(_money_cells(stage, pace) if is_priced else ()),
            style="red" if asked.failed else "",
        )
    return table


def _table(counted: str, *names: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(counted, min_width=len("transcribe"))
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _unless_zero(count: int) -> str:
    return str(count) if count else ""


def _money_cells(stage: StageProgress, pace: Pace) -> tuple[str, ...]:
    return tuple(
        describe_usd(usd) if usd else "" for usd in (stage.asked.usd, pace.usd_to_come(stage))
    )


def describe_usd(usd: float) -> str:
    """Say US dollars as short as is exact enough: `0.0312`, `31.25`, `3125`."""
    return f"{usd:.4f}" if usd < 1 else f"{usd:.2f}" if usd < 1000 else f"{usd:.0f}"


def progress_line(stages: Sequence[StageProgress], pace: Pace) -> str:
    """Say the same in one line, stages that nothing has reached left out."""
    parts = []
    for stage in stages:
        if not (stage.num_ended or stage.in_flight):
            continue
        part = f"{stage.stage} {stage.done}"
        if stage.total is not None:
            part += f"/{stage.total}"
        said = [f"{stage.failed} failed"] if stage.failed else []
        rate = pace.rate(stage.stage)
        if rate:
            said.append(f"{60 * rate:.1f} a minute")
        left = _time_left(stage, pace)
        if left:
            said.append(f"{left} left")
        if stage.asked.usd:
            said.append(f"{describe_usd(stage.asked.usd)} USD")
        parts.append(part + (f" ({', '.join(said)})" if said else ""))
    return "dialogues: " + ("; ".join(parts) if parts else "none yet")


def _time_left(stage: StageProgress, pace: Pace) -> str:
    left = pace.left(stage)
    return "" if not left else describe_seconds(left)


def describe_seconds(seconds: float) -> str:
    """Say a time as people do: `12 s`, `3 min`, `2 h 05 min`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"
