"""Time the attribution stage against scripts that keep nothing.

    python -m tests.bench_attribution --questions 10000 --rounds 3

The stage runs inside Beam with durable store, parsing and all checks. Beside it, in the same run
and against the same server: asyncio with the openai package on aiohttp and pydantic, and aiohttp
alone. The server answers after a fixed latency and shares the machine: compare, do not quote.
"""

import argparse
import asyncio
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from multiprocessing.connection import Connection
from typing import NamedTuple

import aiohttp
import apache_beam as beam
import openai
from aiohttp import web

from ieat.pipeline.answers import CauseForm
from ieat.pipeline.coders import register_coders
from ieat.pipeline.config import BuildConfig, load_config
from ieat.pipeline.run_state import RunState
from ieat.pipeline.stages.attribute import AttributeEmotions, AttributeRules
from ieat.pipeline.steps import DeadLetters, EngineRoom, StepContext
from ieat.pipeline.wiring import engine_opener
from ieat.prompts.library import PromptLibrary
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion, EmotionalState, EmotionLabel, trace_trajectory
from ieat.schemas.records import AttributedDialogue, LabeledDialogue
from tests.dialogues import dialogue, transcribed

NUM_QUESTIONS = 10_000
NUM_ROUNDS = 3
IN_FLIGHT = 256
LATENCY = 0.25
WORDS = "My bag number {} is gone and I am angry"
"""What the one turn of each dialogue says."""


class Timed(NamedTuple):
    """What one way of asking took."""

    seconds: float
    cpu_seconds: float
    """Processor time of the asking process alone."""


def serve(ready: Connection) -> None:
    """Answer every question with the same cause, its quote taken from the question."""

    async def answer(request: web.Request) -> web.Response:
        body = await request.json()
        await asyncio.sleep(LATENCY)
        number = body["messages"][-1]["content"].partition("bag number ")[2].partition(" ")[0]
        cause = {
            "evidence": [{"turn": 0, "quote": WORDS.format(number)}],
            "event": "Their bag is gone.",
            "appraisal": "They miss what was in it.",
            "kind": "explicit",
        }
        message = {"role": "assistant", "content": json.dumps(cause)}
        usage = {"prompt_tokens": 400, "completion_tokens": 50, "total_tokens": 450}
        return web.json_response(
            {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}
        )

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ready.send(f"http://127.0.0.1:{runner.addresses[0][1]}/v1")
        await asyncio.Event().wait()

    asyncio.run(run())


def labeled(number: int) -> LabeledDialogue:
    """Return a dialogue of one angry turn."""
    of = transcribed(dialogue([("ann", WORDS.format(number))], name=f"d{number}", with_audio=False))
    gold = EmotionLabel(source="gold", labeler_id="gold", emotion=Emotion.ANGER)
    state = EmotionalState(
        turn_index=0, speaker="ann", gold=gold, chosen=Emotion.ANGER, chosen_from="gold"
    )
    return LabeledDialogue(
        dialogue=of.dialogue,
        sounds=of.sounds,
        transcript=of.transcript,
        cues=(None,),
        trajectories=(trace_trajectory("ann", (state,)),),
    )


def some(start: int, count: int) -> Iterator[LabeledDialogue]:
    """Yield labeled dialogues, made on the worker: big lists in `Create` are slow."""
    return map(labeled, range(start, start + count))


def count_causes(done: AttributedDialogue) -> tuple[str, int]:
    """Return how many causes a dialogue has."""
    return "causes", len(done.attributions)


def expect_all(total: tuple[str, int], num_questions: int) -> None:
    """Refuse a run that lost questions.

    Raises:
        ValueError: Causes are missing.
    """
    if total[1] != num_questions:
        raise ValueError(f"{total[1]} causes of {num_questions}")


