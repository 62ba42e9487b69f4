"""What engines are asked and what they answer."""

from typing import Literal

from pydantic import Field

from ieat.schemas.base import Index, Seconds, Value

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
    extra_body: str = ""
    """Further fields of the request body, as canonical JSON; empty when there are none."""


class AnswerSchema(Value):
    """The released JSON schema that an answer must have, or the name of a plain question."""

    schema_id: str
    """Name and version, as name@version."""
    text: str
    """The JSON schema as canonical JSON; empty for an answer in plain words."""

    @property
    def is_plain(self) -> bool:
        """Whether the answer is plain words and has no form to keep to."""
        return not self.text


class SpanIdentity(Value):
    """Which samples of which bytes a question lets hear; holds no samples."""

    source_sha256: str
    """SHA-256 of the bytes of the source file, hexadecimal."""
    channel: Index | None
    """0-based channel of the source; null means the mean of all channels."""
    start_sample: Index
    """First sample of the span, at the rate of the source."""
    end_sample: Index
    """Sample after the last one of the span, at the rate of the source."""
    duration: Seconds
    """Length of the decoded span, seconds; no part of the key, which has it in samples."""


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
    span: SpanIdentity | None = None
    """The sound that is heard with the user's first message; null for words alone."""

    @property
    def num_bytes(self) -> int:
        """UTF-8 bytes of messages and answer schema: what tokens are estimated from."""
        texts = [self.answer_schema.text, *(message.content for message in self.messages)]
        return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)


class Usage(Value):
    """What an answer used, as the server counts it; null where it does not say."""

    prompt_tokens: int | None = None
    """Tokens of the question."""
    completion_tokens: int | None = None
    """Tokens of the answer, thinking included."""
    cached_tokens: int | None = None
    """Tokens of the question that the server's prefix cache held; part of `prompt_tokens`."""
    reasoning_tokens: int | None = None
    """Tokens of a reasoning model's thinking; part of `completion_tokens`."""
    audio_tokens: int | None = None
    """Tokens of the question that are sound; part of `prompt_tokens`."""
    audio_seconds: float | None = None
    """Sound that a server bills by its length, seconds."""


class Answer(Value):
    """What came back, before anybody judges it."""

    text: str
    """The answer itself: the content of a chat answer, or a recognizer's answer as JSON."""
    reasoning: str | None = None
    """A reasoning model's own thinking, kept apart from the answer; null when it gave none."""
    outcome: Outcome = "answer"
    """Whether it is whole, cut at the length limit, refused, or filtered."""
    finish_reason: str | None = None
    """Why the answer ended, in the server's own word; null when it says none."""
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
    usd: float | None = None
    """What it cost by the prices of then, US dollars; null when no price was configured."""
    question_bytes: int | None = None
    """UTF-8 bytes of the question, from which later questions' tokens are estimated; null for
    questions without words."""
