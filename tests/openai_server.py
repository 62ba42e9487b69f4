"""A real HTTP server on loopback that speaks the OpenAI API by script and logs every request.

    def script(request):
        return refusal("I cannot") if "secret" in request.words else chat({"emotion": "sad"})

    with OpenAIServer(script) as server:
        ...  # ask server.base_url
        assert server.count("/chat/completions") == 2

A script is a function from `Request` to `Reply`. `in_turn(...)` makes one of replies one after the
other, `by_words({...})` one that looks at the words of the question. What a real server would
check is not checked.
"""

import asyncio
import base64
import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

from aiohttp import web

CHAT = "/chat/completions"
TRANSCRIPTIONS = "/audio/transcriptions"


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    path: str
    """Path below the base URL."""
    body: dict[str, Any]
    """The JSON body, or the fields of a form; a field that comes several times is a list."""
    headers: Mapping[str, str]
    audio: bytes | None = None
    """The uploaded file of a form."""
    file_name: str | None = None

    @property
    def words(self) -> str:
        """The texts of all messages, joined by line breaks."""
        return "\n".join(part["text"] for part in self._parts() if part["type"] == "text")

    @property
    def sounds(self) -> list[tuple[str, bytes]]:
        """Format and content of the sounds that come with the messages."""
        return [
            (part["input_audio"]["format"], base64.b64decode(part["input_audio"]["data"]))
            for part in self._parts()
            if part["type"] == "input_audio"
        ]

    def _parts(self) -> list[dict[str, Any]]:
        parts: list[dict[str, Any]] = []
        for message in self.body.get("messages", []):
            content = message["content"]
            is_text = isinstance(content, str)
            parts += [{"type": "text", "text": content}] if is_text else content
        return parts

    @property
    def mode(self) -> str:
        """How the form of the answer is asked for: `json_schema`, `json_object` or `prompt`."""
        wanted = self.body.get("response_format", {"type": "prompt"})
        return wanted["type"] if isinstance(wanted, dict) else str(wanted)


@dataclass(frozen=True)
class Reply:
    """One response; made by the functions below, changed by `late` and `dataclasses.replace`."""

    body: bytes = b""
    status: int = 200
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds before the response begins."""
    trickle: float = 0.0
    """Seconds between single bytes of the body; 0 sends it at once."""
    resets: bool = False
    """Whether the connection is reset instead."""
    cut: int = 0
    """Bytes promised but not sent: the connection closes before them."""


Script = Callable[[Request], Reply]


def chat(
    content: Any = None,
    *,
    reasoning_content: str | None = None,
    refusal: str | None = None,
    finish_reason: str = "stop",
    model: str = "fake-1",
    usage: dict[str, Any] | None = None,
) -> Reply:
    """A chat answer; content that is no text is sent as JSON."""
    if not (content is None or isinstance(content, str)):
        content = json.dumps(content, ensure_ascii=False)
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if reasoning_content is not None:
        message["reasoning_content"] = reasoning_content
    if refusal is not None:
        message["refusal"] = refusal
    return as_json(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
            "usage": usage or {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        }
    )


def refusal(text: str = "I'm sorry, but I can't help with that.") -> Reply:
    """A chat answer whose model refuses."""
    return chat(None, refusal=text)


def transcription(text: str, **fields: Any) -> Reply:
    """A transcription; `fields` are further fields of its body: words, segments, language, ..."""
    return as_json({"text": text, **fields})


def failure(
    status: int,
    message: str = "it failed",
    *,
    code: str | None = None,
    param: str | None = None,
    kind: str | None = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    """An error in OpenAI's form; `kind` is its `type`."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    return replace(as_json({"error": error}, status=status), headers=headers or {})


def as_json(body: Any, *, status: int = 200) -> Reply:
    """Any JSON body."""
    return Reply(json.dumps(body).encode(), status)


