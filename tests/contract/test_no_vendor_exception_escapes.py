"""Whatever the client library, its transports or the system raise leaves as one of our errors."""

import asyncio
import functools
import json
import socket
import ssl
from types import ModuleType, SimpleNamespace

import aiohttp
import numpy as np
import openai
import pytest

from ieat.pipeline.config import EndpointSettings, LanguageModelSettings
from ieat.pipeline.engines.connection import http
from ieat.pipeline.engines.openai_chat import OpenAIChat
from ieat.pipeline.engines.openai_transcription import OpenAITranscriber
from ieat.pipeline.failures import EngineUnavailable, RecordError
from ieat.schemas.dialogue import Language
from ieat.schemas.engine import AnswerSchema, Message, Question
from tests.counting_engines import FreeCall

QUICK = {"base_url": "http://127.0.0.1:9/v1", "max_attempts": 2, "max_wait": 0.001}

SYSTEM = (
    TimeoutError,
    asyncio.TimeoutError,
    asyncio.IncompleteReadError,
    ConnectionResetError,
    BrokenPipeError,
    socket.gaierror,
    ssl.SSLError,
    ssl.SSLCertVerificationError,
    json.JSONDecodeError,
    UnicodeDecodeError,
    RecursionError,
)


def exceptions_of(module: ModuleType) -> set[type[Exception]]:
    """Return the public exceptions of a package, warnings left out."""
    return {
        found
        for found in list(vars(module).values())
        if isinstance(found, type)
        and issubclass(found, Exception)
        and not issubclass(found, Warning)
    }


def below(kind: type[Exception]) -> set[type[Exception]]:
    """Return an exception class and all classes made from it."""
    return {kind}.union(*(below(made) for made in kind.__subclasses__()))


# Raised by parts of these packages that an adapter does not use: web sockets, webhooks.
UNUSED = {
    aiohttp.EofStream,
    aiohttp.WebSocketError,
    aiohttp.WSMessageTypeError,
    openai.InvalidWebhookSignatureError,
}
KINDS = sorted(
    (
        exceptions_of(openai)
        | below(openai.OpenAIError)
        | exceptions_of(http)
        | exceptions_of(aiohttp)
        | below(aiohttp.ClientError)
        | set(SYSTEM)
    )
    - UNUSED,
    key=lambda kind: (kind.__module__, kind.__name__),
)


def raised(kind: type[Exception]) -> Exception:
    """Make an exception without its constructor, with what an error response carries."""
    error = kind.__new__(kind)
    if issubclass(kind, openai.APIStatusError):
        error.status_code = getattr(kind, "status_code", 500)
        error.body = {"message": "no"}
        error.response = SimpleNamespace(headers={})
    return error


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind.__module__.split('.')[0]}.{kind.__name__}")
def failing_client(request, monkeypatch):
    async def post(self, path, **settings):
        raise raised(request.param)

    monkeypatch.setattr(openai.AsyncOpenAI, "post", post)
    # Nothing is sent; reading the system's certificates would take most of the time.
    client = functools.partial(openai.DefaultAioHttpClient, verify=False)
    monkeypatch.setattr(openai, "DefaultAioHttpClient", client)


async def fail(engine, call):
    try:
        with pytest.raises((RecordError, EngineUnavailable)) as failed:
            await call(engine)
        return failed.value
    finally:
        await engine.close()


@pytest.mark.usefixtures("failing_client")
def test_a_chat_fails_with_one_of_our_errors():
    question = Question(
        messages=(Message(role="user", content="hi"),),
        answer_schema=AnswerSchema(schema_id="s@1", text="{}"),
    )
    model = OpenAIChat("m", LanguageModelSettings(**QUICK))
    assert asyncio.run(fail(model, lambda engine: engine.complete(question, FreeCall()))).message


@pytest.mark.usefixtures("failing_client")
def test_a_transcription_fails_with_one_of_our_errors():
    engine = OpenAITranscriber("m", EndpointSettings(**QUICK))
    samples = np.zeros(1600, np.float32)
    error = asyncio.run(
        fail(engine, lambda engine: engine.transcribe(samples, Language.EN, FreeCall()))
    )
    assert error.message


def test_the_list_holds_what_matters():
    names = {kind.__name__ for kind in KINDS}
    assert {
        "APITimeoutError", "APIConnectionError", "RateLimitError", "InternalServerError",
        "AuthenticationError", "BadRequestError", "ReadTimeout", "ConnectError",
        "ServerDisconnectedError", "ClientPayloadError", "InvalidURL", "TooManyRedirects",
    } <= names  # fmt: skip
    assert len(KINDS) > 80
