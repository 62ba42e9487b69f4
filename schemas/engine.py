"""What engines are asked and what they answer."""

from typing import Literal

from pydantic import Field

from ieat.schemas.base import Index, Value

Outcome = Literal["answer", "truncated", "refusal", "filtered"]


class Message(Value):
    """One message of a chat question."""

    role: Literal["system", "user", "assistant"]
    """Who speaks."""
    content: str
    """The text."""


class Sampling(Value):
    """Settings that change what a language model answers."""

    temperature: float = 0.0
    """Softmax temperature; 0 is greedy."""
    top_p: float | None = None
    """Nucleus probability; null leaves it to the server."""
    max_tokens: int = Field(default=1024, gt=0)
    """Most tokens of an answer, thinking of a reasoning model included."""
    seed: int | None = None
    """Seed that is sent to the server; null sends none."""


class AnswerSchema(Value):
    """The released JSON schema that an answer must have."""

    schema_id: str
    """Name and version, as name@version."""
    text: str
    """The JSON schema as canonical JSON."""


class Question(Value):
    """A chat question; everything in it is part of its key."""

    messages: tuple[Message, ...] = Field(min_length=1)
    """The messages in order."""
    answer_schema: AnswerSchema
    """The form that the answer must have."""
    sampling: Sampling = Sampling()
    """How the answer is drawn."""
    sample_index: Index = 0
    """Which of several answers to the same question this is."""


class Usage(Value):
    """Tokens as the server counts them; null where it does not say."""

    prompt_tokens: int | None = None
    """Tokens of the question."""
    completion_tokens: int | None = None
    """Tokens of the answer, thinking included."""
    cached_tokens: int | None = None
    """Tokens of the question that the server's prefix cache held."""
    reasoning_tokens: int | None = None
    """Tokens of a reasoning model's thinking."""


class Answer(Value):
    """What came back, before anybody judges it."""

    text: str
    """The answer itself: the content of a chat answer, or a recognizer's answer as JSON."""
    reasoning: str | None = None
    """A reasoning model's own thinking, kept apart from the answer; null when it gave none."""
    outcome: Outcome = "answer"
    """Whether it is whole, cut at the length limit, refused, or filtered."""
    model: str | None = None
    """The model's name as the server gives it; null when it gives none."""
    usage: Usage = Usage()
    """What it cost in tokens."""


class StoredAnswer(Value):
    """An answer with its key, as the response store keeps it."""

    key: str
    """SHA-256 of the canonical JSON of all that changes the answer, hexadecimal."""
    engine_id: str
    """Engine with model and revision."""
    label: str
    """What was asked for: the id of the answer schema, or `transcription`."""
    answer: Answer
    """What came back."""
