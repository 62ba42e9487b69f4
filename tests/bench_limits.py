"""Time the limiter against a server that refuses what comes too fast.

    python -m tests.bench_limits --seconds 30

The server allows 50 requests a second (a token bucket of one second) and answers 429 with
Retry-After beyond. It is asked with the rate configured, told by headers only, to be found out,
and by two processes that share the limiter.
"""

import argparse
import asyncio
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import aiohttp
from aiohttp import web

from ieat.pipeline.config import LanguageModelSettings
from ieat.pipeline.engines.openai_chat import OpenAIChat
from ieat.pipeline.failures import RunStopped
from ieat.schemas.engine import AnswerSchema, Message, Question
from tests.counting_engines import FreeCall

RATE = 50.0
"""Requests a second that the server allows."""
IN_FLIGHT = 256
SETTLED = 5.0
"""Seconds after which refusals count: until then a rate that nobody told is found out."""


class Counts(NamedTuple):
    """What the server saw after the first seconds."""

    allowed: int
    refused: int
    refused_at_first: int


def serve(ready: Connection, tells: bool) -> None:
    """Allow RATE requests a second; `/counts` tells what came since `/reset`."""
    tokens, filled, began = RATE, time.monotonic(), time.monotonic()
    counts = {"allowed": 0, "refused": 0, "first": 0}

    async def answer(request: web.Request) -> web.Response:
        nonlocal tokens, filled
        await request.read()
        now = time.monotonic()
        tokens, filled = min(RATE, tokens + (now - filled) * RATE), now
        is_allowed = tokens >= 1
        tokens -= is_allowed
        headers = {}
        if tells:
            headers = {
                "x-ratelimit-limit-requests": f"{RATE:.0f}",
                "x-ratelimit-remaining-requests": f"{int(tokens)}",
                "x-ratelimit-reset-requests": f"{(RATE - tokens) / RATE:.3f}s",
            }
        if now - began < SETTLED:
            counts["first"] += not is_allowed
        else:
            counts["allowed" if is_allowed else "refused"] += 1
        if not is_allowed:
            return web.json_response(
                {"error": {"message": "too fast"}}, status=429, headers={"Retry-After": "1"}
            )
        await asyncio.sleep(0.05)
        message = {"role": "assistant", "content": "{}"}
        body = {"choices": [{"message": message, "finish_reason": "stop"}]}
        return web.json_response(body, headers=headers)

    async def tell(request: web.Request) -> web.Response:
        return web.json_response(counts)

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", answer)
        app.router.add_get("/counts", tell)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ready.send(f"http://127.0.0.1:{runner.addresses[0][1]}")
        await asyncio.Event().wait()

    asyncio.run(run())


def ask_for(seconds: float, url: str, folder: str, configured: float | None, number: int) -> None:
    """Ask as many questions as the limiter lets begin."""

    async def run() -> None:
        settings = LanguageModelSettings(
            base_url=f"{url}/v1",
            in_flight=IN_FLIGHT,
            requests_per_minute=configured,
            max_attempts=1000,
        )
        model = OpenAIChat("m", settings, Path(folder))
        until = time.monotonic() + seconds

        async def keep_asking(worker: int) -> None:
            turn = 0
            while time.monotonic() < until:
                turn += 1
                question = Question(
                    messages=(Message(role="user", content=f"{number} {worker} {turn}"),),
                    answer_schema=AnswerSchema(schema_id="s@1", text="{}"),
                )
                try:
                    await model.complete(question, FreeCall())
                except RunStopped:
                    return

        work = [asyncio.ensure_future(keep_asking(worker)) for worker in range(IN_FLIGHT)]
        await asyncio.wait(work, timeout=seconds)
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await model.close()

    asyncio.run(run())


def measure(seconds: float, *, tells: bool, configured: float | None, processes: int) -> Counts:
    """Ask a fresh server for some seconds and return what it saw."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    server = spawn.Process(target=serve, args=(theirs, tells), daemon=True)
    server.start()
    url = ours.recv()
    with tempfile.TemporaryDirectory() as folder:
        asking = [
            spawn.Process(target=ask_for, args=(seconds, url, folder, configured, number))
            for number in range(processes)
        ]
        began = time.monotonic()
        for process in asking:
            process.start()
        for process in asking:
            process.join()
        counts = asyncio.run(_counts(url))
        server.terminate()
        _say_rate(counts, time.monotonic() - began)
    return counts


async def _counts(url: str) -> Counts:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/counts") as response:
        told = json.loads(await response.text())
    return Counts(told["allowed"], told["refused"], told["first"])


def _say_rate(counts: Counts, seconds: float) -> None:
    rate = counts.allowed / (seconds - SETTLED)
    share = counts.refused / max(1, counts.refused + counts.allowed)
    sys.stdout.write(
        f"{rate:>10.1f}{rate / RATE:>9.0%}{share:>10.1%}{counts.refused_at_first:>16}\n"
    )
    sys.stdout.flush()


def main() -> None:
    """Run all cases and print what the server allowed and refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    seconds = parser.parse_args().seconds
    sys.stdout.write(
        f"a server allows {RATE:.0f} requests/s; {IN_FLIGHT} in flight for {seconds:.0f} s\n"
        f"{'':<26}{'allowed/s':>10}{'of rate':>9}{'refused':>10}{'in first 5 s':>16}\n"
    )
    cases: tuple[tuple[str, Callable[[], Counts]], ...] = (
        ("configured", lambda: measure(seconds, tells=False, configured=3000.0, processes=1)),
        ("told by headers", lambda: measure(seconds, tells=True, configured=None, processes=1)),
        ("to be found out", lambda: measure(seconds, tells=False, configured=None, processes=1)),
        ("two processes, configured", lambda: measure(
            seconds, tells=False, configured=3000.0, processes=2
        )),
    )  # fmt: skip
    for name, case in cases:
        sys.stdout.write(f"{name:<26}")
        sys.stdout.flush()
        case()


if __name__ == "__main__":
    main()
