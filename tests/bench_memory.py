"""Show that the memory of a build does not grow with its corpus.

    python -m tests.bench_memory --small 1000 --large 100000

Both builds run in a process of their own over a generated corpus of dialogues with four questions
each, against a server in a third process that answers at once. What a group of shards costs by
itself is taken from a third build, of the small corpus in groups of one shard.
"""

import argparse
import asyncio
import json
import multiprocessing
import re
import resource
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from aiohttp import web

from ieat.pipeline.config import BuildConfig, load_config
from ieat.pipeline.main import build

TURNS = 4
"""Turns of a dialogue, each of them asked about."""
SHARDS = 64
WORDS = "My bag number {} is gone and I am angry"
"""What a turn says; the server quotes it."""


class Measured(NamedTuple):
    """What one build took."""

    seconds: float
    peak: float
    """Most resident memory of the process, MB."""
    base: float
    """The same before the build began, MB."""


TURN = re.compile(r"^\[(\d+)\] \w+: (.*)$", re.MULTILINE)
"""A turn as a question shows it."""


def serve(ready: Connection) -> None:
    """Answer every question at once, with the words of the turn that it asks about."""

    async def answer(request: web.Request) -> web.Response:
        body = await request.json()
        turn, words = TURN.findall(body["messages"][-1]["content"])[-1]
        cause = {
            "evidence": [{"turn": int(turn), "quote": words}],
            "event": "Their bag is gone.",
            "appraisal": "They miss what was in it.",
            "kind": "explicit",
        }
        message = {"role": "assistant", "content": json.dumps(cause)}
        usage = {"prompt_tokens": 400, "completion_tokens": 50, "total_tokens": 450}
        return web.json_response(
            {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}
        )

    async def listen() -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ready.send(f"http://127.0.0.1:{runner.addresses[0][1]}/v1")
        await asyncio.Event().wait()

    asyncio.run(listen())


def write_corpus(file: Path, num_dialogues: int) -> None:
    """Write a manifest of dialogues of words with gold labels."""
    with file.open("w", encoding="utf-8") as out:
        for number in range(num_dialogues):
            turns = [
                {
                    "speaker": "ann" if turn % 2 == 0 else "bob",
                    "text": WORDS.format(number * TURNS + turn),
                    "emotion": "angry",
                }
                for turn in range(TURNS)
            ]
            line = {"dialogue_id": f"d{number}", "language": "en", "turns": turns}
            out.write(json.dumps(line) + "\n")


def run(
    base_url: str, folder: str, num_questions: int, group_dialogues: int, done: Connection
) -> None:
    """Build once and send what it took.

    Raises:
        ValueError: Questions were lost.
    """
    num_dialogues = num_questions // TURNS
    write_corpus(Path(folder, "corpus.jsonl"), num_dialogues)
    config = load_config(
        None,
        {
            "inputs": [{"path": f"{folder}/corpus.jsonl"}],
            "output": f"{folder}/out",
            "recognizer": "gold",
            "labeler": "gold",
            "attributor": "llm",
            "language_model": "openai:fake",
            "language_model_settings": {"in_flight": 256},
            "in_flight": 512,
            "shards": SHARDS,
            "group_dialogues": group_dialogues,
        },
        base_url=base_url,
    )
    base = peak_memory()
    began = time.perf_counter()
    report = build(config)
    seconds = time.perf_counter() - began
    if (
        report.exit_code
        or report.manifest.books.dialogues.written != num_dialogues
        or report.manifest.codes
    ):
        raise ValueError(report.describe())
    done.send(Measured(seconds, peak_memory(), base))


def peak_memory() -> float:
    """Return the most resident memory that this process has had, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def measure(base_url: str, num_questions: int, group_dialogues: int) -> Measured:
    """Build in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = multiprocessing.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        values = (base_url, folder, num_questions, group_dialogues, theirs)
        process = spawn.Process(target=run, args=values)
        process.start()
        # So that a process that ends early is seen as the end of the pipe.
        theirs.close()
        measured: Measured = ours.recv()
        process.join()
    return measured


def main() -> None:
    """Measure all builds and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=1_000, help="questions of the small build")
    parser.add_argument("--large", type=int, default=100_000, help="questions of the large build")
    size = BuildConfig.model_fields["group_dialogues"].default
    parser.add_argument("--group", type=int, default=size, help="dialogues of a group")
    chosen = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    base_url = ours.recv()
    sys.stdout.write(f"{'questions':>10}{'questions/s':>13}{'peak MB':>9}{'of which before':>17}\n")
    try:
        small = measure(base_url, chosen.small, chosen.group)
        show(chosen.small, small)
        large = measure(base_url, chosen.large, chosen.group)
        show(chosen.large, large)
        split = measure(base_url, chosen.small, 1)
    finally:
        server.terminate()
    fixed = (split.seconds - small.seconds) / (SHARDS - 1)
    sys.stdout.write(
        f"{large.peak - small.peak:.0f} MB more for the large build\n"
        f"{fixed:.2f} s for each further group\n"
    )


def show(num_questions: int, measured: Measured) -> None:
    """Print one build."""
    rate = num_questions / measured.seconds
    sys.stdout.write(
        f"{num_questions:>10}{rate:>13.0f}{measured.peak:>9.0f}{measured.base:>17.0f}\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
