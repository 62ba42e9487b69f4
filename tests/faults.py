"""Everything that goes wrong with an endpoint, by script: for soaks and for tests of one fault.

A fault is chosen by the question, so that it meets the same questions in every run. One that
passes spoils the first attempt only; one that stays spoils every answer, and ends its question
with a code.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate

from tests.openai_server import (
    Reply,
    Request,
    as_json,
    chat,
    failure,
    late,
    raw,
    refusal,
    reset,
)
from tests.talk_script import asked, good_answer

HANG = 3.0
"""Time that a reply which hangs takes, seconds; give the client less."""


def _date(seconds: float) -> str:
    return formatdate(time.time() + seconds, usegmt=True)


REFUSED_FOR_NOW: dict[str, Callable[[], Reply]] = {
    "429 with seconds": lambda: failure(429, headers={"Retry-After": "0.05"}),
    "429 with a date": lambda: failure(429, headers={"Retry-After": _date(0.1)}),
    "429": lambda: failure(429),
    "500": lambda: failure(500),
    "502 as HTML": lambda: raw(b"<html>bad gateway</html>", status=502),
    "503": lambda: failure(503),
    "529": lambda: failure(529, "overloaded"),
}
"""Refusals that pass: nothing was answered, so nothing is billed."""

LOST: dict[str, Callable[[Reply], Reply]] = {
    "HTML with 200": lambda good: raw(b"<html>welcome</html>"),
    "reset": lambda good: reset(),
    "cut": lambda good: replace(good, body=good.body[: len(good.body) // 2], cut=100),
    "too short by its length": lambda good: replace(good, cut=7),
    "invalid UTF-8": lambda good: replace(good, body=good.body.replace(b"e", b"\xff\xfe")),
    "hang": lambda good: late(good, HANG),
    "no choices": lambda good: as_json({"choices": []}),
}
"""Answers that are lost on the way: the server may bill them."""


def _changed(change: Callable[[dict], object]) -> Callable[[dict], Reply]:
    def reply(answer: dict) -> Reply:
        change(answer)
        return chat(answer)

    return reply


ODD: dict[str, Callable[[dict], Reply]] = {
    "in fences": lambda answer: chat(f"```json\n{json.dumps(answer)}\n```"),
    "in prose": lambda answer: chat(f"Here you are: {json.dumps(answer)} Anything else?"),
    "numbers as text": _changed(
        lambda a: a["evidence"][0].update(turn=str(a["evidence"][0]["turn"]))
    ),
    "extra fields": _changed(lambda a: a.update(mood="blue")),
    "another model": lambda answer: chat(answer, model="someone-else"),
    "usage missing": lambda answer: chat(answer, usage={"why": "not"}),
    "slow bytes": lambda answer: replace(chat(answer), trickle=0.0005),
}
"""Answers that look odd and are usable."""

STAYING: dict[str, tuple[Callable[[dict], Reply], str]] = {
    "empty": (lambda answer: chat(""), "empty_answer"),
    "length": (lambda answer: chat(json.dumps(answer)[:20], finish_reason="length"), "truncated"),
    "content_filter": (lambda answer: chat("", finish_reason="content_filter"), "filtered"),
    "refusal": (lambda answer: refusal(), "refusal"),
    "two objects": (lambda answer: chat(json.dumps(answer) * 2), "broken_json"),
    "missing field": (lambda answer: chat({"emotion": "sad"}), "answer_form"),
    "10 MB": (_changed(lambda a: a.update(event="so " * 3_500_000)), "too_long"),
    "too long for the context": (
        lambda answer: failure(400, "maximum context length", code="context_length_exceeded"),
        "context_too_long",
    ),
    "filtered question": (
        lambda answer: failure(400, "content management policy"),
        "content_filtered",
    ),
}
"""What spoils every answer to a question, and the code that it ends with."""

NAMES = (*REFUSED_FOR_NOW, *LOST, *ODD, *STAYING)


class Faulty:
    """A script that mixes all faults into good answers; keeps the server's own books.

    Args:
        share: One question in so many meets a fault.
        rare: Faults that meet one question in fifty of theirs only, as they take long.
    """

    def __init__(
        self, share: int = 2, rare: tuple[str, ...] = ("hang", "10 MB", "slow bytes")
    ) -> None:
        self.answered: Counter[str] = Counter()
        """Answers that were sent whole, by question: what must be paid."""
        self.refused: Counter[str] = Counter()
        """Requests that were refused for now, by fault."""
        self.refused_for_good: Counter[str] = Counter()
        """Requests that were refused for what they ask, by question."""
        self.lost: Counter[str] = Counter()
        """Answers that were lost on the way, by fault."""
        self.faults: dict[str, str] = {}
        """Fault of each question that met one, by the line of its turn."""
        self._share = share
        self._rare = rare
        self._seen: set[str] = set()

    def fault_of(self, words: str) -> str | None:
        """Return the fault that meets questions about a turn with such words."""
        number = int.from_bytes(hashlib.sha256(words.encode()).digest()[:6], "big")
        if number % self._share:
            return None
        number //= self._share
        name = NAMES[number % len(NAMES)]
        return None if name in self._rare and number // len(NAMES) % 50 else name

    def __call__(self, request: Request) -> Reply:
        question = asked(request)
        answer = good_answer(question)
        name = self.fault_of(question.words)
        if name is not None:
            self.faults[question.words] = name
        is_first = request.words not in self._seen
        self._seen.add(request.words)
        if name in REFUSED_FOR_NOW and is_first:
            self.refused[name] += 1
            return REFUSED_FOR_NOW[name]()
        if name in LOST and is_first:
            self.lost[name] += 1
            return LOST[name](chat(answer))
        reply = chat(answer)
        if name in ODD:
            reply = ODD[name](answer)
        elif name in STAYING:
            reply = STAYING[name][0](answer)
        if reply.status == 200:
            self.answered[request.words] += 1
        else:
            self.refused_for_good[request.words] += 1
        return reply
