"""The connection to one OpenAI-compatible endpoint: addresses, keys, headers, certificates."""

import base64
import json
import os
import ssl
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

import aiohttp
import openai
import pydantic_core

from ieat.pipeline.config import EndpointSettings
from ieat.pipeline.failures import ConfigError, EngineUnavailable

try:
    import httpx2 as http
except ImportError:
    # The name that the client library's transport has up to its version 2.
    import httpx as http  # type: ignore[import-not-found, no-redef]

if sys.version_info >= (3, 11):
    from asyncio import timeout as within
else:
    from async_timeout import timeout as within

PLACEHOLDER_KEY = "none"
"""Sent to servers other than OpenAI's where no key is set: most want none, some want any."""
MIN_SECRET = 4
"""Characters under which a value is no secret: `no` in a header must not blank out every no."""


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


@dataclass
class Upload:
    """A file that is sent with a request."""

    name: str
    content: bytes
    media_type: str


class Received(NamedTuple):
    """A response, read to its end."""

    status: int
    """The HTTP status."""
    headers: Mapping[str, str]
    """The headers; their names may have any case."""
    content: bytes
    """The body."""


class Connection:
    """Sends requests to one endpoint; for one event loop.

    Key, headers and address are those of the client library, and so is the transport; a request
    is put together here, since the library's own way takes three times as long.

    Args:
        base_url: The base URL; may hold a user and a password.
        settings: How the endpoint is asked.
        api_key: The key.
        settings_name: Where the settings stand in the configuration, for messages.

    Raises:
        ConfigError: A file or a variable that the settings name is missing or of no use.
    """

    def __init__(
        self, base_url: str, settings: EndpointSettings, api_key: str, settings_name: str
    ) -> None:
        self._timeout = settings.timeout
        try:
            self._http = openai.DefaultAioHttpClient(
                timeout=settings.timeout,
                verify=_trusted(settings, settings_name),
                proxy=settings.proxy,
                limits=http.Limits(
                    max_connections=settings.in_flight, max_keepalive_connections=settings.in_flight
                ),
            )
        except (ValueError, http.InvalidURL):
            raise ConfigError(
                f"{settings_name}.proxy, or HTTP_PROXY and HTTPS_PROXY in the environment, are no "
                "URLs of a proxy; write http://HOST:PORT"
            ) from None
        client = openai.AsyncOpenAI(
            api_key=api_key,
            base_url=base_url,
            organization=settings.organization,
            project=settings.project,
            http_client=self._http,
            max_retries=0,
        )
        known = {**client.default_headers, **client.auth_headers}
        further = {**settings.headers, **read_headers(settings, settings_name)}
        self._headers = http.Headers(
            {name: value for name, value in known.items() if isinstance(value, str)}
        )
        del self._headers["content-type"]
        self._headers.update(further)
        self._base_url = http.URL(base_url)
        if self._base_url.userinfo:
            # The transport refuses credentials in two places; those of the URL come first.
            told = base64.b64encode(unquote_to_bytes(self._base_url.userinfo)).decode()
            self._headers["authorization"] = f"Basic {told}"
            self._base_url = self._base_url.copy_with(username=None, password=None)
        self._urls: dict[str, http.URL] = {}

    async def send(
        self, path: str, body: dict[str, object], upload: Upload | None = None
    ) -> Received:
        """Send a request and return the whole response, whatever its status.

        Args:
            path: Path below the base URL.
            body: The JSON body, or the form's fields when there is an upload.
            upload: A file to send; the body then becomes a form.

        Raises:
            TimeoutError: There was no whole response in time.
        """
        # The transport's timeouts start anew with each byte; this one is for the whole call.
        async with within(self._timeout):
            response = await self._http.send(self._request(path, body, upload))
        return Received(response.status_code, response.headers, response.content)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    def _request(self, path: str, body: dict[str, object], upload: Upload | None) -> "http.Request":
        url = self._urls.get(path)
        if url is None:
            joined = self._base_url.path.rstrip("/") + path
            url = self._urls[path] = self._base_url.copy_with(path=joined)
        if upload is None:
            # Half of a surrogate pair makes the faster way fail, and the slower one say so.
            request = http.Request("POST", url, headers=self._headers, content=_to_json(body))
            request.headers["content-type"] = "application/json"
            return request
        fields = {
            f"{name}[]" if isinstance(value, list) else name: value for name, value in body.items()
        }
        return http.Request(
            "POST",
            url,
            headers=self._headers,
            data=fields,
            files=[("file", (upload.name, upload.content, upload.media_type))],
        )


