"""Moonshine tiny for English: speech recognition inside the process, no service, no key."""

import asyncio
import hashlib
import importlib.util
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ieat.pipeline.failures import ConfigError, EngineUnavailable, RecordError, UnusableAnswer
from ieat.pipeline.ports import Call, Samples
from ieat.schemas.dialogue import Language
from ieat.schemas.engine import Answer
from ieat.schemas.transcript import Recognition

PACKAGE = "moonshine_voice"
SAMPLE_RATE = 16_000
"""What the model hears, Hz."""
WEIGHTS_SHA256 = {
    "decoder_model_merged.ort": "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    "encoder_model.ort": "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    "tokenizer.bin": "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
}
"""The weights of moonshine-voice 0.1.0, by file of its folder assets/tiny-en."""

INSTALL = "install it with: pip install 'ieat[embedded]', or set recognizer to openai:MODEL or gold"


OPTIONS = {"vad_threshold": "0.0"}
"""Takes a span as one stretch of speech: turns are cut already, and the package's own search for
speech begins from memory that was never set, so what it found hung on the sounds before. Word
error rate on 98 acted turns: .103, with the search .122 to .133; half the time."""

LOADING = threading.Lock()
"""Held while a model loads: the package's own loading of its library is not safe in threads."""


class _Line(BaseModel):
    """One stretch of speech that the engine found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    start: float
    """Start within the span, seconds."""
    duration: float
    """Length, seconds."""


class _Lines(BaseModel):
    """The form of an answer's text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lines: tuple[_Line, ...] = Field(...)


class MoonshineTranscriber:
    """Transcribes English with the weights that moonshine-voice 0.1.0 carries.

    The engine lets go of the interpreter's lock while it works, so threads run side by side; each
    has a model of its own, loaded on first use (0.4 s, some 200 MB). It puts words even into
    silence: ask it about sound with a voice only.

    Args:
        replay: Whether only stored answers are read, for which the package is not needed.

    Raises:
        ConfigError: The package is missing, carries no weights, or other ones.
    """

    def __init__(self, *, replay: bool = False) -> None:
        self._weights = None if replay else _find_weights()
        if self._weights is not None:
            _check_weights(self._weights)
        self.engine_id = f"moonshine:tiny-en@{_revision()}"
        self.languages = frozenset({Language.EN})
        self._models = threading.local()
        self._loaded: list[Any] = []
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="moonshine")

    async def transcribe(self, samples: Samples, language: Language, call: Call) -> Answer:
        """Transcribe mono float32 samples at 16 kHz; the answer's text is JSON with lines.

        Raises:
            RecordError: The engine refuses this sound.
            EngineUnavailable: The engine cannot be loaded.
        """
        if language not in self.languages:
            raise RecordError("recognizer_language", f"{self.engine_id} hears English only")
        lines = await asyncio.get_running_loop().run_in_executor(self._pool, self._hear, samples)
        return Answer(text=json.dumps({"lines": lines}, ensure_ascii=False), model="tiny-en")

    def parse(self, answer: Answer) -> Recognition:
        """Join the lines of a stored answer; the engine says nothing of how sure it is.

        Raises:
            UnusableAnswer: The answer is not in the engine's form.
        """
        try:
            heard = _Lines.model_validate_json(answer.text)
        except ValidationError:
            raise UnusableAnswer(
                "broken_answer", f"the stored answer of {self.engine_id} holds no lines"
            ) from None
        texts = (line.text.strip() for line in heard.lines)
        return Recognition(text=" ".join(text for text in texts if text))

    async def close(self) -> None:
        """Wait for what is being transcribed and free the models."""
        await asyncio.to_thread(self._pool.shutdown)
        while self._loaded:
            self._loaded.pop().close()

    def _hear(self, samples: Samples) -> list[dict[str, Any]]:
        """Transcribe in one of the pool's threads."""
        from moonshine_voice.errors import MoonshineError

        model = self._model()
        try:
            heard = model.transcribe_without_streaming(samples.tolist(), SAMPLE_RATE)
        except MoonshineError as error:
            problem = RecordError("transcription_failed", f"{self.engine_id} cannot hear: {error}")
        else:
            return [
                {
                    "text": line.text,
                    "start": round(float(line.start_time), 3),
                    "duration": round(float(line.duration), 3),
                }
                for line in heard.lines
            ]
        raise problem

    def _model(self) -> Any:
        """Return this thread's model, loading it on first use."""
        model = getattr(self._models, "model", None)
        if model is not None:
            return model
        from moonshine_voice import ModelArch
        from moonshine_voice.errors import MoonshineError
        from moonshine_voice.transcriber import Transcriber

        try:
            with LOADING:
                model = Transcriber(str(self._weights), ModelArch.TINY, options=OPTIONS)
        except (MoonshineError, OSError) as error:
            problem = EngineUnavailable(f"{self.engine_id} cannot be loaded: {error}; {INSTALL}")
        else:
            self._models.model = model
            self._loaded.append(model)
            return model
        raise problem


def _find_weights() -> Path:
    """Return the folder of the weights in the installed package, without importing it."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ConfigError(f"the recognizer moonshine needs the package moonshine-voice; {INSTALL}")
    return Path(found.submodule_search_locations[0]) / "assets" / "tiny-en"


def _revision() -> str:
    """Return the revision of weights and options together, 12 hexadecimal digits."""
    together = hashlib.sha256()
    for _, sha256 in sorted(WEIGHTS_SHA256.items()):
        together.update(sha256.encode())
    # The options change what is heard as the weights do.
    together.update(json.dumps(OPTIONS, sort_keys=True).encode())
    return together.hexdigest()[:12]


def _check_weights(folder: Path) -> None:
    """Compare the weights with the known ones.

    Raises:
        ConfigError: They are missing, or other ones.
    """
    for name, wanted in sorted(WEIGHTS_SHA256.items()):
        try:
            found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        except OSError:
            raise ConfigError(
                f"the installed moonshine-voice carries no weights ({name} is missing), as later "
                "versions load them from a server; install moonshine-voice==0.1.0"
            ) from None
        if found != wanted:
            raise ConfigError(
                f"the weights of the installed moonshine-voice are other ones than expected "
                f"({name}: SHA-256 {found[:12]}, wanted {wanted[:12]}); install "
                "moonshine-voice==0.1.0"
            )
