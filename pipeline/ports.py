"""What the pipeline wants of the outside: small protocols that take and return records."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ieat.schemas.attribution import Attribution
from ieat.schemas.audio import Sound
from ieat.schemas.dialogue import Dialogue, Language, Turn
from ieat.schemas.emotion import EmotionalState, EmotionLabel
from ieat.schemas.engine import Answer, Question, StoredAnswer
from ieat.schemas.history import HeardTurn, History
from ieat.schemas.records import SourceUnit
from ieat.schemas.sample import Response, Target, Thinking
from ieat.schemas.transcript import Recognition

Samples = npt.NDArray[np.float32]
"""Mono samples as float32 from -1 to 1, shape (num_samples,)."""


class Corpus(Protocol):
    """Reads one corpus layout."""

    def units(self) -> Iterator[SourceUnit]:
        """Yield one unit for each dialogue, without reading it.

        Raises:
            ConfigError: There is nothing to read; says what was looked for.
        """
        ...

    def read(self, unit: SourceUnit) -> Dialogue:
        """Read one dialogue.

        Raises:
            RecordError: The unit cannot be read; the message names file, line and reason.
        """
        ...


class SpeechRecognizer(Protocol):
    """Gives the words of a turn."""

    recognizer_id: str

    async def recognize(
        self, turn: Turn, sound: Sound | None, language: Language, dialogue_id: str
    ) -> Recognition:
        """Return what is said; empty text when nothing was heard.

        Raises:
            RecordError: This turn cannot be transcribed.
            EngineUnavailable: The engine still fails after its own retries.
        """
        ...


class Transcriber(Protocol):
    """A speech engine that turns samples into an answer; what is kept in the store."""

    engine_id: str
    languages: frozenset[Language]

    async def transcribe(self, samples: Samples, language: Language) -> Answer:
        """Transcribe mono float32 samples at 16 kHz; the answer's text is JSON of its own form.

        Raises:
            RecordError: This sound cannot be transcribed.
            EngineUnavailable: The engine still fails after its own retries.
        """
        ...

    def parse(self, answer: Answer) -> Recognition:
        """Read a stored answer; costs nothing and asks nobody.

        Raises:
            UnusableAnswer: The answer is not in the engine's form.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and models."""
        ...


class LanguageModel(Protocol):
    """Answers one question; every call costs."""

    engine_id: str

    async def complete(self, question: Question) -> Answer:
        """Return the raw answer. Parsing and judging it belongs to the caller.

        Raises:
            RecordError: The question itself was refused (too long, filtered).
            EngineUnavailable: The service still fails after the adapter's own retries.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class AnsweringModel(Protocol):
    """A language model behind the response store: the same question is paid once."""

    engine_id: str

    async def ask(self, question: Question, dialogue_id: str) -> StoredAnswer:
        """Return the stored answer, asking the model when there is none.

        Raises:
            NotInStore: Replay, and there is none.
            RecordError: The question itself was refused.
            EngineUnavailable: The service still fails after the adapter's own retries.
        """
        ...


class EmotionLabeler(Protocol):
    """Labels the emotion of the last turn of a history from its words."""

    labeler_id: str

    async def label(self, history: History) -> EmotionLabel:
        """Return the label; its emotion is null when the labeler abstains.

        Raises:
            RecordError: No usable label was given.
            EngineUnavailable: The engine still fails after its own retries.
        """
        ...


class Attributor(Protocol):
    """Finds the cause of a state that is not neutral."""

    attributor_id: str

    async def attribute(self, history: History, state: EmotionalState) -> Attribution:
        """Return state and causes with evidence that lies in the history.

        Raises:
            RecordError: No cause that passes the checks was given.
            EngineUnavailable: The engine still fails after its own retries.
        """
        ...


class Responder(Protocol):
    """Gives the answer to a target."""

    async def respond(
        self, history: History, target: Target, thinking: Thinking, answer: tuple[HeardTurn, ...]
    ) -> Response:
        """Return the response; `answer` holds the corpus' own answering turns.

        Raises:
            RecordError: There is no usable response.
            EngineUnavailable: The engine still fails after its own retries.
        """
        ...


class ResponseStore(Protocol):
    """Keeps every paid answer, durably, under the key of its question."""

    async def get(self, key: str, dialogue_id: str) -> StoredAnswer | None:
        """Return the answer, or null; remembers that the dialogue uses it."""
        ...

    async def put(self, stored: StoredAnswer, dialogue_id: str) -> None:
        """Keep an answer; returns when it is durable. An answer that is there already stays."""
        ...

    def contains(self, keys: list[str]) -> set[str]:
        """Return those of the keys that are there."""
        ...

    def close(self) -> None:
        """Write what is waiting and let go of the files."""
        ...
