"""One limit for all who ask a service from this machine: requests and tokens a second.

The state lies in a small file that the processes of the machine share. It holds, for each kind of
limit, the time at which the next call may begin (the generic cell rate algorithm, ITU-T I.371),
the rate that was learned from the server, and a pause that the server asked for.
"""

import asyncio
import math
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ieat.pipeline.engines.rate_headers import KINDS, Kind, read_allowance, read_retry_after

FILE_NAME = "limits.sqlite"

BURST = 0.1
"""Time that calls may begin early, seconds: makes up for late wakings, too short to annoy."""
LOOK_EVERY = 0.25
"""Time between two looks at what other processes learned, seconds."""
MAX_AHEAD = 64
"""Most calls that may have booked a start, one a process: whatever lies later is stale."""
SAFETY = 0.97
"""Share of a rate that a server tells which is used."""
CUT = 0.9
"""What is left of the rate after a refusal that nothing foretold."""
GROWTH = 0.01
"""Growth of such a rate in a second without refusal."""
SEARCH = 0.5
"""The same after the first refusal: the first guess rests on very few answers."""
MIN_ANSWERS = 10
"""Answers under which a rate cannot be told from them."""
MIN_OBSERVED = 0.25
"""Shortest time that answers are reckoned to have taken, seconds."""
OBSERVED = 2.0
"""Time over which answers are counted to learn a rate from, seconds."""
LEARNED_FOR = 120.0
"""Time for which a learned rate holds after the last sign of a limit, seconds."""


class _Shared(NamedTuple):
    """What the file holds of one kind; times are seconds since the epoch."""

    next_start: float = 0.0
    rate: float | None = None
    """Learned rate, per second."""
    learned_at: float = 0.0
    growth: float = 0.0
    """By how much the learned rate grows in a second; a rate that was told does not."""
    pause_until: float = 0.0


