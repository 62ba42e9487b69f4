"""Show how far a build is: a live table on a terminal, a plain line now and then elsewhere."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NamedTuple

from rich.console import Console
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

    @property
    def usd_to_come(self) -> float | None:
        """Cost of the dialogues that are left at that of those done, US dollars; null if unknown.

        Dialogues that were stored cost nothing and are left out, so it is at most too high.
        """
        num_asked = self.asked.answered + self.asked.stored
        if self.total is None or not self.num_ended or not self.asked.usd:
            return None
        paid = self.asked.usd + self.asked.usd_stored
        share = self.asked.answered / num_asked
        return max(0, self.total - self.num_ended) * paid * share / self.num_ended


class Pace:
    """Turns counts over time into rates and remaining times."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[tuple[float, int, int]]] = {}

    def observe(self, stages: Sequence[StageProgress], now: float) -> None:
        """Remember the counts at a time in seconds; times do not run backwards."""
        for stage in stages:
            seen = self._seen.setdefault(stage.stage, deque())
            seen.append((now, stage.num_ended, stage.asked.tokens))
            while len(seen) > 2 and seen[1][0] <= now - WINDOW:
                seen.popleft()

    def rate(self, stage: str) -> float | None:
        """Return dialogues a second over the last minute; null before anything is known."""
        seen = self._seen.get(stage)
        if not seen or seen[-1][0] <= seen[0][0]:
            return None
        (start, before, _), (end, after, _) = seen[0], seen[-1]
        return (after - before) / (end - start)

    def tokens_per_second(self, stage: str) -> float | None:
        """Return tokens a second over the last minute; null before anything is known."""
        seen = self._seen.get(stage)
        if not seen or seen[-1][0] <= seen[0][0]:
            return None
        (start, _, before), (end, _, after) = seen[0], seen[-1]
        return (after - before) / (end - start)

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


def progress_table(stages: Sequence[StageProgress], pace: Pace) -> Table:
    """Lay out one row a stage: its dialogues, and the questions that it asks for them."""
    asks = any(stage.asked != NOTHING_ASKED for stage in stages)
    is_priced = any(stage.asked.usd for stage in stages)
    table = Table(box=None, pad_edge=False)
    table.add_column("stage")
    for name in (
        *("done", "of", "failed", "at work", "a minute", "left"),
        *(("answered", "stored", "asking", "retried", "no answer", "tokens/s") if asks else ()),
        *(("USD", "to come") if is_priced else ()),
    ):
        table.add_column(name, justify="right")
    for stage in stages:
        rate = pace.rate(stage.stage)
        table.add_row(
            stage.stage,
            str(stage.done),
            "" if stage.total is None else str(stage.total),
            str(stage.failed) if stage.failed else "",
            str(stage.in_flight) if stage.in_flight else "",
            "" if rate is None else f"{60 * rate:.1f}",
            _time_left(stage, pace),
            *(_asked_cells(stage, pace) if asks else ()),
            *(_money_cells(stage) if is_priced else ()),
            style="red" if stage.failed else "",
        )
    return table


def _asked_cells(stage: StageProgress, pace: Pace) -> tuple[str, ...]:
    asked = stage.asked
    tokens = pace.tokens_per_second(stage.stage)
    counts = (asked.answered, asked.stored, asked.in_flight, asked.retried, asked.failed)
    return (
        *(str(count) if count else "" for count in counts),
        f"{tokens:.0f}" if tokens else "",
    )


def _money_cells(stage: StageProgress) -> tuple[str, ...]:
    to_come = stage.usd_to_come
    return (
        f"{stage.asked.usd:.4f}" if stage.asked.usd else "",
        f"{to_come:.4f}" if to_come else "",
    )


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
            said.append(f"{stage.asked.usd:.4f} USD")
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
