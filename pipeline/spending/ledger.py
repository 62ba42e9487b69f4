"""Counts what every stage asks, answers and costs, and keeps all of it within one budget."""

import asyncio
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import NamedTuple

from ieat.pipeline.config import Prices
from ieat.pipeline.failures import RunStopped
from ieat.pipeline.spending.prices import (
    count_tokens,
    known_usage,
    price_bound,
    price_usage,
)
from ieat.schemas.engine import StoredAnswer, Usage


@dataclass
class Spent:
    """What one stage asked of one engine so far."""

    answered: int = 0
    """Questions that the engine answered in this run."""
    stored: int = 0
    """Questions whose answers were in the store."""
    in_flight: int = 0
    """Questions that are being asked."""
    retried: int = 0
    """Attempts that failed and were made again."""
    failed: int = 0
    """Questions that ended without an answer."""
    prompt_tokens: int = 0
    """Tokens of answered questions; the bound where the server does not say."""
    completion_tokens: int = 0
    """Tokens of answers, thinking included; the bound where the server does not say."""
    cached_tokens: int = 0
    """Tokens of questions that the server's prefix cache held."""
    reasoning_tokens: int = 0
    """Tokens of reasoning models' thinking."""
    audio_tokens: int = 0
    """Tokens of questions that are sound."""
    audio_seconds: float = 0.0
    """Sound that was billed by its length, seconds."""
    unknown_usage: int = 0
    """Answers whose usage the server did not say; they are counted by their bound."""
    usd: float = 0.0
    """Cost of the answers of this run, US dollars."""
    usd_stored: float = 0.0
    """Cost of the stored answers when earlier runs paid them, each once, US dollars."""
    lost: int = 0
    """Attempts that may have been billed although no answer arrived."""
    usd_lost: float = 0.0
    """Most that those can have cost, US dollars."""
    # Whoever compares counts does not mean the clock.
    answer_seconds: float = field(default=0.0, compare=False)
    """Time from the last attempt at a question to its answer, summed over answers, seconds."""

    @property
    def tokens(self) -> int:
        """Tokens of questions and answers of this run."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def latency(self) -> float | None:
        """Mean time that the engine takes for an answer, seconds; null before the first one."""
        return self.answer_seconds / self.answered if self.answered else None


def sum_spent(some: Iterable[Spent]) -> Spent:
    """Add counts up."""
    total = Spent()
    for spent in some:
        for count in fields(Spent):
            setattr(total, count.name, getattr(total, count.name) + getattr(spent, count.name))
    return total


class Cost(NamedTuple):
    """An amount of both kinds that a budget limits."""

    usd: float
    tokens: int


NOTHING = Cost(0.0, 0)


class Budget:
    """A limit that holds however many calls are in flight; for one event loop.

    A call reserves its upper bound, so what is spent and reserved never exceeds the limit. A call
    that does not fit waits for others to settle, and ends the run when nothing is reserved.

    Args:
        max_usd: Most US dollars; null for no limit.
        max_tokens: Most tokens of questions and answers; null for no limit.
    """

    def __init__(self, max_usd: float | None = None, max_tokens: int | None = None) -> None:
        self.max_usd = max_usd
        self.max_tokens = max_tokens
        self.spent = NOTHING
        self._reserved = NOTHING
        self._num_reserved = 0
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return self.max_usd is not None or self.max_tokens is not None

    async def reserve(self, cost: Cost) -> None:
        """Reserve an upper bound, waiting for others to settle where that may make room.

        Raises:
            RunStopped: The budget does not reach for it.
        """
        while not self._fits(cost):
            if self._num_reserved == 0:
                raise RunStopped("budget_reached", self._describe(cost))
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting
        self._num_reserved += 1
        self._reserved = _sum(self._reserved, cost)

    def settle(self, reserved: Cost, spent: Cost) -> None:
        """Give a reservation back and take what was spent."""
        self._num_reserved -= 1
        self._reserved = (
            NOTHING
            if self._num_reserved == 0
            else Cost(self._reserved.usd - reserved.usd, self._reserved.tokens - reserved.tokens)
        )
        self.spent = _sum(self.spent, spent)
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _fits(self, cost: Cost) -> bool:
        total = _sum(_sum(self.spent, self._reserved), cost)
        return (self.max_usd is None or total.usd <= self.max_usd) and (
            self.max_tokens is None or total.tokens <= self.max_tokens
        )

    def _describe(self, cost: Cost) -> str:
        usd = self.max_usd is not None and self.spent.usd + cost.usd > self.max_usd
        if usd:
            return (
                f"the budget max_usd {self.max_usd:g} is reached: {self.spent.usd:.4f} USD are "
                f"spent, and one more call may cost {cost.usd:.4f}"
            )
        return (
            f"the budget max_tokens {self.max_tokens} is reached: {self.spent.tokens} are used, "
            f"and one more call may use {cost.tokens}"
        )


def _sum(one: Cost, other: Cost) -> Cost:
    return Cost(one.usd + other.usd, one.tokens + other.tokens)


MAX_COUNTED = 1 << 18
"""Most keys that are remembered: a question comes up again soon, and memory stays bounded."""


class Counted:
    """The keys whose money is counted, the newest of them."""

    def __init__(self) -> None:
        self._keys: dict[int, None] = {}

    def add(self, key: str) -> bool:
        """Remember a key; returns whether it was not there."""
        known = hash(key)
        is_new = known not in self._keys
        self._keys.pop(known, None)
        self._keys[known] = None
        if len(self._keys) > MAX_COUNTED:
            del self._keys[next(iter(self._keys))]
        return is_new


@dataclass
class Ledger:
    """Everything that is asked in this process, by stage and engine; reads from any thread.

    Args:
        budget: What all of it may cost.
    """

    budget: Budget = field(default_factory=Budget)
    counted: Counted = field(default_factory=Counted, repr=False)
    """Whose money is counted."""
    _spent: dict[tuple[str, str], Spent] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def meter(
        self, stage: str, engine_id: str, prices: Prices | None = None, *, is_free: bool = False
    ) -> "Meter":
        """Return what counts the questions of one stage to one engine.

        Args:
            stage: Name of the stage.
            engine_id: Engine with model and revision.
            prices: Its prices; null when unknown, which counts as no dollars.
            is_free: Whether it runs in this process: its tokens are nobody's.
        """
        with self._lock:
            spent = self._spent.setdefault((stage, engine_id), Spent())
        return Meter(self.budget, spent, prices, self.counted, is_free=is_free)

    def snapshot(self) -> dict[tuple[str, str], Spent]:
        """Return a copy of the counts by stage and engine, in the order in which they came up."""
        with self._lock:
            return {key: replace(spent) for key, spent in self._spent.items()}


class Meter:
    """Counts the questions of one stage to one engine; for one event loop."""

    def __init__(
        self,
        budget: Budget,
        spent: Spent,
        prices: Prices | None,
        counted: Counted,
        *,
        is_free: bool = False,
    ) -> None:
        self._budget = budget
        self._spent = spent
        self._prices = prices
        self._counted = counted
        self._is_free = is_free

    def found(self, stored: StoredAnswer) -> None:
        """Count an answer that did not have to be paid; its money once, whoever finds it again."""
        self._spent.stored += 1
        if self._counted.add(stored.key):
            self._spent.usd_stored += stored.usd or 0.0

    def missed(self, label: str, bound: Usage, question_bytes: int | None) -> None:
        """Hear of a question that is neither stored nor asked; only a plan keeps it."""

    def begin(self, bound: Usage, key: str | None = None) -> "MeteredCall":
        """Return a call that may use so much at each attempt; end it by `settle` or `give_up`.

        Args:
            bound: The most that an attempt can use.
            key: The key of the question: where its answer is found again in this run, its money
                is not counted as paid before. Null where nobody finds it again.
        """
        if key is not None:
            self._counted.add(key)
        bound = Usage() if self._is_free else bound
        usd = price_bound(bound, self._prices) if self._prices else 0.0
        self._spent.in_flight += 1
        return MeteredCall(
            self._budget, self._spent, self._prices, bound, Cost(usd, count_tokens(bound))
        )


class MeteredCall:
    """One call: reserves before each attempt and settles what the answer used."""

    def __init__(
        self, budget: Budget, spent: Spent, prices: Prices | None, bound: Usage, most: Cost
    ) -> None:
        self.tokens = most.tokens
        self._budget = budget
        self._spent = spent
        self._prices = prices
        self._bound = bound
        self._most = most
        self._is_reserved = False
        self._num_attempts = 0
        self._asked_at: float | None = None

    async def attempt(self) -> None:
        """Reserve the cost of an attempt.

        Raises:
            RunStopped: The budget does not reach for it.
        """
        if not self._is_reserved:
            await self._budget.reserve(self._most)
            self._is_reserved = True
        self._asked_at = time.monotonic()
        self._num_attempts += 1
        self._spent.retried += self._num_attempts > 1

    def failed(self, *, may_be_paid: bool) -> None:
        """Account for an attempt without an answer: by its bound where it may be billed."""
        if may_be_paid:
            self._spent.lost += 1
            self._spent.usd_lost += self._most.usd
            self._return(self._most)

    def settle(self, usage: Usage) -> float | None:
        """End the call with an answer; returns its cost in US dollars, null without prices."""
        known = known_usage(usage, self._bound)
        usd = None if self._prices is None else price_usage(known, self._prices)
        spent = self._spent
        spent.in_flight -= 1
        spent.answered += 1
        spent.prompt_tokens += known.prompt_tokens or 0
        spent.completion_tokens += known.completion_tokens or 0
        spent.cached_tokens += known.cached_tokens or 0
        spent.reasoning_tokens += known.reasoning_tokens or 0
        spent.audio_tokens += known.audio_tokens or 0
        spent.audio_seconds += known.audio_seconds or 0.0
        spent.unknown_usage += self._most.tokens > 0 and (
            usage.prompt_tokens is None or usage.completion_tokens is None
        )
        spent.usd += usd or 0.0
        if self._asked_at is not None:
            spent.answer_seconds += time.monotonic() - self._asked_at
        self._return(Cost(usd or 0.0, count_tokens(known)))
        return usd

    def give_up(self) -> None:
        """End the call without an answer."""
        self._spent.in_flight -= 1
        self._spent.failed += 1
        self._return(NOTHING)

    def _return(self, spent: Cost) -> None:
        if self._is_reserved:
            self._is_reserved = False
            self._budget.settle(self._most, spent)
