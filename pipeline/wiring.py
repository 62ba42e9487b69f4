"""Engine names of the configuration to engines; the only importer of `engines/` and `store/`."""

import asyncio
import hashlib
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ieat.pipeline.audio.decode import decode_span
from ieat.pipeline.audio.examine import examine
from ieat.pipeline.audio.level import even_level
from ieat.pipeline.config import BuildConfig, LanguageModelSettings
from ieat.pipeline.engines.asking import SampleRules
from ieat.pipeline.engines.audio_labeler import AudioLabeler
from ieat.pipeline.engines.extractive import ExtractiveAttributor
from ieat.pipeline.engines.gold import GoldRecognizer
from ieat.pipeline.engines.joint import JointModel
from ieat.pipeline.engines.linear import LinearLabeler
from ieat.pipeline.engines.llm_attributor import LLMAttributor
from ieat.pipeline.engines.llm_labeler import JointLabeler, LLMLabeler
from ieat.pipeline.engines.moonshine import MoonshineTranscriber
from ieat.pipeline.engines.openai_chat import OpenAIChat
from ieat.pipeline.engines.openai_transcription import OpenAITranscriber
from ieat.pipeline.engines.responders import CorpusResponder, WrittenResponder
from ieat.pipeline.engines.retrospector import LLMRetrospector
from ieat.pipeline.engines.teacher import LLMTeacher
from ieat.pipeline.engines.verifier import LLMVerifier, VerifiedAttributor
from ieat.pipeline.failures import RunStopped
from ieat.pipeline.guard import Guard, read_guard
from ieat.pipeline.ports import (
    Attributor,
    Call,
    EmotionLabeler,
    LanguageModel,
    Responder,
    ResponseStore,
    Retrospector,
    Samples,
    SpeechRecognizer,
    Teacher,
    Transcriber,
    Verifier,
    VoiceLabeler,
)
from ieat.pipeline.resources import refuse_unwanted
from ieat.pipeline.retry import keys_to_retry
from ieat.pipeline.run_state import RunState
from ieat.pipeline.store.hosts import note_host
from ieat.pipeline.store.opening import open_store as open_store_at
from ieat.pipeline.store.stored import MeteredLanguageModel, StoredLanguageModel, StoredRecognizer
from ieat.prompts.library import PromptLibrary, canonical_json
from ieat.schemas.audio import AudioSpan, Sound
from ieat.schemas.dialogue import Language
from ieat.schemas.engine import Answer, Question, Sampling
from ieat.schemas.transcript import Recognition


@dataclass
class Engines:
    """All engines of a worker, open."""

    examine: Callable[[AudioSpan], Sound]
    recognizer: SpeechRecognizer
    labeler: EmotionLabeler | None
    voice_labeler: VoiceLabeler | None
    attributor: Attributor
    verifier: Verifier | None
    """Who reads the causes back for the attributor; null when nobody does."""
    responder: Responder
    retrospector: Retrospector | None
    teacher: Teacher | None
    model: StoredLanguageModel | None
    store: ResponseStore
    closers: tuple[Callable[[], Awaitable[None]], ...]
    guard: Guard | None = None

    async def close(self) -> None:
        """Let go of connections, models and the store, the store last."""
        for close in self.closers:
            await close()
        await asyncio.to_thread(self.store.close)


def open_engines(
    config: BuildConfig, state: RunState, store: ResponseStore | None = None
) -> Engines:
    """Open the engines that a configuration names.

    Args:
        config: The configuration.
        state: Nothing more is asked once it says stop.
        store: The response store; null opens the configured one. It is closed with the engines.

    Raises:
        ConfigError: Something that the configuration refuses; a package, a key or the store is
            missing or cannot work.
    """
    refuse_unwanted(config)
    store = open_store(config) if store is None else store
    try:
        parts = _Parts(config, state, store, keys_to_retry(config.output, config.retry))
        return _open(parts)
    except BaseException:
        store.close()
        raise


@dataclass
class _Parts:
    """What engines are made of."""

    config: BuildConfig
    state: RunState
    store: ResponseStore
    again: frozenset[str]
    """Keys that are asked again although they have an answer."""
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """What lets go of engines, in the order in which they were opened."""