def raw(body: bytes, *, media_type: str = "text/html", status: int = 200) -> Reply:
    """Any bytes."""
    return Reply(body, status, media_type)


def reset() -> Reply:
    """A connection that is reset before any response."""
    return Reply(resets=True)


def late(reply: Reply, seconds: float) -> Reply:
    """The same reply, later."""
    return replace(reply, delay=seconds)


def in_turn(*replies: Reply) -> Script:
    """Give one reply after the other; the last one stays."""
    waiting = list(replies)
    return lambda request: waiting.pop(0) if len(waiting) > 1 else waiting[0]


def by_words(replies: Mapping[str, Reply | Script], otherwise: Reply | None = None) -> Script:
    """Give the reply of the first text that the question's words hold."""

    def script(request: Request) -> Reply:
        for text, reply in replies.items():
            if text in request.words:
                return reply if isinstance(reply, Reply) else reply(request)
        return otherwise or failure(400, "the script has no reply to this question")

    return script


class OpenAIServer:
    """The server: use it with `with`; it listens on a free port until the block ends.

    Args:
        script: Gives the reply to each request but those to `/models`.
    """

    def __init__(self, script: Script) -> None:
        self.requests: list[Request] = []
        """Every request, in order of arrival."""
        self.most_in_flight = 0
        """Most requests that were being answered at once."""
        self.base_url = ""
        """Base URL to give to an engine, once the server runs."""
        self._script = script
        self._port = 0
        self._in_flight = 0
        self._errors: list[BaseException] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="openai-server")

    def count(self, path: str | None = None) -> int:
        """Return the number of requests, to one path or to all."""
        return sum(path is None or request.path == path for request in self.requests)

    def __enter__(self) -> "OpenAIServer":
        self._thread.start()
        self._runner = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self._errors and error is None:
            raise self._errors[0]

    def go_away(self) -> None:
        """Close the port and all connections, as a server that is restarted."""
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()

    def come_back(self) -> None:
        """Listen on the same port again."""
        self._runner = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    async def _listen(self) -> web.AppRunner:
        app = web.Application(client_max_size=2**28)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/{path:.*}", self._answer)
        # Connections that still wait for a slow reply are dropped when a test ends.
        runner = web.AppRunner(app, shutdown_timeout=0.01, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{self._port}/v1"
        return runner

    async def _stop(self) -> None:
        await self._runner.cleanup()
        # Whoever asked and went away without waiting leaves a task behind.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "fake-1", "object": "model"}]})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            asked = await _read(request)
            self.requests.append(asked)
            try:
                reply = self._script(asked)
            except BaseException as error:
                # A script that fails must fail its test, not look like a server error.
                self._errors.append(error)
                raise
            await asyncio.sleep(reply.delay)
            return await _send(request, reply)
        finally:
            self._in_flight -= 1


async def _read(request: web.Request) -> Request:
    path = "/" + request.match_info["path"]
    if not request.content_type.startswith("multipart/"):
        return Request(path, json.loads(await request.read()), dict(request.headers))
    fields: dict[str, Any] = {}
    audio, file_name = None, None
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            audio, file_name = value.file.read(), value.filename
            value.file.close()
        elif name.endswith("[]"):
            fields.setdefault(name[:-2], []).append(value)
        else:
            fields[name] = value
    return Request(path, fields, dict(request.headers), audio, file_name)


async def _send(request: web.Request, reply: Reply) -> web.StreamResponse:
    transport = request.transport
    if transport is None:  # Whoever asked is gone.
        return web.Response()
    if reply.resets:
        # Closing a socket that lingers for 0 seconds sends a reset.
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
        return web.Response()
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_type = reply.media_type
    response.content_length = len(reply.body) + reply.cut
    await response.prepare(request)
    if reply.trickle:
        for place in range(len(reply.body)):
            await response.write(reply.body[place : place + 1])
            await asyncio.sleep(reply.trickle)
    else:
        await response.write(reply.body)
    if reply.cut:
        transport.close()
    return response
