"""Tokens of questions that are not asked yet, reckoned from answers that are stored.

A text has about as many tokens per UTF-8 byte in English as in Chinese, and a server's own counts
of earlier questions say how many with its tokenizer; no tokenizer is loaded.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from ieat.pipeline.config import Prices
from ieat.pipeline.spending.ledger import Ledger, Meter, Spent
from ieat.pipeline.spending.prices import known_usage, price_usage
from ieat.schemas.engine import StoredAnswer, Usage

TOKENS_PER_BYTE = 0.25
"""Where nothing is stored: four bytes a token, common for both languages."""
MAX_SAMPLED = 2000
"""Most stored answers of other builds that are learned from, for each kind of question."""
MAX_LOOKED_AT = 20_000
"""Most stored answers that are looked at for it."""
ENOUGH = 5
"""Answers of a kind that say enough: those of other builds, perhaps longer ones, are left out."""


@dataclass
class _Seen:
    """Sums over stored answers of one engine to one kind of question."""

    num_learned: int = 0
    num_answers: int = 0
    completion_tokens: int = 0
    num_wordless: int = 0
    num_lengths: int = 0
    seconds: float = 0.0
    question_bytes: int = 0
    prompt_tokens: int = 0
    wordless_tokens: int = 0
    num_worded: int = 0
    audio_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def tokens_per_byte(self) -> float | None:
        """Tokens of a question per byte of it; null when no server said."""
        return self.prompt_tokens / self.question_bytes if self.question_bytes else None


@dataclass
class Calibration:
    """What stored answers say of how long questions and answers are."""

    _seen: dict[tuple[str, str], _Seen] = field(default_factory=dict)

    def learn(self, stored: StoredAnswer) -> None:
        """Take one answer into account."""
        usage = stored.answer.usage
        seen = self._seen.setdefault((stored.engine_id, stored.label), _Seen())
        seen.num_learned += 1
        if usage.completion_tokens is not None:
            seen.num_answers += 1
            seen.completion_tokens += usage.completion_tokens
            seen.reasoning_tokens += usage.reasoning_tokens or 0
        if usage.prompt_tokens is not None:
            seen.audio_tokens += usage.audio_tokens or 0
            seen.num_worded += bool(stored.question_bytes)
            if stored.question_bytes is None:
                seen.num_wordless += 1
                seen.wordless_tokens += usage.prompt_tokens
        if stored.question_bytes and usage.prompt_tokens is not None:
            seen.question_bytes += stored.question_bytes
            seen.prompt_tokens += usage.prompt_tokens - (usage.audio_tokens or 0)
            seen.cached_tokens += usage.cached_tokens or 0

    def learn_length(self, engine_id: str, label: str, seconds: float) -> None:
        """Take into account how long the sound of a learned answer is, seconds."""
        seen = self._seen[engine_id, label]
        seen.num_lengths += 1
        seen.seconds += seconds

    def learn_from_others(self, some: Iterable[StoredAnswer]) -> None:
        """Learn from answers of other builds about kinds of which too few are known."""
        known = {
            kind
            for kind, seen in self._seen.items()
            # Answers without words say more together with the length of their sound.
            if seen.num_learned >= ENOUGH or seen.seconds
        }
        for stored in islice(some, MAX_LOOKED_AT):
            kind = (stored.engine_id, stored.label)
            if kind not in known:
                self.learn(stored)
                if self._seen[kind].num_learned >= MAX_SAMPLED:
                    known.add(kind)

    def knows(self, engine_id: str) -> bool:
        """Tell whether any answer of an engine is stored."""
        return any(engine == engine_id for engine, _ in self._seen)

    def knows_answers(self, engine_id: str, label: str) -> bool:
        """Tell whether any answer of this kind is stored; one without usage counts by its bound."""
        return (engine_id, label) in self._seen

    def tokens_per_byte(self, engine_id: str, label: str) -> float | None:
        """Return tokens per byte for this kind of question, else for any of this engine."""
        seen = self._seen.get((engine_id, label))
        if seen is not None and seen.tokens_per_byte is not None:
            return seen.tokens_per_byte
        others = [found for (engine, _), found in self._seen.items() if engine == engine_id]
        num_bytes = sum(found.question_bytes for found in others)
        return sum(found.prompt_tokens for found in others) / num_bytes if num_bytes else None

    def expect(self, engine_id: str, label: str, question_bytes: int | None, bound: Usage) -> Usage:
        """Return what a question is expected to use; its bound where nothing is known."""
        seen = self._seen.get((engine_id, label), _Seen())
        update: dict[str, int | None] = {}
        # How long the sound is, against the mean of those that are stored.
        length = 1.0
        if seen.seconds and bound.audio_seconds:
            length = bound.audio_seconds * seen.num_lengths / seen.seconds
        if question_bytes is not None:
            audio = bound.audio_tokens or 0
            if audio and seen.num_worded:
                # A server that does not count sound apart has it among the tokens of the words.
                audio = round(seen.audio_tokens / seen.num_worded)
            ratio = self.tokens_per_byte(engine_id, label)
            prompt = question_bytes * (TOKENS_PER_BYTE if ratio is None else ratio)
            update |= {"prompt_tokens": round(prompt) + audio, "audio_tokens": audio}
            if seen.prompt_tokens:
                update["cached_tokens"] = round(prompt * seen.cached_tokens / seen.prompt_tokens)
        elif seen.num_wordless:
            update |= {
                "prompt_tokens": round(length * seen.wordless_tokens / seen.num_wordless),
                "audio_tokens": round(length * seen.audio_tokens / seen.num_wordless),
            }
        if seen.num_answers:
            update["completion_tokens"] = round(length * seen.completion_tokens / seen.num_answers)
            update["reasoning_tokens"] = round(seen.reasoning_tokens / seen.num_answers)
        return bound.model_copy(update=update)


@dataclass
class Missing:
    """A question that is known and not answered yet."""

    stage: str
    engine_id: str
    label: str
    question_bytes: int | None
    bound: Usage
    prices: Prices | None


class PlanningLedger(Ledger):
    """Notes the questions that nobody answered, instead of paying for them."""

    def __init__(self) -> None:
        super().__init__()
        self.missing: list[Missing] = []
        self.calibration = Calibration()

    def meter(
        self, stage: str, engine_id: str, prices: Prices | None = None, *, is_free: bool = False
    ) -> Meter:
        """Return what notes the questions of one stage to one engine."""
        return _PlanningMeter(self, stage, engine_id, prices, is_free=is_free)


class _PlanningMeter(Meter):
    def __init__(
        self,
        ledger: PlanningLedger,
        stage: str,
        engine_id: str,
        prices: Prices | None,
        *,
        is_free: bool,
    ) -> None:
        super().__init__(ledger.budget, Spent(), prices, ledger.counted, is_free=is_free)
        self._ledger = ledger
        self._stage = stage
        self._engine_id = engine_id

    def found(self, stored: StoredAnswer) -> None:
        """Learn from an answer that is stored."""
        super().found(stored)
        self._ledger.calibration.learn(stored)

    def missed(self, label: str, bound: Usage, question_bytes: int | None) -> None:
        """Note a question without an answer."""
        if not self._is_free:
            self._ledger.missing.append(
                Missing(self._stage, self._engine_id, label, question_bytes, bound, self._prices)
            )


def price_expected(expected: Usage, bound: Usage, prices: Prices | None) -> float | None:
    """Return what an expected usage costs, US dollars; null without prices."""
    return None if prices is None else price_usage(known_usage(expected, bound), prices)