def _open(parts: _Parts) -> Engines:
    config, state = parts.config, parts.state
    recognizer = _recognizer(parts)
    model = _language_model(parts)
    prompts = PromptLibrary(config.prompts)
    settings = config.language_model_settings
    sampling = _sampling(settings)
    samples = SampleRules(config.samples, config.labels.min_agreement)

    def at(stage: str, asked: StoredLanguageModel) -> MeteredLanguageModel:
        return asked.at(state.ledger.meter(stage, asked.engine_id, settings.prices))

    labeler: EmotionLabeler | None = None
    if config.labeler == "linear":
        labeler = LinearLabeler(config.labels.min_confidence)
    elif config.labeler == "llm" and model is not None:
        asked = at("label", model)
        labeler = (
            JointLabeler(JointModel(asked, prompts, sampling, samples))
            if asks_jointly(config)
            else LLMLabeler(asked, prompts, sampling, samples)
        )
    attributor: Attributor = ExtractiveAttributor()
    if config.attributor == "llm" and model is not None:
        asked = at("attribute", model)
        joint = JointModel(asked, prompts, sampling, samples) if asks_jointly(config) else None
        attributor = LLMAttributor(asked, prompts, sampling, joint, samples)
    verifier = _verifier(parts, prompts)
    if verifier is not None:
        attributor = VerifiedAttributor(attributor, verifier)
    responder: Responder = CorpusResponder()
    if config.response == "written" and model is not None:
        responder = WrittenResponder(at("compose", model), prompts, sampling, config.checks)
    retrospector: Retrospector | None = None
    if {"t1", "t2"} & set(config.humdial_tables) and model is not None:
        retrospector = LLMRetrospector(
            at("retrospect", model),
            prompts,
            sampling.model_copy(update={"max_tokens": config.humdial_settings.max_tokens}),
            config.humdial_settings,
        )
    return Engines(
        examine=examine,
        recognizer=recognizer,
        labeler=labeler,
        voice_labeler=_voice_labeler(parts, prompts),
        attributor=attributor,
        verifier=verifier,
        responder=responder,
        teacher=_teacher(parts, prompts),
        retrospector=retrospector,
        model=model,
        store=parts.store,
        closers=tuple(parts.closers),
        guard=None if config.guard is None else read_guard(config.guard),
    )


def asks_jointly(config: BuildConfig) -> bool:
    """Tell whether label and cause are asked in one question."""
    return (
        config.one_question
        and config.labeler == "llm"
        and config.attributor == "llm"
        # The joint question would be paid for turns whose cause nobody wants.
        and config.labels.speakers == "attributed"
        and not config.labels.also_gold
        # What the voice was heard to do is shown where the cause is asked.
        and config.voice_labeler is None
    )


def _sampling(settings: LanguageModelSettings) -> Sampling:
    return Sampling(
        temperature=settings.temperature,
        top_p=settings.top_p,
        max_tokens=settings.max_tokens,
        seed=settings.seed,
        extra_body=canonical_json(settings.extra_body) if settings.extra_body else "",
    )


def open_store(config: BuildConfig) -> ResponseStore:
    """Open the response store.

    Raises:
        ConfigError: Its folder cannot hold one.
    """
    return open_store_at(config.store_folder, replay=config.replay)


def _recognizer(parts: _Parts) -> SpeechRecognizer:
    config, state = parts.config, parts.state
    if config.recognizer == "gold":
        return GoldRecognizer()
    transcriber: Transcriber
    if config.recognizer == "moonshine":
        transcriber = MoonshineTranscriber(replay=config.replay)
    else:
        transcriber = OpenAITranscriber(
            config.recognizer.partition(":")[2], config.recognizer_settings, limits_folder(config)
        )
        _get_ready(config, state, transcriber)
    stored = StoredRecognizer(
        _StoppingTranscriber(transcriber, state),
        parts.store,
        replay=config.replay,
        in_flight=config.recognizer_settings.in_flight,
        meter=state.ledger.meter(
            "transcribe",
            transcriber.engine_id,
            config.recognizer_settings.prices,
            is_free=config.recognizer == "moonshine",
        ),
        decode=_evenly,
        again=parts.again,
    )
    parts.closers.append(stored.close)
    return stored


