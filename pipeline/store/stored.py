"""Engines behind the response store: the same question is paid once."""

import asyncio
from collections.abc import Callable

from ieat.pipeline.failures import RecordError, SilentTurn
from ieat.pipeline.ports import LanguageModel, ResponseStore, Samples, Transcriber
from ieat.pipeline.store.keys import question_key, transcription_key
from ieat.pipeline.store.paid_once import PaidOnce
from ieat.schemas.audio import AudioSpan, Sound
from ieat.schemas.dialogue import Language, Turn
from ieat.schemas.engine import Answer, Question, StoredAnswer
from ieat.schemas.transcript import Recognition


class StoredLanguageModel:
    """A language model whose completed answers are kept before anybody sees them.

    Args:
        model: The engine that is asked on a miss.
        store: Where answers are kept; stays open when this closes.
        replay: Whether a miss is an error instead of a call.
        in_flight: Most calls whose answers are not durable yet.
    """

    def __init__(
        self, model: LanguageModel, store: ResponseStore, *, replay: bool, in_flight: int
    ) -> None:
        self._model = model
        self._paid = PaidOnce(store, model.engine_id, replay, in_flight)
        self.engine_id = model.engine_id

    async def ask(self, question: Question, dialogue_id: str) -> StoredAnswer:
        """Return the stored answer, asking the model when there is none.

        Raises:
            NotInStore: Replay, and there is none.
            RecordError: The question itself was refused.
            EngineUnavailable: The service still fails after the adapter's own retries.
        """
        return await self._paid.answer(
            question_key(self.engine_id, question),
            question.answer_schema.schema_id,
            dialogue_id,
            lambda: self._model.complete(question),
        )

    async def close(self) -> None:
        """Let calls under way end, then close the model."""
        await self._paid.close()
        await self._model.close()


class StoredRecognizer:
    """A speech engine whose answers are kept; the words are read from the stored answer.

    Args:
        transcriber: The engine that is asked on a miss.
        store: Where answers are kept; stays open when this closes.
        replay: Whether a miss is an error instead of a call.
        in_flight: Most calls whose answers are not durable yet.
        decode: Gives the samples of a span, mono float32 at 16 kHz; called in a thread, on a
            miss only.
    """

    def __init__(
        self,
        transcriber: Transcriber,
        store: ResponseStore,
        *,
        replay: bool,
        in_flight: int,
        decode: Callable[[AudioSpan], Samples],
    ) -> None:
        self._transcriber = transcriber
        self._decode = decode
        self._paid = PaidOnce(store, transcriber.engine_id, replay, in_flight)
        self.recognizer_id = transcriber.engine_id

    async def recognize(
        self, turn: Turn, sound: Sound | None, language: Language, dialogue_id: str
    ) -> Recognition:
        """Return what is said; a turn without sound gives the corpus' own words.

        Raises:
            SilentTurn: There is neither sound nor text.
            RecordError: The engine does not know the language, or refuses the sound.
            UnusableAnswer: The stored answer is not in the engine's form.
            EngineUnavailable: The engine still fails after its own retries.
        """
        span = turn.audio
        if span is None:
            if turn.text is None:
                raise SilentTurn("no_words", f"turn {turn.index} of {dialogue_id} has no words")
            return Recognition(text=turn.text)
        if sound is None:
            raise ValueError(f"turn {turn.index} of {dialogue_id} has audio that was not measured")
        if language not in self._transcriber.languages:
            raise RecordError(
                "recognizer_language",
                f"{self.recognizer_id} does not transcribe {language.value!r}; set recognizer to "
                "openai:MODEL with recognizer_settings.base_url, or to gold for the corpus' own "
                "words",
            )

        async def transcribe() -> Answer:
            samples = await asyncio.to_thread(self._decode, span)
            return await self._transcriber.transcribe(samples, language)

        stored = await self._paid.answer(
            transcription_key(self.recognizer_id, sound, language),
            "transcription",
            dialogue_id,
            transcribe,
        )
        heard = self._transcriber.parse(stored.answer)
        return heard.model_copy(update={"response_key": stored.key})

    async def close(self) -> None:
        """Let calls under way end, then close the transcriber."""
        await self._paid.close()
        await self._transcriber.close()
