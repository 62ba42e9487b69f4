"""How engines behind endpoints are asked, and what they cost."""

import os
from typing import Any, Literal

from pydantic import Field, field_validator

from ieat.pipeline.config.base import Settings

OPENAI_URL = "https://api.openai.com/v1"

AudioFormat = Literal["flac", "wav"]

Service = Literal["own", "commercial"]


class Prices(Settings):
    """What an engine costs, US dollars per million tokens unless said otherwise."""

    input: float = Field(default=0.0, ge=0)
    """A million tokens of questions."""
    output: float = Field(default=0.0, ge=0)
    """A million tokens of answers."""
    cached_input: float | None = Field(default=None, ge=0)
    """A million tokens of questions that the server's prefix cache held; null means `input`."""
    reasoning: float | None = Field(default=None, ge=0)
    """A million tokens of a reasoning model's thinking; null means `output`."""
    audio_input: float | None = Field(default=None, ge=0)
    """A million tokens of sound in questions; null means `input`."""
    audio_minute: float = Field(default=0.0, ge=0)
    """A minute of sound, for recognizers that bill by time, US dollars."""


class EndpointSettings(Settings):
    """How an OpenAI-compatible endpoint is asked."""

    base_url: str | None = None
    """Base URL; null means the environment's OPENAI_BASE_URL, else OpenAI."""
    revision: str | None = None
    """Revision of the model, part of every key; set it where the server does not."""
    api_key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; the key itself never stands in a config."""
    in_flight: int = Field(default=64, gt=0)
    """Most calls at once."""
    timeout: float = Field(default=120.0, gt=0)
    """Longest wait for one call, seconds."""
    max_attempts: int = Field(default=7, gt=0)
    """Calls before the engine counts as unavailable; seven wait half a minute in all."""
    max_wait: float = Field(default=60.0, gt=0)
    """Longest wait between two attempts, seconds."""
    requests_per_minute: float | None = Field(default=None, gt=0)
    """Most requests a minute, over all stages and processes of the machine; null means no limit
    of ours: what the server's answers say of its own is kept to in either case."""
    tokens_per_minute: float | None = Field(default=None, gt=0)
    """Most tokens a minute, likewise."""
    prices: Prices | None = None
    """What the model costs; needed by `max_usd`, and for money in plans and reports."""
    organization: str | None = None
    """OpenAI organization; null means the environment's OPENAI_ORG_ID."""
    project: str | None = None
    """OpenAI project; null means the environment's OPENAI_PROJECT_ID."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Further headers of each request; secrets belong in `headers_env`."""
    headers_env: dict[str, str] = Field(default_factory=dict)
    """Further headers whose values are in environment variables: header name to variable."""
    proxy: str | None = None
    """URL of an HTTP proxy; null means the environment's HTTP_PROXY, HTTPS_PROXY and NO_PROXY."""
    ca_file: str | None = None
    """PEM file of authorities to trust in place of the system's; null means the environment's
    SSL_CERT_FILE, else the system's."""
    client_cert: str | None = None
    """PEM file of a certificate to show to the server, with its key unless `client_key` has it."""
    client_key: str | None = None
    """PEM file of the certificate's key."""
    service: Service | None = None
    """Whether the endpoint is your `own` or a `commercial` service; null tells it by the host,
    where that is known."""
    model_license: str | None = None
    """License of the model, such as apache-2.0; told in resources.json and on the card."""
    model_is_open: bool | None = None
    """Whether the weights of the model are open; null means not known."""

    @property
    def url(self) -> str:
        """The base URL that is asked; the environment's where none is configured."""
        return self.base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL


class LanguageModelSettings(EndpointSettings):
    """How the language model is asked."""

    temperature: float = Field(default=0.0, ge=0)
    """Softmax temperature; 0 is greedy."""
    top_p: float | None = None
    """Nucleus probability; null leaves it to the server."""
    max_tokens: int = Field(default=1024, gt=0)
    """Most tokens of an answer."""
    seed: int | None = None
    """Seed sent to the server; null sends none."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Further fields of the request, such as vLLM's chat_template_kwargs; part of every key."""

    @field_validator("extra_body")
    @classmethod
    def _adds_to_the_question(cls, extra_body: dict[str, Any]) -> dict[str, Any]:
        for name in ("model", "messages", "response_format", "stream"):
            if name in extra_body:
                raise ValueError(f"extra_body may not hold {name}: the build sets it")
        return extra_body


class VoiceLabelerSettings(LanguageModelSettings):
    """How the voice labeler is asked."""

    max_tokens: int = Field(default=256, gt=0)
    """Most tokens of an answer."""
    audio_format: AudioFormat = "wav"
    """How sound is sent: every server takes `wav`, and `flac` is about half as large."""
