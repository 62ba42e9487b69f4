"""Look after a response store: what it holds, whether it is whole, what nobody needs any more."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ieat.pipeline.ports import StoreUpkeep
from ieat.pipeline.store.seal import BrokenAnswer, check_seal, unseal
from ieat.schemas.engine import StoredAnswer


@dataclass
class AnswerTotals:
    """What the answers of one engine to one kind of question come to."""

    answers: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    audio_tokens: int = 0
    audio_seconds: float = 0.0
    usd: float = 0.0
    """Cost by the prices of then, US dollars."""
    unpriced: int = 0
    """Answers that were paid without a price in the configuration."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """Answers by how they ended."""

    def add(self, stored: StoredAnswer) -> None:
        """Count an answer."""
        usage = stored.answer.usage
        self.answers += 1
        self.prompt_tokens += usage.prompt_tokens or 0
        self.completion_tokens += usage.completion_tokens or 0
        self.cached_tokens += usage.cached_tokens or 0
        self.reasoning_tokens += usage.reasoning_tokens or 0
        self.audio_tokens += usage.audio_tokens or 0
        self.audio_seconds += usage.audio_seconds or 0.0
        self.usd += stored.usd or 0.0
        self.unpriced += stored.usd is None
        self.outcomes[stored.answer.outcome] += 1


@dataclass
class StoreStats:
    """What a store holds."""

    by_question: dict[tuple[str, str], AnswerTotals] = field(default_factory=dict)
    """Totals by engine and by what was asked, sorted."""
    num_dialogues: int = 0
    """Dialogues that use an answer."""
    num_broken: int = 0
    """Answers that cannot be read."""


def measure_store(store: StoreUpkeep) -> StoreStats:
    """Count answers, tokens and money by engine and by what was asked."""
    stats = StoreStats(num_dialogues=len({dialogue_id for dialogue_id, _ in store.uses()}))
    totals: dict[tuple[str, str], AnswerTotals] = {}
    for sealed in store.answers():
        try:
            stored = unseal(sealed)
        except BrokenAnswer:
            stats.num_broken += 1
            continue
        totals.setdefault((stored.engine_id, stored.label), AnswerTotals()).add(stored)
    stats.by_question = dict(sorted(totals.items()))
    return stats


class BrokenKey(NamedTuple):
    """An answer that is not as it was stored."""

    key: str
    problem: str


def find_broken(store: StoreUpkeep) -> Iterator[BrokenKey]:
    """Yield the answers that cannot be read, or differ from what was stored."""
    for sealed in store.answers():
        try:
            check_seal(sealed)
        except BrokenAnswer as problem:  # noqa: PERF203 - every answer is tried
            yield BrokenKey(sealed.key, str(problem))


def find_unused(store: StoreUpkeep, used: Iterable[str]) -> Iterator[StoredAnswer]:
    """Yield the readable answers that are not among the used keys."""
    wanted = set(used)
    for sealed in store.answers():
        if sealed.key in wanted:
            continue
        try:
            yield unseal(sealed)
        except BrokenAnswer:
            continue
