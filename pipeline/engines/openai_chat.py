"""Language models behind an OpenAI-compatible chat endpoint, by words alone or with sound."""

import asyncio
import base64
import json
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from ieat.pipeline.audio.encode import to_flac, to_wav
from ieat.pipeline.config import AudioFormat, LanguageModelSettings
from ieat.pipeline.engines.endpoint import BrokenEnvelope, Endpoint
from ieat.pipeline.engines.refusals import BadRequest
from ieat.pipeline.ports import Call, Samples
from ieat.schemas.engine import Answer, Message, Outcome, Question, Usage

AnswerMode = Literal["json_schema", "json_object", "prompt"]

NEXT_MODE: dict[AnswerMode, AnswerMode] = {"json_schema": "json_object", "json_object": "prompt"}

NAMES_THE_FORMAT = re.compile(
    r"response_format|json_schema|json_object|json mode|structured output|guided|grammar|schema",
    re.IGNORECASE,
)
NAMES_MAX_TOKENS = re.compile(r"max_completion_tokens|max_tokens", re.IGNORECASE)
NAMES_SAMPLING = re.compile(r"\b(temperature|top_p)\b", re.IGNORECASE)
NAMES_SEED = re.compile(r"\bseed\b", re.IGNORECASE)
NAMES_AUDIO_FORMAT = re.compile(r"input_audio|audio format|\bflac\b", re.IGNORECASE)

THINKING = re.compile(r"\s*<think(?:ing)?>(.*?)(?:</think(?:ing)?>|\Z)", re.DOTALL)
END_OF_THINKING = re.compile(r"</think(?:ing)?>")

SCHEMA_REQUEST = (
    "\n\nAnswer with one JSON object that fits this JSON schema, and with nothing else:\n"
)
"""Put before the schema where the server cannot hold the model to it; the same in all languages."""


@dataclass(frozen=True)
class Dialect:
    """What a server takes of the chat API; found once per engine, no part of any key."""

    mode: AnswerMode = "json_schema"
    """How the answer's form is asked for."""
    counts_completion: bool = False
    """Whether the limit is named `max_completion_tokens` instead of `max_tokens`."""
    takes_sampling: bool = True
    """Whether temperature and top_p may be set; reasoning models often refuse them."""
    takes_seed: bool = True
    """Whether a seed may be set."""
    audio_format: AudioFormat = "wav"
    """How sound is sent; OpenAI's own servers take no FLAC in chats."""

    def without(
        self, refused: BadRequest, *, is_known_to_work: bool, is_plain: bool
    ) -> "Dialect | None":
        """Return what to try next after a refusal; null when the form is not the reason.

        Args:
            refused: What the server said.
            is_known_to_work: Whether this very dialect had an answer before: then only a refusal
                that names a part of it leads on.
            is_plain: Whether the answer has no form, so that no mode of asking for one matters.
        """
        if not refused.may_be_the_form:
            return None
        wording = refused.wording
        if not self.counts_completion and NAMES_MAX_TOKENS.search(wording):
            return replace(self, counts_completion=True)
        if self.takes_sampling and NAMES_SAMPLING.search(wording):
            return replace(self, takes_sampling=False)
        if self.takes_seed and NAMES_SEED.search(wording):
            return replace(self, takes_seed=False)
        if self.audio_format == "flac" and NAMES_AUDIO_FORMAT.search(wording):
            return replace(self, audio_format="wav")
        following = None if is_plain else NEXT_MODE.get(self.mode)
        if following is None or (is_known_to_work and not NAMES_THE_FORMAT.search(wording)):
            return None
        return replace(self, mode=following)


