"""Speech engines behind an OpenAI-compatible transcription endpoint."""

import asyncio
import json
import math
import re
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ieat.pipeline.audio.encode import to_flac
from ieat.pipeline.config import EndpointSettings
from ieat.pipeline.engines.connection import Upload
from ieat.pipeline.engines.endpoint import BrokenEnvelope, Endpoint
from ieat.pipeline.engines.refusals import BadRequest
from ieat.pipeline.failures import UnusableAnswer
from ieat.pipeline.ports import Call, Samples
from ieat.schemas.dialogue import Language
from ieat.schemas.engine import Answer, Usage
from ieat.schemas.transcript import Recognition, Word

NAMES_THE_FORM = re.compile(
    r"response_format|verbose_json|timestamp_granularit|logprobs|\binclude\b", re.IGNORECASE
)


class Form(NamedTuple):
    """How an answer is asked for; found once per engine, no part of any key."""

    fields: dict[str, object]
    """Fields of the request."""


FORMS = (
    Form({"response_format": "verbose_json", "timestamp_granularities": ["word", "segment"]}),
    Form({"response_format": "verbose_json", "timestamp_granularities": ["segment"]}),
    Form({"response_format": "json", "include": ["logprobs"]}),
    Form({"response_format": "json"}),
)
"""Richest first: gpt-4o-transcribe takes only `json`, some servers know no word times."""


class _Heard(BaseModel):
    """Base of the parts of an answer: servers may add what they like."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _HeardWord(_Heard):
    word: str
    start: float
    end: float
    probability: float | None = None


class _HeardSegment(_Heard):
    text: str = ""
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    tokens: list[int] | None = None


class _HeardToken(_Heard):
    logprob: float


class _HeardText(_Heard):
    text: str
    language: str | None = None
    words: list[_HeardWord] | None = Field(default=None)
    segments: list[_HeardSegment] | None = None
    logprobs: list[_HeardToken] | None = None


class OpenAITranscriber:
    """Asks one speech model of an OpenAI-compatible transcription endpoint.

    Args:
        model: The model's name at the server.
        settings: How it is asked.
        limits_folder: Folder in which the processes of this machine share the limits.

    Raises:
        ConfigError: The base URL is no URL.
    """

    def __init__(
        self, model: str, settings: EndpointSettings, limits_folder: Path | None = None
    ) -> None:
        self.engine_id = f"openai:{model}" + (f"@{settings.revision}" if settings.revision else "")
        self.languages = frozenset({Language.EN, Language.ZH})
        self._model = model
        self._endpoint = Endpoint(model, settings, "recognizer_settings", limits_folder)
        self._form = 0
        self._is_found = False

    async def transcribe(self, samples: Samples, language: Language, call: Call) -> Answer:
        """Transcribe mono float32 samples at 16 kHz; the answer's text is the server's JSON.

        Raises:
            RecordError: The sound was refused, or its answers are broken.
            EngineUnavailable: The service still fails after all attempts, or refuses us.
        """
        flac = await asyncio.to_thread(to_flac, samples)
        upload = Upload("turn.flac", flac, "audio/flac")
        return await self._endpoint.first_alone(lambda: self._transcribe(upload, language, call))

    def parse(self, answer: Answer) -> Recognition:
        """Read a stored answer: words with times where there are any, and how sure they are.

        Raises:
            UnusableAnswer: The answer holds no text.
        """
        try:
            heard = _HeardText.model_validate_json(answer.text)
        except ValidationError:
            raise UnusableAnswer(
                "broken_answer",
                f"the stored answer of {self.engine_id} is not in the form of the API",
            ) from None
        silences = [s.no_speech_prob for s in heard.segments or () if s.no_speech_prob is not None]
        return Recognition(
            text=heard.text.strip(),
            words=tuple(word for word in map(_word, heard.words or ()) if word is not None),
            confidence=_confidence(heard),
            # One segment with speech is enough for the span to hold speech.
            no_speech=_share(min(silences)) if silences else None,
            language=heard.language or None,
        )

    def prepare(self) -> None:
        """Look at key, files and variables that the settings name, before anything is asked.

        Raises:
            EngineUnavailable: There is no key.
            ConfigError: A setting of the connection is of no use.
        """
        self._endpoint.prepare()

    @property
    def base_url(self) -> str:
        """Base URL without credentials; no part of any key."""
        return self._endpoint.base_url

    async def close(self) -> None:
        """Close all connections."""
        await self._endpoint.close()

    async def _transcribe(self, upload: Upload, language: Language, call: Call) -> Answer:
        form = self._form
        is_known_to_work = self._is_found
        first_refusal: BadRequest | None = None
        while True:
            body: dict[str, object] = {
                "model": self._model,
                "language": language.value,
                **FORMS[form].fields,
            }
            try:
                answer = await self._endpoint.post(
                    "/audio/transcriptions", body, _read, call, upload
                )
            except BadRequest as refused:
                first_refusal = first_refusal or refused
                leads_on = refused.may_be_the_form and (
                    not is_known_to_work or NAMES_THE_FORM.search(refused.wording)
                )
                if not leads_on or form + 1 == len(FORMS):
                    raise first_refusal from None
                form, is_known_to_work = form + 1, False
            else:
                # A call that began earlier in a richer form must not bring that one back.
                if first_refusal is not None or not self._is_found:
                    self._form, self._is_found = form, True
                return answer


def _read(body: object) -> Answer:
    """Keep the whole body: it was paid, and what is read of it may change."""
    if not isinstance(body, dict) or not isinstance(body.get("text"), str):
        raise BrokenEnvelope("it holds no text")
    try:
        # ASCII escapes keep even halves of surrogate pairs storable.
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except ValueError:
        raise BrokenEnvelope("it holds numbers that are none") from None
    return Answer(text=text, usage=_usage(body.get("usage")))


def _usage(usage: object) -> Usage:
    counts: dict[str, Any] = usage if isinstance(usage, dict) else {}
    tokens = {
        ours: counts[theirs]
        for ours, theirs in (
            ("prompt_tokens", "input_tokens"),
            ("completion_tokens", "output_tokens"),
        )
        if isinstance(counts.get(theirs), int)
    }
    return Usage(**tokens)


def _word(heard: _HeardWord) -> Word | None:
    """Return a word with its time; null for one without letters, which some servers send."""
    text = heard.word.strip()
    if not text:
        return None
    start = max(0.0, heard.start)
    return Word(
        text=text,
        start=start,
        end=max(start, heard.end),
        confidence=None if heard.probability is None else _share(heard.probability),
    )


def _confidence(heard: _HeardText) -> float | None:
    """Return the mean probability of the tokens (their geometric mean); null when not given."""
    if heard.logprobs:
        return _probability(math.fsum(t.logprob for t in heard.logprobs) / len(heard.logprobs))
    total, weight = 0.0, 0
    for segment in heard.segments or ():
        if segment.avg_logprob is not None:
            # Without the tokens, the length of the text stands in for their number.
            length = max(1, len(segment.tokens or segment.text))
            total += segment.avg_logprob * length
            weight += length
    return _probability(total / weight) if weight else None


def _probability(logprob: float) -> float:
    return round(_share(math.exp(min(0.0, logprob))), 6)


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))
