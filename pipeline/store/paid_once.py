"""Asks for a key once: from the store, from a call that is under way, or by paying for it."""

import asyncio
from collections.abc import Awaitable, Callable

from ieat.pipeline.failures import NotInStore, RunStopped
from ieat.pipeline.ports import ResponseStore
from ieat.schemas.engine import Answer, StoredAnswer

CLOSING_GRACE = 5.0
"""Time that calls under way get to end when everything closes, seconds: they are paid anyway."""


class PaidOnce:
    """One engine's answers, each paid once; for one event loop.

    A call runs in a task of its own, which nobody's cancellation ends: what is paid gets stored.

    Args:
        store: Where answers are kept.
        engine_id: Engine with model and revision.
        replay: Whether only stored answers are given.
        in_flight: Most calls whose answers are not durable yet: what a crash can cost.
    """

    def __init__(self, store: ResponseStore, engine_id: str, replay: bool, in_flight: int) -> None:
        self._store = store
        self._engine_id = engine_id
        self._replay = replay
        self._in_flight = asyncio.Semaphore(in_flight)
        self._under_way: dict[str, asyncio.Task[StoredAnswer]] = {}

    async def answer(
        self, key: str, label: str, dialogue_id: str, pay: Callable[[], Awaitable[Answer]]
    ) -> StoredAnswer:
        """Return the answer to a key; it is durable when this returns.

        Args:
            key: The key of the question.
            label: What is asked for; kept with the answer and named in messages.
            dialogue_id: The dialogue that uses the answer.
            pay: The call; awaited only when nobody has the answer.

        Raises:
            NotInStore: Replay, and there is none.
            RecordError: The engine refused the question.
            RunStopped: The engine or the store is unavailable.
        """
        task = self._under_way.get(key)
        is_owner = task is None
        if task is None:
            task = asyncio.get_running_loop().create_task(
                self._find_or_pay(key, label, dialogue_id, pay)
            )
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
            await self._store.get(key, dialogue_id)
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
        self, key: str, label: str, dialogue_id: str, pay: Callable[[], Awaitable[Answer]]
    ) -> StoredAnswer:
        found = await self._store.get(key, dialogue_id)
        if found is not None:
            return found
        if self._replay:
            raise NotInStore(
                message=f"no stored answer of {self._engine_id} to {label} for {dialogue_id} "
                f"(key {key[:12]}); run once without replay"
            )
        async with self._in_flight:
            answer = await pay()
            stored = StoredAnswer(key=key, engine_id=self._engine_id, label=label, answer=answer)
            await self._store.put(stored, dialogue_id)
        # Another process may have been first; all go on with the one answer that stays.
        return await self._store.get(key, dialogue_id) or stored

    def _forget(self, key: str, task: asyncio.Task[StoredAnswer]) -> None:
        self._under_way.pop(key, None)
        if not task.cancelled():
            # Looked at even if nobody waits any more, else asyncio complains.
            task.exception()
