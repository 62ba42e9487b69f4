"""Engine names of a build's configuration to engines."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from ieat.pipeline.audio.decode import decode_span
from ieat.pipeline.audio.examine import examine
from ieat.pipeline.audio.level import even_level
from ieat.pipeline.config import BuildConfig
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
from ieat.pipeline.guard import Guard, read_guard
from ieat.pipeline.ports import (
    Attributor,
    EmotionLabeler,
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
from ieat.pipeline.store.opening import open_store as open_store_at
from ieat.pipeline.store.stored import MeteredLanguageModel, StoredLanguageModel, StoredRecognizer
from ieat.pipeline.wiring.asking import (
    Parts,
    StoppingTranscriber,
    get_ready,
    limits_folder,
    metered_model,
    sampling_of,
    stored_model,
)
from ieat.prompts.library import PromptLibrary
from ieat.schemas.audio import AudioSpan, Sound


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
        parts = Parts(config, state, store, keys_to_retry(config.output, config.retry))
        return _open(config, parts)
    except BaseException:
        store.close()
        raise


def _open(config: BuildConfig, parts: Parts) -> Engines:
    state = parts.state
    recognizer = _recognizer(config, parts)
    model = _language_model(config, parts)
    prompts = PromptLibrary(config.prompts)
    settings = config.language_model_settings
    sampling = sampling_of(settings)
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
    verifier = _verifier(config, parts, prompts)
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
        voice_labeler=_voice_labeler(config, parts, prompts),
        attributor=attributor,
        verifier=verifier,
        responder=responder,
        teacher=_teacher(config, parts, prompts),
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


def open_store(config: BuildConfig) -> ResponseStore:
    """Open the response store.

    Raises:
        ConfigError: Its folder cannot hold one.
    """
    return open_store_at(config.store_folder, replay=config.replay)


def _recognizer(config: BuildConfig, parts: Parts) -> SpeechRecognizer:
    state = parts.state
    if config.recognizer == "gold":
        return GoldRecognizer()
    transcriber: Transcriber
    if config.recognizer == "moonshine":
        transcriber = MoonshineTranscriber(replay=config.replay)
    else:
        transcriber = OpenAITranscriber(
            config.recognizer.partition(":")[2], config.recognizer_settings, limits_folder(config)
        )
        get_ready(config, state, transcriber)
    stored = StoredRecognizer(
        StoppingTranscriber(transcriber, state),
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


def _evenly(span: AudioSpan) -> Samples:
    """Decode a span as recognizers hear it best: without an offset, not too quiet."""
    return even_level(decode_span(span))


def _language_model(config: BuildConfig, parts: Parts) -> StoredLanguageModel | None:
    if config.language_model is None:
        return None
    settings = config.language_model_settings
    name = config.language_model.partition(":")[2]
    return stored_model(
        parts, OpenAIChat(name, settings, limits_folder(config)), settings.in_flight
    )


def _voice_labeler(
    config: BuildConfig, parts: Parts, prompts: PromptLibrary
) -> VoiceLabeler | None:
    if config.voice_labeler is None:
        return None
    settings = config.voice_labeler_settings
    name = config.voice_labeler.partition(":")[2]
    model = OpenAIChat(name, settings, limits_folder(config), settings.audio_format)
    asked = metered_model(parts, model, settings, "label")
    # Loudness is part of what is judged, so it is not evened out as for recognizers.
    return AudioLabeler(asked, prompts, sampling_of(settings), decode_span)


def _verifier(config: BuildConfig, parts: Parts, prompts: PromptLibrary) -> LLMVerifier | None:
    if config.verifier is None:
        return None
    settings = config.verifier_settings
    name = config.verifier.partition(":")[2]
    model = OpenAIChat(name, settings, limits_folder(config), settings_name="verifier_settings")
    asked = metered_model(parts, model, settings, "attribute")
    return LLMVerifier(asked, prompts, sampling_of(settings))


def _teacher(config: BuildConfig, parts: Parts, prompts: PromptLibrary) -> Teacher | None:
    if config.teacher is None:
        return None
    settings = config.teacher_settings
    name = config.teacher.partition(":")[2]
    model = OpenAIChat(name, settings, limits_folder(config), settings_name="teacher_settings")
    asked = metered_model(parts, model, settings, "distill")
    sampling = sampling_of(settings.model_copy(update={"extra_body": settings.body}))
    return LLMTeacher(asked, prompts, sampling, settings.context, config.checks)


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
