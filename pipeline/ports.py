"""What the pipeline wants of the outside: small protocols that take and return records."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ieat.schemas.attribution import Attribution, Reprediction
from ieat.schemas.audio import AudioSpan, Sound
from ieat.schemas.dialogue import Dialogue, Language, Turn
from ieat.schemas.distillation import Distillation
from ieat.schemas.emotion import Emotion, EmotionalState, EmotionLabel, VocalEvent
from ieat.schemas.engine import Answer, Question, StoredAnswer
from ieat.schemas.history import HeardTurn, History
from ieat.schemas.records import SourceUnit
from ieat.schemas.retrospection import LookBack, Retrospection
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


class Call(Protocol):
    """One call of an engine, as its adapter sees it: every attempt is announced and accounted."""

    tokens: int
    """Most tokens that one attempt can use, answer included."""

    async def attempt(self) -> None:
        """Reserve the cost of an attempt; await it before each one.

        Raises:
            RunStopped: The budget does not reach for it.
        """
        ...

    def failed(self, *, may_be_paid: bool) -> None:
        """Account for an attempt without an answer; the server may have billed what got lost."""
        ...


class Transcriber(Protocol):
    """A speech engine that turns samples into an answer; what is kept in the store."""

    engine_id: str
    languages: frozenset[Language]

    async def transcribe(self, samples: Samples, language: Language, call: Call) -> Answer:
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

    async def complete(
        self, question: Question, call: Call, samples: Samples | None = None
    ) -> Answer:
        """Return the raw answer. Parsing and judging it belongs to the caller.

        Args:
            question: What is asked.
            call: Told of every attempt.
            samples: The sound of the question's span, mono at 16 kHz; null when it has none.

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

    async def ask(
        self, question: Question, dialogue_id: str, decode: Callable[[], Samples] | None = None
    ) -> StoredAnswer:
        """Return the stored answer, asking the model when there is none.

        Args:
            question: What is asked.
            dialogue_id: The dialogue that needs the answer.
            decode: Gives the samples of the question's span; called in a thread, on a miss only.

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


class HeardVoice(NamedTuple):
    """What a labeler heard in the voice of one turn."""

    label: EmotionLabel
    """The emotion; null in it when the voice does not tell."""
    events: tuple[VocalEvent, ...]
    """What the voice does besides speaking, each once."""


class VoiceLabeler(Protocol):
    """Labels the emotion of one turn from its sound alone: it gets no words and no other turn."""

    labeler_id: str

    async def label_voice(
        self, span: AudioSpan, sound: Sound, language: Language, dialogue_id: str
    ) -> HeardVoice:
        """Return emotion and vocal events.

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


class Verifier(Protocol):
    """Finds the emotion again that a cause explains, from the cause alone."""

    verifier_id: str

    async def repredict(self, attribution: Attribution, history: History) -> Reprediction:
        """Return the emotion that it finds; of the history only dialogue and language are used.

        Raises:
            UnusableAnswer: No usable answer was given.
            RecordError: The question was refused.
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


class Retrospector(Protocol):
    """Looks back over a whole dialogue: the one engine that knows how a dialogue goes on."""

    retrospector_id: str

    async def look_back(self, history: History, asked: LookBack) -> Retrospection:
        """Return what the look back gives; `history` holds every turn up to the question.

        Raises:
            RecordError: Nothing usable was given.
            EngineUnavailable: The engine still fails after its own retries.
        """
        ...


class Teacher(Protocol):
    """Answers what is said as it would answer a person whom it hears."""

    teacher_id: str

    async def answer(
        self, history: History, emotions: Mapping[int, Emotion], instruction: str
    ) -> Distillation:
        """Return the answer to the last turn.

        Args:
            history: The turns that the teacher sees.
            emotions: The emotions that are known, by 0-based turn.
            instruction: What the student is told; the teacher does not see it.

        Raises:
            RecordError: There is no usable answer.
            EngineUnavailable: The engine still fails after its own retries.
        """
        ...


class SealedAnswer(NamedTuple):
    """A stored answer as it lies there, readable or not."""

    key: str
    """The key that it lies under."""
    text: str
    """The `StoredAnswer` as JSON."""
    sha256: str | None
    """SHA-256 of the text that was kept beside it; null where none was kept."""


class ResponseStore(Protocol):
    """Keeps every paid answer, durably, under the key of its question."""

    async def get(self, key: str, dialogue_id: str) -> StoredAnswer | None:
        """Return the answer, or null; remembers that the dialogue uses it."""
        ...

    def note(self, key: str, dialogue_id: str) -> None:
        """Remember that a dialogue uses an answer that is there."""
        ...

    async def put(
        self, stored: StoredAnswer, dialogue_id: str, *, replaces: bool = False
    ) -> StoredAnswer:
        """Keep an answer and return the one that stays, durably.

        An answer that is there already stays, unless this one replaces it: then what a person
        asked for again takes its place.
        """
        ...

    def contains(self, keys: list[str]) -> set[str]:
        """Return those of the keys that are there."""
        ...

    def close(self) -> None:
        """Write what is waiting and let go of the files."""
        ...


class StoreUpkeep(ResponseStore, Protocol):
    """A response store that a person looks after; not used while a build runs on it."""

    def answers(self) -> Iterator[SealedAnswer]:
        """Yield every answer, in the order of its key, in bounded memory."""
        ...

    def uses(self) -> Iterator[tuple[str, str]]:
        """Yield each dialogue id with each key that it uses, sorted."""
        ...

    def find(self, prefix: str) -> list[SealedAnswer]:
        """Return the answers whose keys begin so, at most 10."""
        ...

    def remove(self, keys: Iterable[str]) -> int:
        """Remove answers and the notes of who uses them, so that no bytes of them are left.

        Returns how many there were.
        """
        ...

    def forget_dialogues(self, dialogue_ids: Iterable[str]) -> set[str]:
        """Remove the notes of what dialogues use; returns keys that no dialogue uses any more."""
        ...
