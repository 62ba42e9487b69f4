"""A bounded memory of answers in front of a response store."""

from collections import OrderedDict

from ieat.pipeline.ports import ResponseStore
from ieat.schemas.engine import StoredAnswer

MAX_BYTES = 32 * 2**20
"""Most that is remembered, bytes, about."""
OVERHEAD = 3000
"""What an answer takes in memory besides its text, bytes; measured."""


class CachedStore:
    """Gives answers from memory that were read or kept a while ago; for one event loop.

    Args:
        inner: The store; closed with this one.
        max_bytes: Most that is remembered; the longest unused go first.
    """

    def __init__(self, inner: ResponseStore, max_bytes: int = MAX_BYTES) -> None:
        self._inner = inner
        self._max_bytes = max_bytes
        self._known: OrderedDict[str, StoredAnswer] = OrderedDict()
        self._num_bytes = 0

    async def get(self, key: str, dialogue_id: str) -> StoredAnswer | None:
        """Return the answer, or null; remembers that the dialogue uses it."""
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            self._inner.note(key, dialogue_id)
            return known
        found = await self._inner.get(key, dialogue_id)
        if found is not None:
            self._remember(found)
        return found

    def note(self, key: str, dialogue_id: str) -> None:
        """Remember that a dialogue uses an answer that is there."""
        self._inner.note(key, dialogue_id)

    async def put(
        self, stored: StoredAnswer, dialogue_id: str, *, replaces: bool = False
    ) -> StoredAnswer:
        """Keep an answer and return the one that stays, durably."""
        stays = await self._inner.put(stored, dialogue_id, replaces=replaces)
        self._remember(stays)
        return stays

    def contains(self, keys: list[str]) -> set[str]:
        """Return those of the keys that are there."""
        known = {key for key in keys if key in self._known}
        unknown = [key for key in keys if key not in known]
        return known | (self._inner.contains(unknown) if unknown else set())

    def close(self) -> None:
        """Close the store."""
        self._known.clear()
        self._num_bytes = 0
        self._inner.close()

    def _remember(self, stored: StoredAnswer) -> None:
        before = self._known.pop(stored.key, None)
        if before is not None:
            self._num_bytes -= _size(before)
        self._known[stored.key] = stored
        self._num_bytes += _size(stored)
        while self._num_bytes > self._max_bytes:
            _, oldest = self._known.popitem(last=False)
            self._num_bytes -= _size(oldest)


def _size(stored: StoredAnswer) -> int:
    return OVERHEAD + len(stored.answer.text) + len(stored.answer.reasoning or "")