def _to_json(body: dict[str, object]) -> bytes:
    try:
        return pydantic_core.to_json(body)
    except pydantic_core.PydanticSerializationError:
        return json.dumps(body, ensure_ascii=False).encode()


def read_headers(settings: EndpointSettings, settings_name: str) -> dict[str, str]:
    """Return the headers whose values are in environment variables.

    Raises:
        ConfigError: A variable is not set.
    """
    found = {}
    for name, variable in settings.headers_env.items():
        value = os.environ.get(variable, "").strip()
        if not value:
            raise ConfigError(
                f"{settings_name}.headers_env.{name}: the environment variable {variable} is not "
                "set"
            )
        found[name] = value
    return found


def _trusted(settings: EndpointSettings, settings_name: str) -> ssl.SSLContext | bool:
    """Return what a server's certificate is checked with, and what we show it of ours.

    Raises:
        ConfigError: A file is missing or holds no certificate.
    """
    if settings.ca_file is None and settings.client_cert is None:
        # The client library reads SSL_CERT_FILE and SSL_CERT_DIR itself.
        return True
    for name in ("ca_file", "client_cert", "client_key"):
        file = getattr(settings, name)
        if file is not None and not Path(file).is_file():
            raise ConfigError(f"{settings_name}.{name}: there is no file {file}")
    try:
        context = ssl.create_default_context(
            cafile=settings.ca_file or os.environ.get("SSL_CERT_FILE") or None
        )
    except (ssl.SSLError, OSError):
        raise ConfigError(
            f"{settings_name}.ca_file: {settings.ca_file} holds no certificate in PEM form"
        ) from None
    if settings.client_cert is not None:
        try:
            context.load_cert_chain(
                settings.client_cert, settings.client_key, password=_refuse_password
            )
        except (ssl.SSLError, OSError, ValueError):
            raise ConfigError(
                f"{settings_name}.client_cert: {settings.client_cert} and its key are no pair in "
                "PEM form without a password"
            ) from None
    return context


def _refuse_password() -> str:
    """Answer in place of a person at the terminal, whom OpenSSL would ask for a password."""
    raise ValueError("the key has a password")


def find_secrets(base_url: str, settings: EndpointSettings) -> tuple[str, ...]:
    """Return what a server may echo and nobody may see, the longest first."""

    def values() -> Iterator[str | None]:
        yield os.environ.get(settings.api_key_env, "").strip()
        for url in (base_url, settings.proxy or ""):
            parts = urlsplit(url)
            yield parts.password
            yield parts.query
        yield from settings.headers.values()
        for variable in settings.headers_env.values():
            yield os.environ.get(variable, "").strip()

    found = {value for value in values() if value and len(value) >= MIN_SECRET}
    return tuple(sorted(found, key=len, reverse=True))


def read_api_key(
    settings: EndpointSettings, base_url: str, *, is_openai: bool, settings_name: str
) -> str:
    """Return the key from the environment.

    Raises:
        EngineUnavailable: There is none and OpenAI wants one, or it cannot be sent.
    """
    variable = settings.api_key_env
    key = os.environ.get(variable, "").strip()
    if not key:
        if is_openai:
            raise EngineUnavailable(
                f"no key for {base_url}: set the environment variable {variable}, "
                f"or {settings_name}.base_url to another server"
            )
        return PLACEHOLDER_KEY
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise EngineUnavailable(
            f"the environment variable {variable} holds characters that no key has; set it anew"
        )
    return key


def is_openai(base_url: str) -> bool:
    """Tell whether a base URL is OpenAI's own."""
    host = urlsplit(base_url).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


def without_secrets(base_url: str, settings_name: str) -> str:
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
