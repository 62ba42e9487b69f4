"""Engines that answer by script, for tests without Beam or network."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from ieat.pipeline.failures import RecordError
from ieat.pipeline.ports import Samples
from ieat.schemas.audio import AudioSpan, Prosody, Sound
from ieat.schemas.dialogue import Language, Turn
from ieat.schemas.emotion import Emotion, EmotionalState, EmotionLabel
from ieat.schemas.engine import Answer, Question, StoredAnswer
from ieat.schemas.history import History
from ieat.schemas.transcript import Recognition

Script = Callable[[Question], Any]


class ScriptedModel:
    """An answering model whose script returns a dict (sent as JSON), a text, or an `Answer`."""

    engine_id = "scripted:model"

    def __init__(self, script: Script) -> None:
        self.questions: list[Question] = []
        self._script = script

    async def ask(
        self, question: Question, dialogue_id: str, decode: Callable[[], Samples] | None = None
    ) -> StoredAnswer:
        self.questions.append(question)
        key = f"key-{len(self.questions)}"
        await asyncio.sleep(0)
        given = self._script(question)
        if isinstance(given, dict):
            given = json.dumps(given, ensure_ascii=False)
        answer = given if isinstance(given, Answer) else Answer(text=given)
        return StoredAnswer(
            key=key,
            engine_id=self.engine_id,
            label=question.answer_schema.schema_id,
            answer=answer,
        )

    @property
    def last_prompts(self) -> list[str]:
        """The last message of every question."""
        return [question.messages[-1].content for question in self.questions]


def in_turn(*answers: Any) -> Script:
    """Return a script that gives one answer after the other."""
    waiting = list(answers)
    return lambda question: waiting.pop(0)


class ScriptedRecognizer:
    """Recognizes the words of a table by the span's URI; raises what is a `RecordError`."""

    recognizer_id = "scripted:recognizer"

    def __init__(self, words: dict[str, str | Exception]) -> None:
        self._words = words

    async def recognize(
        self, turn: Turn, sound: Sound | None, language: Language, dialogue_id: str
    ) -> Recognition:
        said = self._words[turn.audio.uri] if turn.audio is not None else turn.text or ""
        if isinstance(said, Exception):
            raise said
        return Recognition(text=said)


class ScriptedLabeler:
    """Labels by the words of the last turn; words that the table lacks make it abstain."""

    labeler_id = "scripted:labeler"

    def __init__(self, emotions: dict[str, Emotion | RecordError]) -> None:
        self.histories: list[History] = []
        self._emotions = emotions

    async def label(self, history: History) -> EmotionLabel:
        self.histories.append(history)
        emotion = self._emotions.get(history.last.clean)
        if isinstance(emotion, RecordError):
            raise emotion
        return EmotionLabel(source="text", labeler_id=self.labeler_id, emotion=emotion)


class NeverAsked:
    """Stands where an engine must not be asked."""

    attributor_id = labeler_id = engine_id = "never"

    async def attribute(self, history: History, state: EmotionalState) -> Any:
        raise AssertionError(f"asked for the cause of turn {state.turn_index}")

    async def label(self, history: History) -> Any:
        raise AssertionError(f"asked for the emotion of turn {history.last.turn_index}")

    async def ask(
        self, question: Question, dialogue_id: str, decode: Callable[[], Samples] | None = None
    ) -> Any:
        raise AssertionError(f"asked for {question.answer_schema.schema_id}")


def measured(span: AudioSpan, *, level: float = -20.0, pitch: float = 120.0) -> Sound:
    """Return a plausible sound of two seconds for a span, without reading anything."""
    return Sound(
        source_sha256="0" * 64,
        source_rate=16000,
        channel=span.channel,
        start_sample=round(span.start * 16000),
        end_sample=round(span.start * 16000) + 32000,
        duration=2.0,
        speech=1.5,
        level=level,
        peak=level + 10,
        clipped=0.0,
        prosody=Prosody(level=level, pitch=pitch, pitch_range=4.0, tilt=-15.0),
    )