def stage(base_url: str, num_questions: int, folder: str) -> Timed:
    """Run the stage over an empty store."""
    config: BuildConfig = load_config(
        None,
        {
            "inputs": [{"path": "none"}],
            "output": f"{folder}/out",
            "recognizer": "gold",
            "labeler": "gold",
            "attributor": "llm",
            "language_model": "openai:fake",
            "language_model_settings": {"in_flight": IN_FLIGHT},
        },
        base_url=base_url,
    )
    register_coders()
    room = EngineRoom(engine_opener(config), partial(RunState, ("attribute",), 1.0), "all")
    worker = room.enter()
    began, cpu_began = time.perf_counter(), time.process_time()
    with beam.Pipeline("FnApiRunner") as p:
        (
            p
            | beam.Create([(n, 100) for n in range(0, num_questions, 100)])
            | beam.FlatMapTuple(some).with_output_types(LabeledDialogue)
            | AttributeEmotions(
                AttributeRules("all", 20), StepContext(room, DeadLetters(), IN_FLIGHT * 2)
            )
            | beam.Map(count_causes)
            | beam.CombinePerKey(sum)
            | beam.Map(expect_all, num_questions)
        )
    timed = Timed(time.perf_counter() - began, time.process_time() - cpu_began)
    worker.close()
    return timed


Body = dict[str, object]


def request_body(number: int) -> Body:
    """Return the request that the stage makes of a dialogue."""
    prompt = PromptLibrary({}).prompt("attribution", Language.EN)
    values = {
        "turns": f"[0] ann: {WORDS.format(number)}",
        "turn": "0",
        "speaker": "ann",
        "emotion": "angry",
    }
    schema = json.loads(prompt.answer_schema.text)
    return {
        "model": "fake",
        "messages": [{"role": m.role, "content": m.content} for m in prompt.render(values)],
        "temperature": 0,
        "max_tokens": 1024,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "attribution", "schema": schema, "strict": True},
        },
    }


async def ask_all(num_questions: int, ask: Callable[[Body], Awaitable[None]]) -> Timed:
    """Ask all questions with a semaphore and gather."""
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def ask_one(number: int) -> None:
        async with gate:
            await ask(request_body(number))

    began, cpu_began = time.perf_counter(), time.process_time()
    await asyncio.gather(*(ask_one(number) for number in range(num_questions)))
    return Timed(time.perf_counter() - began, time.process_time() - cpu_began)


async def plain(base_url: str, num_questions: int) -> Timed:
    """Ask by the openai package on aiohttp, answers read by pydantic."""
    client = openai.AsyncOpenAI(
        api_key="none", base_url=base_url, http_client=openai.DefaultAioHttpClient(), max_retries=0
    )

    async def ask(body: Body) -> None:
        answer = await client.chat.completions.create(**body)  # type: ignore[call-overload]
        CauseForm.model_validate_json(answer.choices[0].message.content or "")

    async with client:
        return await ask_all(num_questions, ask)


async def raw(base_url: str, num_questions: int) -> Timed:
    """Ask by aiohttp alone, answers read as JSON."""
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def ask(body: Body) -> None:
            async with session.post(f"{base_url}/chat/completions", json=body) as response:
                answer = await response.json()
                json.loads(answer["choices"][0]["message"]["content"])

        return await ask_all(num_questions, ask)


def measure(base_url: str, num_questions: int) -> dict[str, Timed]:
    """Run all three, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            "aiohttp alone": asyncio.run(raw(base_url, num_questions)),
            "openai and pydantic": asyncio.run(plain(base_url, num_questions)),
            "stage in Beam, stored": stage(base_url, num_questions, folder),
        }


def main() -> None:
    """Run all rounds and print rates and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=NUM_QUESTIONS)
    parser.add_argument("--rounds", type=int, default=NUM_ROUNDS)
    chosen = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    base_url = ours.recv()
    sys.stdout.write(
        f"{chosen.questions} questions, {LATENCY * 1000:.0f} ms latency, {IN_FLIGHT} in flight\n"
        f"{'':<24}{'questions/s':>12}{'CPU ms each':>13}{'ratio':>8}\n"
    )
    ratios = []
    try:
        for _ in range(chosen.rounds):
            timed = measure(base_url, chosen.questions)
            base = timed["openai and pydantic"].seconds
            for name, took in timed.items():
                rate = chosen.questions / took.seconds
                each = 1000 * took.cpu_seconds / chosen.questions
                sys.stdout.write(
                    f"{name:<24}{rate:>12.0f}{each:>13.2f}{base / took.seconds:>8.2f}\n"
                )
            sys.stdout.flush()
            ratios.append(base / timed["stage in Beam, stored"].seconds)
    finally:
        server.terminate()
    sys.stdout.write(
        f"stage / openai and pydantic: median {statistics.median(ratios):.2f}, "
        f"from {min(ratios):.2f} to {max(ratios):.2f}\n"
    )


if __name__ == "__main__":
    main()