class OpenAIChat:
    """Asks one model of an OpenAI-compatible chat endpoint.

    Args:
        model: The model's name at the server.
        settings: How it is asked; sampling comes with each question.
        limits_folder: Folder in which the processes of this machine share the limits.
        audio_format: How sound is sent, to a model that labels voices; null for one that is asked
            by words alone.
        settings_name: Where the settings stand in the configuration, for messages; null means where
            they stand for a language model, or for a voice labeler.

    Raises:
        ConfigError: The base URL is no URL.
    """

    def __init__(
        self,
        model: str,
        settings: LanguageModelSettings,
        limits_folder: Path | None = None,
        audio_format: AudioFormat | None = None,
        settings_name: str | None = None,
    ) -> None:
        kind, usual_name = (
            ("openai", "language_model_settings")
            if audio_format is None
            else ("openai-audio", "voice_labeler_settings")
        )
        self.engine_id = f"{kind}:{model}" + (f"@{settings.revision}" if settings.revision else "")
        self._model = model
        self._endpoint = Endpoint(model, settings, settings_name or usual_name, limits_folder)
        self._dialect = Dialect(audio_format=audio_format or "wav")
        self._is_found = False

    async def complete(
        self, question: Question, call: Call, samples: Samples | None = None
    ) -> Answer:
        """Return the raw answer with its outcome.

        Raises:
            RecordError: The question was refused (`context_too_long`, `content_filtered`,
                `bad_request`), or its answers are broken (`broken_response`).
            EngineUnavailable: The service still fails after all attempts, or refuses us.
        """
        if question.span is not None and samples is None:
            raise ValueError("a question about a sound came without the sound")
        return await self._endpoint.first_alone(lambda: self._complete(question, call, samples))

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

    async def _complete(self, question: Question, call: Call, samples: Samples | None) -> Answer:
        dialect = self._dialect
        is_plain = question.answer_schema.is_plain
        is_known_to_work = self._is_found
        first_refusal: BadRequest | None = None
        while True:
            sound = None
            if samples is not None:
                sound = await asyncio.to_thread(_sound_part, samples, dialect.audio_format)
            try:
                answer = await self._endpoint.post(
                    "/chat/completions", _body(self._model, question, dialect, sound), _read, call
                )
            except BadRequest as refused:
                first_refusal = first_refusal or refused
                following = dialect.without(
                    refused, is_known_to_work=is_known_to_work, is_plain=is_plain
                )
                if following is None:
                    # What the server said to the plain form says more than later refusals.
                    raise first_refusal from None
                dialect, is_known_to_work = following, False
            else:
                # A call that began earlier in an older dialect must not bring that one back.
                if first_refusal is not None or not self._is_found:
                    self._dialect = dialect
                    # A plain answer says nothing of the mode.
                    self._is_found = self._is_found or not is_plain
                return answer


def _sound_part(samples: Samples, audio_format: AudioFormat) -> dict[str, object]:
    """Return mono samples at 16 kHz as a part of a message."""
    content = to_flac(samples) if audio_format == "flac" else to_wav(samples)
    data = base64.b64encode(content).decode("ascii")
    return {"type": "input_audio", "input_audio": {"data": data, "format": audio_format}}


def _messages(
    messages: tuple[Message, ...], sound: dict[str, object] | None
) -> list[dict[str, object]]:
    """Return messages as the API takes them; sound follows the user's first words."""
    sent: list[dict[str, object]] = [
        {"role": message.role, "content": message.content} for message in messages
    ]
    if sound is not None:
        asked = next(message for message in sent if message["role"] == "user")
        asked["content"] = [{"type": "text", "text": asked["content"]}, sound]
    return sent


def _body(
    model: str, question: Question, dialect: Dialect, sound: dict[str, object] | None
) -> dict[str, object]:
    sampling = question.sampling
    messages = question.messages
    mode = None if question.answer_schema.is_plain else dialect.mode
    if mode in ("json_object", "prompt"):
        schema = json.dumps(
            _schema(question.answer_schema.text), ensure_ascii=False, separators=(",", ":")
        )
        messages = _with_schema(messages, schema)
    body: dict[str, object] = {
        "model": model,
        "messages": _messages(messages, sound),
        "max_completion_tokens" if dialect.counts_completion else "max_tokens": sampling.max_tokens,
    }
    if dialect.takes_sampling:
        body["temperature"] = sampling.temperature
        if sampling.top_p is not None:
            body["top_p"] = sampling.top_p
    if dialect.takes_seed and sampling.seed is not None:
        # With one seed for all, every further answer to a question would be the first one again.
        body["seed"] = sampling.seed + question.sample_index
    if mode == "json_schema":
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {
                # The API takes letters, digits, underscores and dashes only.
                "name": re.sub(r"[^A-Za-z0-9_-]", "_", question.answer_schema.schema_id)[:64],
                "schema": _schema(question.answer_schema.text),
                "strict": True,
            },
        }
    elif mode == "json_object":
        body["response_format"] = {"type": "json_object"}
    if sampling.extra_body:
        body.update(json.loads(sampling.extra_body))
    return body


