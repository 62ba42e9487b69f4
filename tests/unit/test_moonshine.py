"""The embedded recognizer: what it needs, what it hears, and how its answers are read."""

import asyncio
import importlib.util
import json
import time
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

from ieat.pipeline.audio.decode import decode_span
from ieat.pipeline.audio.level import even_level
from ieat.pipeline.engines import moonshine
from ieat.pipeline.engines.moonshine import MoonshineTranscriber
from ieat.pipeline.failures import ConfigError, RecordError, UnusableAnswer
from ieat.schemas.audio import AudioSpan
from ieat.schemas.dialogue import Language
from ieat.schemas.engine import Answer
from ieat.schemas.transcript import Recognition
from tests.counting_engines import FreeCall

needs_moonshine = pytest.mark.skipif(
    importlib.util.find_spec("moonshine_voice") is None,
    reason="the extra `embedded` is not installed",
)


def install(monkeypatch, folder):
    """Make a folder look like the installed package."""
    spec = ModuleSpec("moonshine_voice", None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    monkeypatch.setattr(moonshine.importlib.util, "find_spec", lambda name: spec)


def test_a_missing_package_is_named_with_its_command(monkeypatch):
    monkeypatch.setattr(moonshine.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'ieat\[embedded\]'"):
        MoonshineTranscriber()


def test_a_package_without_weights_is_told_from_the_one_with_them(monkeypatch, tmp_path):
    install(monkeypatch, tmp_path)
    with pytest.raises(ConfigError, match=r"carries no weights.*moonshine-voice==0.1.0"):
        MoonshineTranscriber()


def test_other_weights_are_refused(monkeypatch, tmp_path):
    weights = tmp_path / "assets" / "tiny-en"
    weights.mkdir(parents=True)
    for name in moonshine.WEIGHTS_SHA256:
        (weights / name).write_bytes(b"other")
    install(monkeypatch, tmp_path)
    with pytest.raises(ConfigError, match=r"are other ones than expected.*moonshine-voice==0.1.0"):
        MoonshineTranscriber()


def run(work):
    async def inside():
        engine = MoonshineTranscriber()
        try:
            return await work(engine)
        finally:
            await engine.close()

    return asyncio.run(inside())


@needs_moonshine
def test_lines_are_joined_and_nothing_is_said_of_certainty():
    lines = [
        {"text": " I lost it. ", "start": 0.0, "duration": 1.0},
        {"text": "", "start": 1.0, "duration": 0.5},
        {"text": "Really.", "start": 2.0, "duration": 1.0},
    ]

    async def work(engine):
        return engine.parse(Answer(text=json.dumps({"lines": lines})))

    assert run(work) == Recognition(text="I lost it. Really.")


@needs_moonshine
@pytest.mark.parametrize("text", ["", "{}", '{"lines":[{"text":"a"}]}'])
def test_a_stored_answer_in_another_form_is_unusable(text):
    async def work(engine):
        return engine.parse(Answer(text=text))

    with pytest.raises(UnusableAnswer) as unusable:
        run(work)
    assert unusable.value.code == "broken_answer"


@needs_moonshine
def test_chinese_is_refused():
    with pytest.raises(RecordError) as refused:
        run(lambda engine: engine.transcribe(np.zeros(16_000, np.float32), Language.ZH, FreeCall()))
    assert refused.value.code == "recognizer_language"


@needs_moonshine
def test_the_engine_id_holds_the_hash_of_the_weights():
    async def work(engine):
        return engine.engine_id

    assert run(work) == "moonshine:tiny-en@bf13fa480d20"


@needs_moonshine
def test_the_loop_stays_free_while_sounds_are_heard():
    async def work(engine):
        beats = []

        async def beat():
            while True:
                beats.append(time.monotonic())
                await asyncio.sleep(0.01)

        beating = asyncio.ensure_future(beat())
        answers = await asyncio.gather(
            *(
                engine.transcribe(np.zeros(16_000, np.float32), Language.EN, FreeCall())
                for _ in range(3)
            )
        )
        beating.cancel()
        return [engine.parse(answer).text for answer in answers], len(beats)

    texts, num_beats = run(work)
    # What it puts into silence is one and the same; the stage asks about sound with a voice only.
    assert len(texts) == 3
    assert len(set(texts)) == 1
    assert num_beats > 3


@needs_moonshine
def test_what_was_heard_before_changes_nothing(monkeypatch):
    # One thread, so that the second sound meets whatever the first one left behind.
    monkeypatch.setattr(moonshine.os, "cpu_count", lambda: 1)
    queen = Path(__file__).parents[1] / "data" / "queen"
    turn = even_level(decode_span(AudioSpan(uri=str(queen / "ape2" / "turn08_joe.mp3"))))
    before = even_level(
        decode_span(AudioSpan(uri=str(queen / "and1" / "audio.flac"), start=7.785, end=12.279))
    )

    async def alone(engine):
        return await engine.transcribe(turn, Language.EN, FreeCall())

    async def after(engine):
        await engine.transcribe(before, Language.EN, FreeCall())
        return await engine.transcribe(turn, Language.EN, FreeCall())

    assert run(after) == run(alone)


def test_stored_answers_are_read_without_the_package(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="needs the package moonshine-voice"):
        MoonshineTranscriber()
    engine = MoonshineTranscriber(replay=True)
    assert engine.engine_id == "moonshine:tiny-en@bf13fa480d20"
    text = json.dumps({"lines": [{"text": "Hi.", "start": 0.0, "duration": 0.5}]})
    assert engine.parse(Answer(text=text)) == Recognition(text="Hi.")
    asyncio.run(engine.close())
