"""Engines that count their calls, for tests of what stands before them."""

import asyncio
import json
from collections.abc import Callable

from ieat.pipeline.failures import UnusableAnswer
from ieat.pipeline.ports import Call, Samples
from ieat.schemas.dialogue import Language
from ieat.schemas.engine import Answer, Question
from ieat.schemas.transcript import Recognition


class FreeCall:
    """A call that costs nothing and remembers what it is told."""

    tokens = 100

    def __init__(self) -> None:
        self.num_attempts = 0
        self.failures: list[bool] = []
        """For each attempt that failed, whether it may be paid."""

    async def attempt(self) -> None:
        self.num_attempts += 1

    def failed(self, *, may_be_paid: bool) -> None:
        self.failures.append(may_be_paid)


class CountingModel:
    """A language model that answers with the number of its call, or raises what it is given."""

    def __init__(self, *errors: BaseException, engine_id: str = "counting:model") -> None:
        self.engine_id = engine_id
        self.questions: list[Question] = []
        self.is_closed = False
        self.gate: asyncio.Event | None = None
        """Where set, answers wait for it."""
        self._errors = list(errors)

    async def complete(
        self, question: Question, call: Call, samples: Samples | None = None
    ) -> Answer:
        await call.attempt()
        self.questions.append(question)
        number = len(self.questions)
        if self.gate is not None:
            await self.gate.wait()
        if self._errors:
            raise self._errors.pop(0)
        return Answer(text=f"answer {number}")

    async def close(self) -> None:
        self.is_closed = True


class CountingTranscriber:
    """A speech engine for English that hears how many samples it is given."""

    languages = frozenset({Language.EN})

    def __init__(self, write: Callable[[int], str] = lambda n: json.dumps({"heard": n})) -> None:
        self.engine_id = "counting:transcriber"
        self.calls = 0
        self.is_closed = False
        self._write = write

    async def transcribe(self, samples: Samples, language: Language, call: Call) -> Answer:
        await call.attempt()
        self.calls += 1
        return Answer(text=self._write(len(samples)))

    def parse(self, answer: Answer) -> Recognition:
        try:
            return Recognition(text=f"{json.loads(answer.text)['heard']} samples")
        except (ValueError, KeyError):
            raise UnusableAnswer("broken_answer", "not heard") from None

    async def close(self) -> None:
        self.is_closed = True