@cache
def _schema(text: str) -> object:
    """Return a released schema as JSON; there are a handful, and every question has one.

    Canonical JSON sorts properties by name, and servers that hold an answer to a schema have it
    written in the order of the properties. `required` keeps the order in which to think.
    """
    return json.loads(text, object_hook=_in_order_of_thought)


def _in_order_of_thought(part: dict[str, Any]) -> dict[str, Any]:
    properties, required = part.get("properties"), part.get("required")
    if not isinstance(properties, dict) or not isinstance(required, list):
        return part
    names = dict.fromkeys([*(name for name in required if name in properties), *properties])
    return part | {"properties": {name: properties[name] for name in names}}


def _with_schema(messages: tuple[Message, ...], schema: str) -> tuple[Message, ...]:
    """Put the schema at the end of the last message that is not the assistant's."""
    place = max(
        (index for index, message in enumerate(messages) if message.role != "assistant"),
        default=len(messages) - 1,
    )
    content = f"{messages[place].content}{SCHEMA_REQUEST}{schema}"
    asked = messages[place].model_copy(update={"content": content})
    return (*messages[:place], asked, *messages[place + 1 :])


def _read(body: object) -> Answer:
    """Read the envelope of a chat answer; what the answer says is for others to judge."""
    if not isinstance(body, dict):
        raise BrokenEnvelope("it is no JSON object")
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise BrokenEnvelope("it holds an error" if body.get("error") else "it holds no choices")
    message = choices[0].get("message")
    if not isinstance(message, dict):
        raise BrokenEnvelope("its choice holds no message")
    reasoning, text = _apart(_text(message.get("content")))
    for name in ("reasoning_content", "reasoning"):
        if not reasoning and isinstance(message.get(name), str):
            reasoning = _sound_text(message[name])
    refusal = _text(message.get("refusal"))
    outcome: Outcome = "answer"
    ended = choices[0].get("finish_reason")
    if refusal:
        outcome, text = "refusal", refusal
    elif ended == "content_filter":
        outcome = "filtered"
    elif ended == "length":
        outcome = "truncated"
    model = body.get("model")
    return Answer(
        text=text,
        reasoning=reasoning or None,
        outcome=outcome,
        finish_reason=_sound_text(ended) if isinstance(ended, str) else None,
        model=_sound_text(model) if isinstance(model, str) else None,
        usage=_usage(body.get("usage")),
    )


def _text(content: object) -> str:
    """Return the text of a message, which some servers send in parts."""
    if isinstance(content, list):
        content = "".join(
            part["text"]
            for part in content
            if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    if content is None:
        return ""
    if not isinstance(content, str):
        raise BrokenEnvelope("the content of its message is no text")
    return _sound_text(content)


def _sound_text(text: str) -> str:
    """Replace halves of surrogate pairs, which JSON can hold and UTF-8 cannot."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _apart(content: str) -> tuple[str, str]:
    """Part the thinking at the start of a content from the answer."""
    thinking = THINKING.match(content)
    if thinking:
        return thinking[1].strip(), content[thinking.end() :].strip()
    end = END_OF_THINKING.search(content)
    # Some chat templates open the thinking in the question; JSON that quotes the tag is no case.
    if end and not content.lstrip().startswith(("{", "[", "`")):
        return content[: end.start()].strip(), content[end.end() :].strip()
    return "", content


def _usage(usage: object) -> Usage:
    return Usage(
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        cached_tokens=_count(usage, "prompt_tokens_details", "cached_tokens"),
        reasoning_tokens=_count(usage, "completion_tokens_details", "reasoning_tokens"),
        audio_tokens=_count(usage, "prompt_tokens_details", "audio_tokens"),
    )


def _count(usage: object, *path: str) -> int | None:
    for name in path:
        usage = usage.get(name) if isinstance(usage, dict) else None
    return usage if isinstance(usage, int) and not isinstance(usage, bool) else None
