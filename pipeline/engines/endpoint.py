"""One OpenAI-compatible endpoint: its client, its limits, its retries, and what its errors mean."""

import asyncio
import json
import math
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import aiohttp
import openai
import pydantic_core
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential, wait_random

from ieat.pipeline.config import EndpointSettings
from ieat.pipeline.engines.connection import (
    NO_RESPONSE,
    Connection,
    Upload,
    find_secrets,
    is_openai,
    read_api_key,
    without_secrets,
)
from ieat.pipeline.engines.limiter import Limiter
from ieat.pipeline.engines.refusals import (
    BadRequest,
    Place,
    TransientFailure,
    broken_body,
    no_connection,
    of_status,
)
from ieat.pipeline.failures import EngineUnavailable, RecordError
from ieat.pipeline.ports import Call
from ieat.schemas.engine import Answer

TOO_MANY = 429
"""Status of what a server refuses because of its limits."""
FIRST_WAIT = 0.5
"""Wait before the second attempt, seconds; it doubles each time, and up to 1 s is added."""

T = TypeVar("T")


class BrokenEnvelope(Exception):
    """The body of a successful response is not what the API promises; says what is wrong."""


@dataclass
class _Session:
    """What belongs to the event loop that the calls run in."""

    connection: Connection
    in_flight: asyncio.Semaphore
    limiter: Limiter
    first: asyncio.Lock = field(default_factory=asyncio.Lock)


class Endpoint:
    """Asks one model of one endpoint; for one event loop.

    Every error of the network, the client library and the server leaves as one of ours.

    Args:
        model: The model's name, for messages.
        settings: How the endpoint is asked.
        settings_name: Where the settings stand in the configuration, for messages.
        limits_folder: Folder in which the processes of this machine share the limits; null limits
            this process alone.

    Raises:
        ConfigError: The base URL is no URL.
    """

    def __init__(
        self,
        model: str,
        settings: EndpointSettings,
        settings_name: str,
        limits_folder: Path | None = None,
    ) -> None:
        self._settings = settings
        self._limits_folder = limits_folder
        self._base_url = settings.url
        self._place = Place(
            model=model,
            base_url=without_secrets(self._base_url, settings_name),
            api_key_env=settings.api_key_env,
            settings_name=settings_name,
            is_openai=is_openai(self._base_url),
        )
        self._session: _Session | None = None
        self._is_proven = False
        self._gone: EngineUnavailable | None = None

    @property
    def base_url(self) -> str:
        """Base URL without credentials."""
        return self._place.base_url

    def prepare(self) -> None:
        """Look at key, files and variables that the settings name, before anything is asked.

        Raises:
            EngineUnavailable: There is no key.
            ConfigError: A setting of the connection is of no use.
        """
        self._open()

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
        read: Callable[[object], Answer],
        call: Call,
        upload: Upload | None = None,
    ) -> Answer:
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
                    return await self._attempt(path, body, read, call, upload)
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
            await session.connection.close()
            session.limiter.close()

    async def _attempt(
        self,
        path: str,
        body: dict[str, object],
        read: Callable[[object], Answer],
        call: Call,
        upload: Upload | None,
    ) -> Answer:
        session = self._open()
        async with session.in_flight:
            self._refuse_if_gone()
            expected = await session.limiter.admit(call.tokens)
            self._refuse_if_gone()
            await call.attempt()
            try:
                answer = await self._try_once(session, path, body, read, upload)
            except TransientFailure as failure:
                call.failed(may_be_paid=failure.may_be_paid)
                raise
        used = (answer.usage.prompt_tokens or 0) + (answer.usage.completion_tokens or 0)
        if used:
            session.limiter.settle(call.tokens, expected, used)
        return answer

    async def _try_once(
        self,
        session: _Session,
        path: str,
        body: dict[str, object],
        read: Callable[[object], Answer],
        upload: Upload | None,
    ) -> Answer:
        problem: Exception
        try:
            received = await session.connection.send(path, body, upload)
            if received.status == TOO_MANY:
                session.limiter.refused(received.headers)
            elif received.status < 300:
                session.limiter.answered(received.headers)
                return read(_decoded(received.content))
            problem = of_status(
                self._place,
                received.status,
                _said(received.content),
                received.headers,
                find_secrets(self._base_url, self._settings),
            )
        except (asyncio.TimeoutError, TimeoutError):
            problem = no_connection(
                self._place, _no_answer_within(self._settings.timeout), may_be_paid=True
            )
        except NO_RESPONSE as error:
            problem = self._no_response(_root_of(error))
        except UnicodeEncodeError:
            problem = BadRequest("bad_request", "the question holds half a character (a surrogate)")
        except BrokenEnvelope as error:
            problem = broken_body(self._place, str(error))
        except (openai.OpenAIError, ValueError, RecursionError):
            problem = broken_body(self._place, "it is no JSON")
        # Raised outside of the except clause: what the library raised may hold the key.
        raise problem

    def _no_response(self, root: BaseException) -> TransientFailure | EngineUnavailable:
        """Say what it means that no response came through."""
        if isinstance(root, ssl.SSLCertVerificationError):
            return EngineUnavailable(
                f"{self._place.base_url}: its certificate is not to be trusted "
                f"({root.verify_message}); set {self._place.settings_name}.ca_file to the "
                "authority's PEM file"
            )
        # The transport calls a refused connection a timeout as well; the root tells.
        if isinstance(root, (TimeoutError, asyncio.TimeoutError)):
            what = _no_answer_within(self._settings.timeout)
        else:
            what = f"no connection ({type(root).__name__})"
        # What could not even be connected to has answered nothing.
        is_refused = isinstance(root, (ConnectionRefusedError, aiohttp.ClientConnectorError))
        return no_connection(self._place, what, may_be_paid=not is_refused)

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
        """Return connection and limits, made on first use inside the loop that they belong to.

        Raises:
            EngineUnavailable: There is no key.
            ConfigError: A setting of the connection is of no use.
        """
        if self._session is None:
            settings = self._settings
            place = self._place
            key = read_api_key(
                settings,
                place.base_url,
                is_openai=place.is_openai,
                settings_name=place.settings_name,
            )
            self._session = _Session(
                connection=Connection(self._base_url, settings, key, place.settings_name),
                in_flight=asyncio.Semaphore(settings.in_flight),
                limiter=Limiter(
                    folder=self._limits_folder,
                    name=f"{place.model} at {place.base_url}",
                    requests_per_second=_a_second(settings.requests_per_minute),
                    tokens_per_second=_a_second(settings.tokens_per_minute),
                    max_pause=settings.max_wait,
                ),
            )
        return self._session


def _a_second(a_minute: float | None) -> float | None:
    return None if a_minute is None else a_minute / 60


def _decoded(content: bytes) -> object:
    """Decode the body of a success.

    Raises:
        BrokenEnvelope: It is no JSON.
    """
    try:
        return pydantic_core.from_json(content)
    except ValueError:
        pass
    try:
        # Reads what strict readers refuse, such as halves of surrogate pairs.
        return json.loads(content)
    except (ValueError, RecursionError):
        raise BrokenEnvelope("it is no JSON") from None


def _said(content: bytes) -> object:
    """Return what the body of a failure says: JSON where it is, else its text."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content.decode("utf-8", "replace")


def _no_answer_within(timeout: float) -> str:
    return f"it gave no answer within {timeout:g} s"


def _root_of(error: BaseException) -> BaseException:
    """Return the innermost reason of an error."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
