"""One OpenAI-compatible endpoint: its client, its limits, its retries, and what its errors mean."""

import asyncio
import json
import math
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
import openai
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential, wait_random

from ieat.pipeline.config import EndpointSettings
from ieat.pipeline.engines.refusals import (
    BadRequest,
    Place,
    TransientFailure,
    broken_body,
    no_connection,
    of_status,
)
from ieat.pipeline.failures import ConfigError, EngineUnavailable, RecordError
from ieat.pipeline.ports import Call

try:
    import httpx2 as http
except ImportError:
    # The name that the client library's transport has up to its version 2.
    import httpx as http  # type: ignore[import-not-found, no-redef]

OPENAI_URL = "https://api.openai.com/v1"
PLACEHOLDER_KEY = "none"
"""Sent to servers other than OpenAI's where no key is set: most want none, some want any."""
FIRST_WAIT = 0.5
"""Wait before the second attempt, seconds; it doubles each time, and up to 1 s is added."""

NO_RESPONSE = (
    openai.APIConnectionError,
    aiohttp.ClientError,
    http.HTTPError,
    http.InvalidURL,
    http.StreamError,
    http.CookieConflict,
    OSError,
    EOFError,
)
"""What the client, its transport and the system raise where no response came through."""

T = TypeVar("T")


class BrokenEnvelope(Exception):
    """The body of a successful response is not what the API promises; says what is wrong."""


@dataclass
class Upload:
    """A file that is sent with a request."""

    name: str
    content: bytes
    media_type: str


@dataclass
class _Session:
    """What belongs to the event loop that the calls run in."""

    client: openai.AsyncOpenAI
    in_flight: asyncio.Semaphore
    first: asyncio.Lock = field(default_factory=asyncio.Lock)


