"""One row as something to learn: what is heard and said before, and the answer with its loss."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from ieat.pipeline.output.reading import ThinkMode
from ieat.schemas.cells import AudioCell, SpanCell
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion


class Said(NamedTuple):
    """A message before the answer; none of it is learned."""

    role: Literal["system", "user", "assistant"]
    """Who speaks."""
    content: str
    """The words; an `<audio>` tag for each clip that is heard."""


class Part(NamedTuple):
    """A piece of the answer; the answer is all of them without anything between."""

    text: str
    """The words, tags of the thinking included."""
    loss: bool
    """Whether it is learned; otherwise it is context."""


class Clip(NamedTuple):
    """What an `<audio>` tag stands for."""

    span: SpanCell
    """Where it comes from."""
    content: bytes | None
    """The FLAC file; null when it has to be cut again."""


class Exchange(NamedTuple):
    """One row as something to learn.

    Messages alternate: after an optional system message the user begins, and speaks last.
    """

    row_id: str
    """Id of the row."""
    task: str
    """`answer` for stage 2, else the task of the row."""
    mode: ThinkMode | None
    """Think mode; null where there is no thinking to speak of."""
    language: Language
    """Language that is spoken."""
    said: tuple[Said, ...]
    """What is heard and said before the answer."""
    clips: tuple[Clip, ...]
    """One for each `<audio>` tag, in order."""
    instruction: str | None
    """What is told beside the last clip, and stands in `said` too; null for stage 2."""
    answer: tuple[Part, ...]
    """The answer: one piece, or thinking in context and then the response."""
    thinking: str | None
    """The thinking without tags; null in the mode `implicit`."""
    response: str
    """The answer without the thinking."""
    emotion: Emotion | None
    """The emotion of the turn that is heard last; null when unknown."""
    changes: tuple[str, ...]
    """What differs from the row, as codes."""


class Candidate(NamedTuple):
    """A row, or a task of one, that is rendered unless something speaks against it."""

    task: str
    """`answer` for stage 2, else the task of the row."""
    reasons: tuple[str, ...]
    """What speaks against it, as codes; empty when it is fit."""
    wanted: ThinkMode | None
    """The think mode that the shares drew; null where there is no thinking."""
    make: Callable[[], Exchange]
    """Gives the exchange; raises `Filtered` when its words do not allow it."""


def clips_of(spans: Sequence[SpanCell], audios: Sequence[AudioCell]) -> tuple[Clip, ...]:
    """Return the clips of a row, in order."""
    return tuple(Clip(span, audio.bytes) for span, audio in zip(spans, audios, strict=True))


def user_first(said: Sequence[Said]) -> tuple[tuple[Said, ...], tuple[str, ...]]:
    """Return messages in which the user speaks first, and what was changed, as codes.

    Where a reply comes first, an empty message of the user stands before it: trainers want the
    user first, and what is learned may rest on that reply.
    """
    first = next(place for place, message in enumerate(said) if message.role != "system")
    if said[first].role == "user":
        return tuple(said), ()
    return (*said[:first], Said("user", ""), *said[first:]), ("reply_first",)