@dataclass
class Limiter:
    """Lets calls begin no faster than a service allows; for one event loop.

    Args:
        folder: Folder of the shared file; null shares with nobody.
        name: What is limited: model and address.
        requests_per_second: Most requests; null for no limit of ours.
        tokens_per_second: Most tokens; null for no limit of ours.
        max_pause: Longest pause that is kept to, seconds.
        clock: Seconds since the epoch.
        sleep: Waits for seconds.
    """

    folder: Path | None
    name: str
    requests_per_second: float | None = None
    tokens_per_second: float | None = None
    max_pause: float = 60.0
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _known: dict[Kind, _Shared] = field(default_factory=dict, init=False)
    _looked_at: float = field(default=-math.inf, init=False)
    _answered: deque[float] = field(default_factory=deque, init=False)
    _share: float = field(default=0.5, init=False)
    """Tokens that a call uses, as a share of its upper bound: a running mean."""
    _cut_at: float = field(default=-math.inf, init=False)

    def __post_init__(self) -> None:
        self._file = _open(self.folder)

    async def admit(self, tokens: int) -> float:
        """Wait until a call may begin; returns the tokens that were reckoned for it.

        Args:
            tokens: Most tokens that the call can use.
        """
        expected = tokens * self._share
        if self._is_free():
            return expected
        # One waits for its start at a time, in the order in which they came.
        async with self._turn:
            while True:
                start = self._book({"requests": 1.0, "tokens": expected})
                late = start - self.clock()
                if late > 0:
                    await self.sleep(late)
                self._look()
                # A pause that was announced meanwhile holds for those who wait already.
                if self._paused_until() <= start:
                    return expected

    def settle(self, tokens: int, expected: float, used: int) -> None:
        """Correct what was reckoned for a call by what it used."""
        if tokens > 0:
            self._share += 0.05 * (min(1.0, used / tokens) - self._share)
        rate = self._rate("tokens")
        if rate is not None:
            self._write("tokens", lambda was: was._replace(
                next_start=was.next_start + (used - expected) / rate
            ))  # fmt: skip

    def answered(self, headers: Mapping[str, str]) -> None:
        """Learn from a response that was no refusal."""
        now = self.clock()
        self._answered.append(now)
        while self._answered[0] < now - OBSERVED:
            self._answered.popleft()
        if "x-ratelimit-limit-requests" in headers or "x-ratelimit-limit-tokens" in headers:
            self._learn_from(headers)

    def refused(self, headers: Mapping[str, str]) -> None:
        """Learn from a refusal: pause as long as the server asks, and go on more slowly."""
        now = self.clock()
        told = self._learn_from(headers)
        wait = read_retry_after(headers)
        pause = now + min(max(wait or 0.0, 0.0), self.max_pause)
        self._write("requests", lambda was: was._replace(
            pause_until=max(was.pause_until, pause) if math.isfinite(pause) else was.pause_until
        ))  # fmt: skip
        # One cut for all that were under way when the limit was met.
        if told or now - self._cut_at < OBSERVED:
            return
        self._cut_at = now
        recent = [at for at in self._answered if at >= now - OBSERVED]
        seen = len(recent) / max(now - recent[0], MIN_OBSERVED) if recent else 0.0
        before = self._rate("requests")
        if before is None:
            rate = max(seen, 1.0)
        else:
            rate = min(CUT * before, seen if len(recent) >= MIN_ANSWERS else before / 2)
        growth = SEARCH if before is None else GROWTH
        self._write("requests", lambda was: was._replace(
            rate=rate, learned_at=now, growth=growth
        ))  # fmt: skip

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _is_free(self) -> bool:
        if self.clock() - self._looked_at >= LOOK_EVERY:
            self._look()
        return (
            all(self._rate(kind) is None for kind in KINDS) and self._paused_until() <= self.clock()
        )

    def _paused_until(self) -> float:
        now = self.clock()
        until = self._known.get("requests", _Shared()).pause_until
        # What lies further ahead than any pause was written under another clock.
        return until if until <= now + self.max_pause + 1 else 0.0

    def _configured(self, kind: Kind) -> float | None:
        return self.requests_per_second if kind == "requests" else self.tokens_per_second

    def _rate(self, kind: Kind) -> float | None:
        """Return the rate that holds now, per second; null when nothing is limited."""
        known = self._known.get(kind, _Shared())
        learned = None
        since = self.clock() - known.learned_at
        if known.rate is not None and 0 <= since < LEARNED_FOR:
            learned = known.rate * (1 + known.growth) ** since
        rates = [rate for rate in (self._configured(kind), learned) if rate is not None]
        return min(rates, default=None)

    def _learn_from(self, headers: Mapping[str, str]) -> bool:
        """Take over the rates that headers tell; returns whether one was told."""
        told = False
        for kind in KINDS:
            allowance = read_allowance(headers, kind)
            rate = allowance.rate if allowance is not None and allowance.is_scarce else None
            if rate is None:
                continue
            told = True
            known = self._rate(kind)
            now = self.clock()
            wanted = SAFETY * rate
            # Answers come many times a second and say much the same; a write each would cost.
            if known is None or abs(known - wanted) > 0.05 * known:
                self._write(kind, lambda was, to=wanted, at=now: was._replace(  # type: ignore[misc]
                    rate=to, learned_at=at, growth=0.0
                ))  # fmt: skip
        return told

    def _book(self, costs: Mapping[Kind, float]) -> float:
        """Book the start of a call in all limits and return it."""
        now = self.clock()
        start = max(now, self._paused_until())
        limits = {kind: rate for kind in KINDS if (rate := self._rate(kind)) is not None}
        for kind, rate in limits.items():
            step = costs[kind] / rate
            ahead = MAX_AHEAD * max(step, BURST)

            def book(was: _Shared, step: float = step, ahead: float = ahead) -> _Shared:
                begins = was.next_start if was.next_start <= now + ahead else now
                return was._replace(next_start=max(begins, now - BURST) + step)

            start = max(start, self._write(kind, book).next_start - step)
        return start

    def _look(self) -> None:
        """Read what the processes of the machine share."""
        self._looked_at = self.clock()
        rows = self._file.execute(_LOOK, [self.name])
        self._known = {kind: _Shared(*values) for kind, *values in rows}

    def _write(self, kind: Kind, change: Callable[[_Shared], _Shared]) -> _Shared:
        """Change what is shared of one kind, in one transaction."""
        with self._file:
            self._file.execute("BEGIN IMMEDIATE")
            row = self._file.execute(_READ, [self.name, kind]).fetchone()
            changed = change(_Shared(*row) if row else _Shared())
            self._file.execute(_WRITE, [self.name, kind, *changed])
        self._known[kind] = changed
        return changed


_READ = """SELECT next_start, rate, learned_at, growth, pause_until FROM limits
WHERE name = ? AND kind = ?"""
_LOOK = """SELECT kind, next_start, rate, learned_at, growth, pause_until FROM limits
WHERE name = ?"""
_WRITE = "INSERT OR REPLACE INTO limits VALUES (?, ?, ?, ?, ?, ?, ?)"
_TABLE = """CREATE TABLE IF NOT EXISTS limits (
    name TEXT NOT NULL, kind TEXT NOT NULL,
    next_start REAL NOT NULL, rate REAL, learned_at REAL NOT NULL, growth REAL NOT NULL,
    pause_until REAL NOT NULL,
    PRIMARY KEY (name, kind)
) WITHOUT ROWID"""


def _open(folder: Path | None) -> sqlite3.Connection:
    """Open the shared file; one that cannot be shared limits this process alone."""
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return _prepared(str(folder / FILE_NAME))
        except (sqlite3.Error, OSError):
            # A folder that cannot be written holds a store for replay, or fails when it is used.
            pass
    return _prepared(":memory:")


def _prepared(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=10, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # What is lost with the power is a pause of some seconds.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(_TABLE)
    except sqlite3.Error:
        connection.close()
        raise
    return connection
