"""What all engines that are asked have in common: the store around them, limits, and stops."""

import hashlib
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ieat.pipeline.config import LanguageModelSettings
from ieat.pipeline.engines.openai_chat import OpenAIChat
from ieat.pipeline.engines.openai_transcription import OpenAITranscriber
from ieat.pipeline.failures import RunStopped
from ieat.pipeline.ports import (
    Call,
    LanguageModel,
    ResponseStore,
    Samples,
    Transcriber,
)
from ieat.pipeline.run_state import RunState
from ieat.pipeline.store.hosts import note_host
from ieat.pipeline.store.stored import MeteredLanguageModel, StoredLanguageModel
from ieat.prompts.library import canonical_json
from ieat.schemas.dialogue import Language
from ieat.schemas.engine import Answer, Question, Sampling
from ieat.schemas.transcript import Recognition


class Asking(Protocol):
    """What all configurations that ask engines have."""

    @property
    def replay(self) -> bool:
        """Whether only stored answers are used."""
        ...

    @property
    def store_folder(self) -> str:
        """Folder or URL of the response store."""
        ...


@dataclass
class Parts:
    """What engines are made of."""

    config: Asking
    state: RunState
    store: ResponseStore
    again: frozenset[str] = frozenset()
    """Keys that are asked again although they have an answer."""
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """What lets go of engines, in the order in which they were opened."""


def metered_model(
    parts: Parts, model: OpenAIChat, settings: LanguageModelSettings, stage: str
) -> MeteredLanguageModel:
    """Put the store around a model that one stage alone asks."""
    meter = parts.state.ledger.meter(stage, model.engine_id, settings.prices)
    return stored_model(parts, model, settings.in_flight).at(meter)


def stored_model(parts: Parts, model: OpenAIChat, in_flight: int) -> StoredLanguageModel:
    """Put the store around a model; it is closed with the other engines."""
    get_ready(parts.config, parts.state, model)
    stored = StoredLanguageModel(
        StoppingModel(model, parts.state),
        parts.store,
        replay=parts.config.replay,
        in_flight=in_flight,
        again=parts.again,
    )
    parts.closers.append(stored.close)
    return stored


def get_ready(config: Asking, state: RunState, engine: OpenAIChat | OpenAITranscriber) -> None:
    """Check an engine's settings; warn where another host than before serves its model."""
    if config.replay:
        return
    engine.prepare()
    warning = note_host(config.store_folder, engine.engine_id, engine.base_url)
    if warning is not None:
        state.warn(warning)


def limits_folder(config: Asking) -> Path | None:
    """Return where the processes of this machine share the limits of endpoints; null in replay.

    A store at a URL is shared by machines, whose processes share a folder of their own.
    """
    if config.replay:
        return None
    if "://" not in config.store_folder:
        return Path(config.store_folder)
    name = hashlib.sha256(f"{Path.home()} {config.store_folder}".encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"ieat-limits-{name}"


def sampling_of(settings: LanguageModelSettings) -> Sampling:
    """Return how answers are drawn."""
    return Sampling(
        temperature=settings.temperature,
        top_p=settings.top_p,
        max_tokens=settings.max_tokens,
        seed=settings.seed,
        extra_body=canonical_json(settings.extra_body) if settings.extra_body else "",
    )


def _refuse_when_stopped(state: RunState) -> None:
    if state.stop_reason is not None:
        raise RunStopped(state.stop_reason.code, state.stop_reason.message)


class StoppingModel:
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


class StoppingTranscriber:
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