def limits_folder(config: BuildConfig) -> Path | None:
    """Return where the processes of this machine share the limits of endpoints; null in replay.

    A store at a URL is shared by machines, whose processes share a folder of their own.
    """
    if config.replay:
        return None
    if "://" not in config.store_folder:
        return Path(config.store_folder)
    name = hashlib.sha256(f"{Path.home()} {config.store_folder}".encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"ieat-limits-{name}"


def _get_ready(
    config: BuildConfig, state: RunState, engine: OpenAIChat | OpenAITranscriber
) -> None:
    """Check an engine's settings; warn where another host than before serves its model."""
    if config.replay:
        return
    engine.prepare()
    warning = note_host(config.store_folder, engine.engine_id, engine.base_url)
    if warning is not None:
        state.warn(warning)


def _evenly(span: AudioSpan) -> Samples:
    """Decode a span as recognizers hear it best: without an offset, not too quiet."""
    return even_level(decode_span(span))


def _language_model(parts: _Parts) -> StoredLanguageModel | None:
    config = parts.config
    if config.language_model is None:
        return None
    settings = config.language_model_settings
    name = config.language_model.partition(":")[2]
    return _stored(parts, OpenAIChat(name, settings, limits_folder(config)), settings.in_flight)


def _voice_labeler(parts: _Parts, prompts: PromptLibrary) -> VoiceLabeler | None:
    config = parts.config
    if config.voice_labeler is None:
        return None
    settings = config.voice_labeler_settings
    name = config.voice_labeler.partition(":")[2]
    model = OpenAIChat(name, settings, limits_folder(config), settings.audio_format)
    meter = parts.state.ledger.meter("label", model.engine_id, settings.prices)
    asked = _stored(parts, model, settings.in_flight).at(meter)
    # Loudness is part of what is judged, so it is not evened out as for recognizers.
    return AudioLabeler(asked, prompts, _sampling(settings), decode_span)


def _verifier(parts: _Parts, prompts: PromptLibrary) -> LLMVerifier | None:
    config = parts.config
    if config.verifier is None:
        return None
    settings = config.verifier_settings
    name = config.verifier.partition(":")[2]
    model = OpenAIChat(name, settings, limits_folder(config), settings_name="verifier_settings")
    meter = parts.state.ledger.meter("attribute", model.engine_id, settings.prices)
    asked = _stored(parts, model, settings.in_flight).at(meter)
    return LLMVerifier(asked, prompts, _sampling(settings))


def _teacher(parts: _Parts, prompts: PromptLibrary) -> Teacher | None:
    config = parts.config
    if config.teacher is None:
        return None
    settings = config.teacher_settings
    name = config.teacher.partition(":")[2]
    model = OpenAIChat(name, settings, limits_folder(config), settings_name="teacher_settings")
    meter = parts.state.ledger.meter("distill", model.engine_id, settings.prices)
    asked = _stored(parts, model, settings.in_flight).at(meter)
    sampling = _sampling(settings.model_copy(update={"extra_body": settings.body}))
    return LLMTeacher(asked, prompts, sampling, settings.context, config.checks)


def _stored(parts: _Parts, model: OpenAIChat, in_flight: int) -> StoredLanguageModel:
    """Put the store around a model; it is closed with the other engines."""
    _get_ready(parts.config, parts.state, model)
    stored = StoredLanguageModel(
        _StoppingModel(model, parts.state),
        parts.store,
        replay=parts.config.replay,
        in_flight=in_flight,
        again=parts.again,
    )
    parts.closers.append(stored.close)
    return stored


def _refuse_when_stopped(state: RunState) -> None:
    if state.stop_reason is not None:
        raise RunStopped(state.stop_reason.code, state.stop_reason.message)


class _StoppingModel:
    """Asks nothing more once the run is stopped; what is in flight is finished and stored."""

    def __init__(self, model: LanguageModel, state: RunState) -> None:
        self.engine_id = model.engine_id
        self._model = model
        self._state = state

    async def complete(
        self, question: Question, call: Call, samples: Samples | None = None
    ) -> Answer:
        """Pass a question on."""
        _refuse_when_stopped(self._state)
        return await self._model.complete(question, call, samples)

    async def close(self) -> None:
        """Close the model."""
        await self._model.close()


class _StoppingTranscriber:
    """Transcribes nothing more once the run is stopped."""

    def __init__(self, transcriber: Transcriber, state: RunState) -> None:
        self.engine_id = transcriber.engine_id
        self.languages = transcriber.languages
        self._transcriber = transcriber
        self._state = state

    async def transcribe(self, samples: Samples, language: Language, call: Call) -> Answer:
        """Pass a sound on."""
        _refuse_when_stopped(self._state)
        return await self._transcriber.transcribe(samples, language, call)

    def parse(self, answer: Answer) -> Recognition:
        """Read a stored answer."""
        return self._transcriber.parse(answer)

    async def close(self) -> None:
        """Close the transcriber."""
        await self._transcriber.close()


def engine_opener(config: BuildConfig) -> Callable[[RunState], Engines]:
    """Return what opens the engines in a worker; it can be pickled."""
    return partial(open_engines, config)


def engine_ids(engines: Engines) -> dict[str, str | None]:
    """Return the id of the engine behind each role; a role that need not be is absent without."""
    ids: dict[str, str | None] = {
        "recognizer": engines.recognizer.recognizer_id,
        "labeler": engines.labeler.labeler_id if engines.labeler else "gold",
        "attributor": engines.attributor.attributor_id,
        "language_model": engines.model.engine_id if engines.model else None,
    }
    if engines.retrospector is not None:
        ids["retrospector"] = engines.retrospector.retrospector_id
    if engines.voice_labeler is not None:
        ids["voice_labeler"] = engines.voice_labeler.labeler_id
    if engines.verifier is not None:
        ids["verifier"] = engines.verifier.verifier_id
    if engines.teacher is not None:
        ids["teacher"] = engines.teacher.teacher_id
    return ids
