"""A target turn with its thinking and its response: what becomes a stage-2 row."""

from enum import Enum
from typing import Literal

from pydantic import Field, model_validator

from ieat.schemas.audio import AudioSpan
from ieat.schemas.base import Index, Value


class ResponseStyle(str, Enum):
    """How a response should sound; a set apart from the user's emotions."""

    COMFORT = "comfort"
    ENCOURAGEMENT = "encouragement"
    APOLOGY = "apology"
    CONGRATULATION = "congratulation"
    JOY = "joy"
    CONCERN = "concern"
    SURPRISE = "surprise"
    SADNESS = "sadness"
    CALM = "calm"
    NEUTRAL = "neutral"


class Target(Value):
    """A turn of an attributed speaker that another speaker's turn follows."""

    user_speaker: str
    """Who is answered: the user of this target."""
    answering_speaker: str
    """Who speaks next: the assistant of this target."""
    user_turns: tuple[Index, ...] = Field(min_length=1)
    """0-based neighboring turns of the user that are answered, in order."""
    answer_turns: tuple[Index, ...] = Field(min_length=1)
    """0-based neighboring turns of the answer in the corpus, in order."""

    @property
    def turn_index(self) -> int:
        """The last turn of the user before the answer; it names the target."""
        return self.user_turns[-1]

    @model_validator(mode="after")
    def _the_answer_follows(self) -> "Target":
        if self.answer_turns[0] <= self.user_turns[-1]:
            raise ValueError("the answer does not follow the user's turns")
        return self


class Thinking(Value):
    """State and cause as reasoning before the answer, without any tags around it."""

    text: str = Field(min_length=1)
    """The thinking itself, in the dialogue's language."""
    template_id: str
    """Template it was composed with, as name@version.language."""
    template_sha256: str
    """SHA-256 of the template."""
    state_turns: tuple[Index, ...]
    """0-based turns whose states it speaks of; empty when all are neutral."""


class Response(Value):
    """The answer to a target."""

    text: str = Field(min_length=1)
    """The words of the answer, tags removed."""
    source: Literal["corpus", "written"]
    """Whether the corpus gave it or a language model wrote it."""
    style: ResponseStyle | None = None
    """How it should sound; null for a corpus answer, whose style is not known."""
    delivery: str | None = None
    """A line for a synthesizer, in the dialogue's language: tone, pace, pauses, breath; null for a
    corpus answer, and where the prompt does not ask for one."""
    conditioned_on: tuple[Literal["words", "thinking"], ...] = ()
    """What the writer saw; empty for a corpus answer."""
    audio: tuple[AudioSpan, ...] = ()
    """Recorded sound of the answer, one span a turn; empty for a written one."""
    writer_id: str | None = None
    """Engine that wrote it, with model and revision; null for a corpus answer."""
    prompt_id: str | None = None
    """Prompt that was asked, as name@version.language; null for a corpus answer."""
    prompt_sha256: str | None = None
    """SHA-256 of the prompt's template; null for a corpus answer."""
    response_keys: tuple[str, ...] = ()
    """Keys of the stored answers, a re-ask last."""
    flags: tuple[str, ...] = ()
    """What is odd about the response, as codes (docs/codes.md)."""


class Sample(Value):
    """A target with all that a stage-2 row says of it."""

    target: Target
    """Who is answered, and by whom."""
    thinking: Thinking
    """The reasoning before the answer."""
    response: Response
    """The answer."""
    flags: tuple[str, ...] = ()
    """What is odd about the sample, as codes (docs/codes.md)."""
