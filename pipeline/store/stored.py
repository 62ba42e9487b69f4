"""Engines behind the response store: the same question is paid once."""

import asyncio
from collections.abc import Callable, Set

from ieat.pipeline.failures import RecordError, SilentTurn, UnusableAnswer
from ieat.pipeline.ports import Call, LanguageModel, ResponseStore, Samples, Transcriber
from ieat.pipeline.spending.ledger import Meter
from ieat.pipeline.spending.prices import bound_question, bound_sound
from ieat.pipeline.store.keys import question_key, transcription_key
from ieat.pipeline.store.paid_once import PaidOnce, Wanted
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
        again: Keys that are asked again although they may have an answer.
    """

    def __init__(
        self,
        model: LanguageModel,
        store: ResponseStore,
        *,
        replay: bool,
        in_flight: int,
        again: Set[str] = frozenset(),
    ) -> None:
        self._model = model
        self._paid = PaidOnce(
            store, model.engine_id, replay=replay, in_flight=in_flight, again=again
        )
        self.engine_id = model.engine_id

    def at(self, meter: Meter) -> "MeteredLanguageModel":
        """Return this model for one stage, which the meter counts for."""
        return MeteredLanguageModel(self, meter)

    async def ask(
        self,
        question: Question,
        dialogue_id: str,
        meter: Meter,
        decode: Callable[[], Samples] | None = None,
    ) -> StoredAnswer:
        """Return the stored answer, asking the model when there is none.

        Raises:
            NotInStore: Replay, and there is none.
            RecordError: The question itself was refused.
            EngineUnavailable: The service still fails after the adapter's own retries.
        """

        async def complete(call: Call) -> Answer:
            samples = None if decode is None else await asyncio.to_thread(decode)
            return await self._model.complete(question, call, samples)

        wanted = Wanted(
            key=question_key(self.engine_id, question),
            label=question.answer_schema.schema_id,
            dialogue_id=dialogue_id,
            bound=bound_question(question),
            question_bytes=question.num_bytes,
        )
        return await self._paid.answer(wanted, meter, complete)

    async def close(self) -> None:
        """Let calls under way end, then close the model."""
        await self._paid.close()
        await self._model.close()


class MeteredLanguageModel:
    """A stored language model as one stage asks it."""

    def __init__(self, model: StoredLanguageModel, meter: Meter) -> None:
        self.engine_id = model.engine_id
        self._model = model
        self._meter = meter

    async def ask(
        self, question: Question, dialogue_id: str, decode: Callable[[], Samples] | None = None
    ) -> StoredAnswer:
        """Return the stored answer, asking the model when there is none.

        Raises:
            NotInStore: Replay, and there is none.
            RecordError: The question itself was refused.
            RunStopped: The service still fails after the adapter's own retries, or the budget is
                used up.
        """
        return await self._model.ask(question, dialogue_id, self._meter, decode)


class StoredRecognizer:
    """A speech engine whose answers are kept; the words are read from the stored answer.

    Args:
        transcriber: The engine that is asked on a miss.
        store: Where answers are kept; stays open when this closes.
        replay: Whether a miss is an error instead of a call.
        in_flight: Most calls whose answers are not durable yet.
        meter: Counts what is asked.
        decode: Gives the samples of a span, mono float32 at 16 kHz; called in a thread, on a
            miss only.
        again: Keys that are asked again although they may have an answer.
    """

    def __init__(
        self,
        transcriber: Transcriber,
        store: ResponseStore,
        *,
        replay: bool,
        in_flight: int,
        meter: Meter,
        decode: Callable[[AudioSpan], Samples],
        again: Set[str] = frozenset(),
    ) -> None:
        self._transcriber = transcriber
        self._decode = decode
        self._meter = meter
        self._paid = PaidOnce(
            store, transcriber.engine_id, replay=replay, in_flight=in_flight, again=again
        )
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

        async def transcribe(call: Call) -> Answer:
            samples = await asyncio.to_thread(self._decode, span)
            return await self._transcriber.transcribe(samples, language, call)

        wanted = Wanted(
            key=transcription_key(self.recognizer_id, sound, language),
            label="transcription",
            dialogue_id=dialogue_id,
            bound=bound_sound(sound.duration),
        )
        stored = await self._paid.answer(wanted, self._meter, transcribe)
        try:
            heard = self._transcriber.parse(stored.answer)
        except UnusableAnswer as problem:
            problem.response_keys = (stored.key,)
            raise
        return heard.model_copy(update={"response_key": stored.key})

    async def close(self) -> None:
        """Let calls under way end, then close the transcriber."""
        await self._paid.close()
        await self._transcriber.close()
