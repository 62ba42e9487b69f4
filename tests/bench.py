"""Time the attribution stage against a plain script, both in one run: `make bench`.

The stage runs inside Beam with durable store, parsing and all checks; the baseline is asyncio with
the openai package on aiohttp and pydantic, which stores nothing. Both ask the same server, which
answers after a fixed latency and shares the machine: compare, do not quote.
"""

import asyncio
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from multiprocessing.connection import Connection

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

NUM_QUESTIONS = 3000
IN_FLIGHT = 256
LATENCY = 0.25
WORDS = "My bag number {} is gone and I am angry"
"""What the one turn of each dialogue says."""


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
        return web.json_response({"choices": [{"message": message, "finish_reason": "stop"}]})

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


def expect_all(total: tuple[str, int]) -> None:
    """Refuse a run that lost questions.

    Raises:
        ValueError: Causes are missing.
    """
    if total[1] != NUM_QUESTIONS:
        raise ValueError(f"{total[1]} causes of {NUM_QUESTIONS}")


def stage(base_url: str, folder: str) -> float:
    """Run the stage over an empty store and return seconds."""
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
    began = time.perf_counter()
    with beam.Pipeline("FnApiRunner") as p:
        (
            p
            | beam.Create([(n, 100) for n in range(0, NUM_QUESTIONS, 100)])
            | beam.FlatMapTuple(some).with_output_types(LabeledDialogue)
            | AttributeEmotions(
                AttributeRules("all", 20), StepContext(room, DeadLetters(), IN_FLIGHT * 2)
            )
            | beam.Map(count_causes)
            | beam.CombinePerKey(sum)
            | beam.Map(expect_all)
        )
    seconds = time.perf_counter() - began
    worker.close()
    return seconds


async def plain(base_url: str) -> float:
    """Ask the same questions by a plain script and return seconds."""
    prompt = PromptLibrary({}).prompt("attribution", Language.EN)
    schema = json.loads(prompt.answer_schema.text)
    gate = asyncio.Semaphore(IN_FLIGHT)
    client = openai.AsyncOpenAI(
        api_key="none", base_url=base_url, http_client=openai.DefaultAioHttpClient(), max_retries=0
    )

    async def ask(number: int) -> CauseForm:
        values = {
            "turns": f"[0] ann: {WORDS.format(number)}",
            "turn": "0",
            "speaker": "ann",
            "emotion": "angry",
        }
        async with gate:
            answer = await client.chat.completions.create(
                model="fake",
                messages=[
                    {"role": m.role, "content": m.content}  # type: ignore[misc,list-item]
                    for m in prompt.render(values)
                ],
                temperature=0,
                max_tokens=1024,
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "attribution", "schema": schema, "strict": True},
                },
            )
        return CauseForm.model_validate_json(answer.choices[0].message.content or "")

    began = time.perf_counter()
    await asyncio.gather(*(ask(number) for number in range(NUM_QUESTIONS)))
    seconds = time.perf_counter() - began
    await client.close()
    return seconds


def main() -> None:
    """Run both and print their rates and ratio."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    base_url = ours.recv()
    try:
        script = asyncio.run(plain(base_url))
        with tempfile.TemporaryDirectory() as folder:
            beamed = stage(base_url, folder)
    finally:
        server.terminate()
    sys.stdout.write(
        f"{NUM_QUESTIONS} questions, {LATENCY * 1000:.0f} ms latency, {IN_FLIGHT} in flight\n"
        f"plain asyncio script   {NUM_QUESTIONS / script:7.0f} questions/s\n"
        f"stage in Beam, stored  {NUM_QUESTIONS / beamed:7.0f} questions/s\n"
        f"ratio                  {script / beamed:7.2f}\n"
    )


if __name__ == "__main__":
    main()