class Endpoint:
    """Asks one model of one endpoint; for one event loop.

    Every error of the network, the client library and the server leaves as one of ours.

    Args:
        model: The model's name, for messages.
        settings: How the endpoint is asked.
        settings_name: Where the settings stand in the configuration, for messages.

    Raises:
        ConfigError: The base URL is no URL.
    """

    def __init__(self, model: str, settings: EndpointSettings, settings_name: str) -> None:
        self._settings = settings
        self._base_url = settings.base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL
        self._place = Place(
            model=model,
            base_url=_without_secrets(self._base_url, settings_name),
            api_key_env=settings.api_key_env,
            settings_name=settings_name,
            is_openai=_is_openai(self._base_url),
        )
        self._session: _Session | None = None
        self._is_proven = False
        self._gone: EngineUnavailable | None = None

    @property
    def base_url(self) -> str:
        """Base URL without credentials."""
        return self._place.base_url

    async def first_alone(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Await a call; until one call has shown that the engine answers, one goes at a time.

        A wrong key, an unknown model or an exhausted quota thus cost one call, not a hundred.

        Raises:
            EngineUnavailable: The engine is not available, or was not for an earlier call.
        """
        if not self._is_proven:
            async with self._open().first:
                self._refuse_if_gone()
                if not self._is_proven:
                    result = await ask()
                    self._is_proven = True
                    return result
        self._refuse_if_gone()
        return await ask()

    async def post(
        self,
        path: str,
        body: dict[str, object],
        read: Callable[[object], T],
        call: Call,
        upload: Upload | None = None,
    ) -> T:
        """Send a request until it succeeds, fails for good, or the attempts are used up.

        Args:
            path: Path below the base URL.
            body: The JSON body, or the form's fields when there is an upload.
            read: Reads the decoded body of a success; raises BrokenEnvelope where it cannot.
            call: Told of every attempt, which it may refuse.
            upload: A file to send; the body then becomes a form.

        Raises:
            BadRequest: The server refuses this request.
            RecordError: The server's answers to this request are broken.
            RunStopped: The server refuses us or fails after all attempts, or the budget is used up.
        """
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(TransientFailure),
            stop=stop_after_attempt(self._settings.max_attempts),
            wait=self._wait,
            reraise=True,
        )
        problem: EngineUnavailable | RecordError
        try:
            async for attempt in attempts:
                with attempt:
                    self._refuse_if_gone()
                    await call.attempt()
                    try:
                        return await self._try_once(path, body, read, upload)
                    except TransientFailure as failure:
                        call.failed(may_be_paid=failure.may_be_paid)
                        raise
        except TransientFailure as failure:
            problem = self._given_up(failure)
        except EngineUnavailable as unavailable:
            problem = unavailable
        if isinstance(problem, EngineUnavailable):
            # What is still to come need not find out for itself, attempt by attempt.
            self._gone = problem
        raise problem

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.client.close()

    async def _try_once(
        self,
        path: str,
        body: dict[str, object],
        read: Callable[[object], T],
        upload: Upload | None,
    ) -> T:
        session = self._open()
        problem: Exception
        try:
            async with session.in_flight:
                # The client's timeout starts anew with each byte; this one is for the whole call.
                received = await asyncio.wait_for(
                    _send(session.client, path, body, upload), self._settings.timeout
                )
            return read(_decoded(received))
        except openai.APIStatusError as error:
            problem = of_status(
                self._place, error.status_code, error.body, error.response.headers, self._secrets()
            )
        except asyncio.TimeoutError:
            problem = no_connection(
                self._place, _no_answer_within(self._settings.timeout), may_be_paid=True
            )
        except NO_RESPONSE as error:
            root = _root_of(error)
            # The transport calls a refused connection a timeout as well; the root tells.
            is_late = isinstance(root, (TimeoutError, asyncio.TimeoutError))
            problem = no_connection(
                self._place,
                _no_answer_within(self._settings.timeout)
                if is_late
                else f"no connection ({type(root).__name__})",
                # What could not even be connected to has answered nothing.
                may_be_paid=not isinstance(
                    root, (ConnectionRefusedError, aiohttp.ClientConnectorError)
                ),
            )
        except UnicodeEncodeError:
            problem = BadRequest("bad_request", "the question holds half a character (a surrogate)")
        except BrokenEnvelope as error:
            problem = broken_body(self._place, str(error))
        except (openai.OpenAIError, ValueError, RecursionError):
            problem = broken_body(self._place, "it is no JSON")
        # Raised outside of the except clause: what the library raised may hold the key.
        raise problem

    def _given_up(self, failure: TransientFailure) -> EngineUnavailable | RecordError:
        message = f"{failure.reason} ({self._settings.max_attempts} attempts)"
        if failure.is_broken_body and self._is_proven:
            return RecordError("broken_response", message)
        return EngineUnavailable(message)

    def _refuse_if_gone(self) -> None:
        if self._gone is not None:
            raise EngineUnavailable(self._gone.message, self._gone.code)

    def _wait(self, state: RetryCallState) -> float:
        """Return the seconds until the next attempt: as the server asks, else growing."""
        most = self._settings.max_wait
        growing = wait_exponential(multiplier=FIRST_WAIT, max=most) + wait_random(0, 1)
        jittered = min(growing(state), most)
        failed = state.outcome.exception() if state.outcome is not None else None
        asked = failed.retry_after if isinstance(failed, TransientFailure) else None
        if asked is None or not math.isfinite(asked) or asked <= 0:
            return jittered
        # The jitter keeps those who were turned away together from coming back together.
        return min(asked + jittered * 0.1, most)

    def _open(self) -> _Session:
        """Return client and limits, made on first use inside the loop that they belong to."""
        if self._session is None:
            settings = self._settings
            self._session = _Session(
                client=openai.AsyncOpenAI(
                    api_key=self._api_key(),
                    base_url=self._base_url,
                    max_retries=0,
                    timeout=settings.timeout,
                    # More than twice as fast as the client's default transport.
                    http_client=openai.DefaultAioHttpClient(timeout=settings.timeout),
                ),
                in_flight=asyncio.Semaphore(settings.in_flight),
            )
        return self._session

    def _api_key(self) -> str:
        variable = self._settings.api_key_env
        key = os.environ.get(variable, "").strip()
        if not key:
            if self._place.is_openai:
                raise EngineUnavailable(
                    f"no key for {self._place.base_url}: set the environment variable {variable}, "
                    f"or {self._place.settings_name}.base_url to another server"
                )
            return PLACEHOLDER_KEY
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise EngineUnavailable(
                f"the environment variable {variable} holds characters that no key has; set it anew"
            )
        return key

    def _secrets(self) -> tuple[str, ...]:
        """Return what a server may echo and nobody may see."""
        parts = urlsplit(self._base_url)
        key = os.environ.get(self._settings.api_key_env, "").strip()
        return tuple(secret for secret in (key, parts.password, parts.query) if secret)


async def _send(
    client: openai.AsyncOpenAI, path: str, body: dict[str, object], upload: Upload | None
) -> object:
    # The low-level call: the typed one spends half of its time on building models.
    if upload is None:
        return await client.post(path, cast_to=object, body=body)
    return await client.post(
        path,
        cast_to=object,
        body=body,
        files=[("file", (upload.name, upload.content, upload.media_type))],
        options={"headers": {"Content-Type": "multipart/form-data"}},
    )


def _decoded(received: object) -> object:
    """Decode a body that came under another media type than JSON."""
    if not isinstance(received, str):
        return received
    try:
        return json.loads(received)
    except (ValueError, RecursionError):
        raise BrokenEnvelope("it is no JSON") from None


def _no_answer_within(timeout: float) -> str:
    return f"it gave no answer within {timeout:g} s"


def _root_of(error: BaseException) -> BaseException:
    """Return the innermost reason of an error."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _is_openai(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


def _without_secrets(base_url: str, settings_name: str) -> str:
    """Return the base URL without user, password and query.

    Raises:
        ConfigError: It is no http or https URL.
    """
    try:
        parts = urlsplit(base_url)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        parts, port = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f"{settings_name}.base_url is no http or https URL; write it as http://HOST:PORT/v1"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}{parts.path}"
