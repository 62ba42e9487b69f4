"""Ask a language model, judge the answer, and ask once more when it is not usable."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from ieat.pipeline.failures import RecordError, UnusableAnswer
from ieat.pipeline.ports import AnsweringModel, Samples
from ieat.prompts.library import Prompt, TemplateFile
from ieat.schemas.engine import Answer, Message, Question, Sampling
from ieat.schemas.history import History

Judged = TypeVar("Judged")

MAX_REPEATED = 8000
"""Most characters of an unusable answer that the second question repeats."""


class PartlyUsable(UnusableAnswer, Generic[Judged]):
    """A part of the answer can be used, though not all of it."""

    def __init__(self, problem: UnusableAnswer, value: Judged) -> None:
        super().__init__(problem.code, problem.message)
        self.value = value


@dataclass(frozen=True)
class Judgment(Generic[Judged]):
    """What came of a question and its re-ask."""

    value: Judged
    """What the judge made of the answer."""
    response_keys: tuple[str, ...]
    """Keys of the stored answers, a re-ask last."""
    problem: UnusableAnswer | None = None
    """What stayed wrong with the part that cannot be used."""
    messages: tuple[Message, ...] = ()
    """The messages that were answered, those of a re-ask included."""


async def ask_twice(
    model: AnsweringModel,
    question: Question,
    dialogue_id: str,
    reask: TemplateFile,
    judge: Callable[[Answer], Judged],
    decode: Callable[[], Samples] | None = None,
) -> Judgment[Judged]:
    """Return the judged answer; an unusable one is answered with our words for its code, once.

    A judge that raises `PartlyUsable` twice gives its part back with the problem.

    Args:
        model: Who is asked.
        question: What is asked.
        dialogue_id: The dialogue that needs the answer.
        reask: What the second question says for each code.
        judge: Makes of an answer what is wanted, or raises `UnusableAnswer`.
        decode: Gives the samples of the question's span; null for a question of words alone.

    Raises:
        UnusableAnswer: Neither answer is usable; the code is that of the last one.
    """
    keys: tuple[str, ...] = ()
    part: Judgment[Judged] | None = None
    asked = question
    while True:
        stored = await model.ask(asked, dialogue_id, decode)
        keys = (*keys, stored.key)
        try:
            return Judgment(judge(stored.answer), keys, messages=asked.messages)
        except UnusableAnswer as problem:
            if isinstance(problem, PartlyUsable):
                part = Judgment(problem.value, keys, problem)
            if len(keys) == 2 or problem.code not in reask.sections:
                if part is not None:
                    return Judgment(part.value, keys, part.problem)
                problem.response_keys = keys
                raise
            asked = question.model_copy(
                update={
                    "messages": (
                        *question.messages,
                        # One that runs on for megabytes would be paid for as a question too.
                        Message(role="assistant", content=stored.answer.text[:MAX_REPEATED]),
                        Message(role="user", content=reask.sections[problem.code]),
                    )
                }
            )


class SampleRules(NamedTuple):
    """How many answers a question is given, and how many of them must agree."""

    num_samples: int = 1
    """Answers to each question."""
    min_agreement: float = 0.0
    """Share of the answers under which an emotion that most of them name counts as unclear."""

    def told(self, agreement: float) -> float | None:
        """Return an agreement to keep: a single answer agrees with nobody."""
        return agreement if self.num_samples > 1 else None


ONE = SampleRules()
"""One answer, which counts."""


@dataclass(frozen=True)
class Drawn(Generic[Judged]):
    """Several answers to one question, judged."""

    usable: dict[int, Judgment[Judged]]
    """What came of each usable answer, by its sample index, in order; at least one."""
    response_keys: tuple[str, ...]
    """Keys of all stored answers, the unusable ones too, by sample index."""


async def ask_samples(
    ask: Callable[[int], Coroutine[None, None, Judgment[Judged]]], num_samples: int
) -> Drawn[Judged]:
    """Ask for several answers to one question, the first alone: a prefix cache can hit the others.

    Args:
        ask: Asks for the answer with a sample index, and once more where it is not usable.
        num_samples: Answers to ask for.

    Raises:
        UnusableAnswer: None is usable; the code is that of the first, the keys are those of all.
        RecordError: A question was refused, or replay lacks one of the answers.
    """

    async def or_problem(index: int) -> Judgment[Judged] | RecordError:
        try:
            return await ask(index)
        except RecordError as error:
            return error

    first = await or_problem(0)
    found = [first, *await asyncio.gather(*map(or_problem, range(1, num_samples)))]
    keys = tuple(key for one in found for key in one.response_keys)
    problems = [one for one in found if isinstance(one, RecordError)]
    for problem in problems:
        # A vote without an answer that is there next time would end otherwise then.
        if not isinstance(problem, UnusableAnswer):
            raise problem
    usable = {index: one for index, one in enumerate(found) if isinstance(one, Judgment)}
    if not usable:
        problems[0].response_keys = keys
        raise problems[0]
    return Drawn(usable, keys)


def pose(
    prompt: Prompt, values: dict[str, str], sampling: Sampling, sample_index: int = 0
) -> Question:
    """Return the question of a rendered prompt; several answers to it differ by their index."""
    return Question(
        messages=prompt.render(values),
        answer_schema=prompt.answer_schema,
        sampling=sampling,
        sample_index=sample_index,
    )


def render_turns(history: History, *, with_sound: bool) -> str:
    """Return the turns of a history, one a line: `[number] speaker: words (sounds; voice)`.

    A line depends on its own turn and earlier ones only, so that it never changes as the
    dialogue goes on.
    """
    lines = []
    for turn in history.turns:
        notes = []
        sounds = dict.fromkeys((*turn.events, *(event.value for event in turn.voice_events)))
        if with_sound and sounds:
            notes.append("sounds: " + ", ".join(sounds))
        if with_sound and turn.cues is not None and turn.cues.words:
            notes.append("voice: " + ", ".join(turn.cues.words))
        note = f" ({'; '.join(notes)})" if notes else ""
        # A line break in a name would look like another turn.
        speaker = " ".join(turn.speaker.split())
        lines.append(f"[{turn.turn_index}] {speaker}: {turn.clean}{note}")
    return "\n".join(lines)
