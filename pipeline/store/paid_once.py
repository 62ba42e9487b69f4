"""Asks for a key once: from the store, from a call that is under way, or by paying for it."""

import asyncio
from collections.abc import Awaitable, Callable, Set
from typing import NamedTuple

from ieat.pipeline.failures import NotInStore, RunStopped
from ieat.pipeline.ports import Call, ResponseStore
from ieat.pipeline.spending.ledger import Meter
from ieat.schemas.engine import Answer, StoredAnswer, Usage

CLOSING_GRACE = 5.0
"""Time that calls under way get to end when everything closes, seconds: they are paid anyway."""


class Wanted(NamedTuple):
    """An answer that somebody needs."""

    key: str
    """The key of the question."""
    label: str
    """What is asked for; kept with the answer and named in messages."""
    dialogue_id: str
    """The dialogue that uses the answer."""
    bound: Usage
    """The most that one attempt can use."""
    question_bytes: int | None = None
    """UTF-8 bytes of the question; null for a question without words."""


class PaidOnce:
    """One engine's answers, each paid once; for one event loop.

    A call runs in a task of its own, which nobody's cancellation ends: what is paid gets stored.

    Args:
        store: Where answers are kept.
        engine_id: Engine with model and revision.
        replay: Whether only stored answers are given.
        in_flight: Most calls whose answers are not durable yet: what a crash can cost.
        again: Keys that are asked again, once, although they may have an answer.
    """

    def __init__(
        self,
        store: ResponseStore,
        engine_id: str,
        *,
        replay: bool,
        in_flight: int,
        again: Set[str] = frozenset(),
    ) -> None:
        self._store = store
        self._engine_id = engine_id
        self._replay = replay
        self._in_flight = asyncio.Semaphore(in_flight)
        self._again = set(again)
        self._under_way: dict[str, asyncio.Task[StoredAnswer]] = {}

    async def answer(
        self, wanted: Wanted, meter: Meter, pay: Callable[[Call], Awaitable[Answer]]
    ) -> StoredAnswer:
        """Return the answer to a key; it is durable when this returns.

        Args:
            wanted: The key, and who wants it for what.
            meter: Counts the question for its stage.
            pay: The call; awaited only when nobody has the answer.

        Raises:
            NotInStore: Replay, and there is none.
            RecordError: The engine refused the question.
            RunStopped: The engine or the store is unavailable, or the budget is used up.
        """
        key = wanted.key
        task = self._under_way.get(key)
        is_owner = task is None
        if task is None:
            task = asyncio.get_running_loop().create_task(self._find_or_pay(wanted, meter, pay))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        try:
            stored = await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                # The call ended, not the one who waits: a cancellation would end that one too.
                raise RunStopped(
                    "call_ended", f"{self._engine_id} was closed while it was asked; run again"
                ) from None
            raise
        if not is_owner:
            self._store.note(key, wanted.dialogue_id)
            meter.found(stored)
        return stored

    async def close(self) -> None:
        """Wait a little for the calls under way, then end them."""
        tasks = list(self._under_way.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSING_GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _find_or_pay(
        self, wanted: Wanted, meter: Meter, pay: Callable[[Call], Awaitable[Answer]]
    ) -> StoredAnswer:
        key = wanted.key
        is_again = key in self._again
        if not is_again:
            found = await self._store.get(key, wanted.dialogue_id)
            if found is not None:
                meter.found(found)
                return found
        if self._replay:
            meter.missed(wanted.label, wanted.bound, wanted.question_bytes)
            raise NotInStore(
                message=f"no stored answer of {self._engine_id} to {wanted.label} for "
                f"{wanted.dialogue_id} (key {key[:12]}); run once without replay"
            )
        async with self._in_flight:
            call = meter.begin(wanted.bound)
            try:
                answer = await pay(call)
            except BaseException:
                call.give_up()
                raise
            usd = call.settle(answer.usage)
            stored = StoredAnswer(
                key=key,
                engine_id=self._engine_id,
                label=wanted.label,
                answer=answer,
                usd=usd,
                question_bytes=wanted.question_bytes,
            )
            # Another process may have been first; all go on with the one answer that stays.
            stays = await self._store.put(stored, wanted.dialogue_id, replaces=is_again)
        self._again.discard(key)
        return stays

    def _forget(self, key: str, task: asyncio.Task[StoredAnswer]) -> None:
        self._under_way.pop(key, None)
        if not task.cancelled():
            # Looked at even if nobody waits any more, else asyncio complains.
            task.exception()
