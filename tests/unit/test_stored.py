"""Engines behind the store: paid once, kept before anybody sees it, failures never kept."""

import asyncio

import numpy as np
import pytest

from ieat.pipeline.failures import (
    EngineUnavailable,
    NotInStore,
    RecordError,
    RunStopped,
    SilentTurn,
    UnusableAnswer,
)
from ieat.pipeline.spending.ledger import Ledger
from ieat.pipeline.store import paid_once
from ieat.pipeline.store.keys import question_key, transcription_key
from ieat.pipeline.store.sqlite_store import SqliteStore
from ieat.pipeline.store.stored import StoredLanguageModel, StoredRecognizer
from ieat.schemas.audio import AudioSpan
from ieat.schemas.dialogue import Language, Turn
from ieat.schemas.engine import AnswerSchema, Message, Question
from ieat.schemas.transcript import Recognition
from tests.counting_engines import CountingModel, CountingTranscriber
from tests.fakes import measured

SCHEMA = AnswerSchema(schema_id="labeling@1", text="{}")
SPAN = AudioSpan(uri="a.wav", start=0.0, end=2.0)
TURN = Turn(index=0, source_turn_id="0", speaker="ann", audio=SPAN, text="gold words")
SOUND = measured(SPAN)


def question(words="hi"):
    return Question(messages=(Message(role="user", content=words),), answer_schema=SCHEMA)


@pytest.fixture
def store(tmp_path):
    opened = SqliteStore(tmp_path / "store")
    yield opened
    opened.close()


def with_model(work, model, store, **settings):
    """Run an async function with a stored model and return its result."""

    async def run():
        stored = StoredLanguageModel(
            model, store, **({"replay": False, "in_flight": 64} | settings)
        )
        try:
            view = stored.at(Ledger().meter("label", model.engine_id))
            view.close = stored.close
            return await work(view)
        finally:
            await stored.close()

    return asyncio.run(run())


def test_a_question_is_paid_once_whoever_asks(store):
    model = CountingModel()

    async def work(stored):
        first = await stored.ask(question(), "c/d1")
        other = await stored.ask(question("other"), "c/d1")
        again = await stored.ask(question(), "c/d2")
        return first, other, again

    first, other, again = with_model(work, model, store)
    assert first == again
    assert first.key == question_key("counting:model", question())
    assert first.label == "labeling@1"
    assert (first.answer.text, other.answer.text) == ("answer 1", "answer 2")
    # Asking for something new last, as notes of use are written in order with the answers.
    with_model(lambda stored: stored.ask(question("last"), "c/d3"), model, store)
    assert with_model(lambda stored: stored.ask(question(), "c/d3"), model, store) == first
    assert len(model.questions) == 3
    assert model.is_closed
    for dialogue in ("c/d1", "c/d2"):
        assert first.key in store.keys_of(dialogue)


def test_the_same_question_at_once_is_one_call_and_every_dialogue_is_noted(store):
    model = CountingModel()

    async def work(stored):
        model.gate = asyncio.Event()
        asking = [asyncio.ensure_future(stored.ask(question(), f"c/d{n}")) for n in range(10)]
        await asyncio.sleep(0.02)
        model.gate.set()
        answers = await asyncio.gather(*asking)
        await stored.ask(question("last"), "c/last")
        return answers

    answers = with_model(work, model, store)
    assert {answer.answer.text for answer in answers} == {"answer 1"}
    assert len(model.questions) == 2
    assert all(store.keys_of(f"c/d{n}") == {answers[0].key} for n in range(10))


def test_an_answer_is_durable_before_it_is_returned(tmp_path, store):
    seen = with_model(lambda stored: stored.ask(question(), "c/d"), CountingModel(), store)
    other_process = SqliteStore(tmp_path / "store", replay=True)
    assert other_process.contains([seen.key]) == {seen.key}
    other_process.close()


def test_a_failure_is_not_kept_and_the_next_asks_again(store):
    model = CountingModel(RecordError("bad_request", "no"))

    async def work(stored):
        with pytest.raises(RecordError, match="no"):
            await stored.ask(question(), "c/d")
        return await stored.ask(question(), "c/d")

    assert with_model(work, model, store).answer.text == "answer 2"


@pytest.mark.parametrize("error", [RecordError("bad_request", "no"), EngineUnavailable("gone")])
def test_those_who_wait_for_a_failing_call_fail_with_it_and_do_not_hang(store, error):
    model = CountingModel(error)

    async def work(stored):
        model.gate = asyncio.Event()
        asking = [asyncio.ensure_future(stored.ask(question(), "c/d")) for _ in range(3)]
        await asyncio.sleep(0.02)
        model.gate.set()
        return await asyncio.gather(*asking, return_exceptions=True)

    assert with_model(work, model, store) == [error] * 3
    assert len(model.questions) == 1


def test_those_who_wait_get_the_answer_though_the_first_who_asked_was_cancelled(store):
    model = CountingModel()

    async def work(stored):
        model.gate = asyncio.Event()
        first, second = (asyncio.ensure_future(stored.ask(question(), "c/d")) for _ in range(2))
        await asyncio.sleep(0.02)
        first.cancel()
        await asyncio.sleep(0.02)
        assert first.cancelled()
        model.gate.set()
        return await asyncio.wait_for(second, 5)

    assert with_model(work, model, store).answer.text == "answer 1"
    assert len(model.questions) == 1


def test_a_call_that_nobody_waits_for_any_more_is_kept_all_the_same(store):
    model = CountingModel()

    async def work(stored):
        model.gate = asyncio.Event()
        asking = asyncio.ensure_future(stored.ask(question(), "c/d"))
        await asyncio.sleep(0.02)
        asking.cancel()
        model.gate.set()

    with_model(work, model, store)
    assert len(store.keys_of("c/d")) == 1


def test_a_call_that_does_not_end_is_ended_at_closing_and_nobody_hangs(store, monkeypatch):
    monkeypatch.setattr(paid_once, "CLOSING_GRACE", 0.05)
    model = CountingModel()

    async def work(stored):
        model.gate = asyncio.Event()
        asking = asyncio.ensure_future(stored.ask(question(), "c/d"))
        await asyncio.sleep(0.02)
        await stored.close()
        with pytest.raises(RunStopped, match="was closed while it was asked"):
            await asyncio.wait_for(asking, 5)

    with_model(work, model, store)
    assert store.keys_of("c/d") == set()


def test_replay_gives_what_is_stored_and_names_what_is_not(tmp_path, store):
    paid = with_model(lambda stored: stored.ask(question(), "c/d"), CountingModel(), store)
    model = CountingModel()
    replayed = SqliteStore(tmp_path / "store", replay=True)

    async def work(stored):
        found = await stored.ask(question(), "c/d")
        with pytest.raises(NotInStore) as missing:
            await stored.ask(question("new"), "c/d")
        assert missing.value.code == "not_in_store"
        assert missing.value.message == (
            "no stored answer of counting:model to labeling@1 for c/d "
            f"(key {question_key('counting:model', question('new'))[:12]}); "
            "run once without replay"
        )
        return found

    assert with_model(work, model, replayed, replay=True) == paid
    assert model.questions == []
    replayed.close()


def recognize(store, transcriber, turn=TURN, sound=SOUND, language=Language.EN, **settings):
    decoded = []

    def decode(span):
        decoded.append(span)
        return np.zeros(32_000, np.float32)

    async def run():
        recognizer = StoredRecognizer(
            transcriber,
            store,
            **(
                {
                    "replay": False,
                    "in_flight": 64,
                    "meter": Ledger().meter("transcribe", transcriber.engine_id),
                    "decode": decode,
                }
                | settings
            ),
        )
        try:
            return await recognizer.recognize(turn, sound, language, "c/d")
        finally:
            await recognizer.close()

    return asyncio.run(run()), decoded


def test_a_turn_is_decoded_and_transcribed_once(store):
    engine = CountingTranscriber()
    key = transcription_key("counting:transcriber", SOUND, Language.EN)
    expected = Recognition(text="32000 samples", response_key=key)
    assert recognize(store, engine) == (expected, [SPAN])
    assert recognize(store, engine) == (expected, [])
    assert (engine.calls, engine.is_closed) == (1, True)
    assert store.keys_of("c/d") == {key}


def test_a_turn_without_sound_gives_the_words_of_its_corpus(store):
    engine = CountingTranscriber()
    turn = Turn(index=1, source_turn_id="1", speaker="bot", text="I am sorry")
    heard, decoded = recognize(store, engine, turn, None)
    assert heard == Recognition(text="I am sorry", response_key=None)
    assert (engine.calls, decoded) == (0, [])


def test_a_turn_with_neither_sound_nor_text_is_silent(store):
    turn = Turn.model_construct(index=1, source_turn_id="1", speaker="bot", audio=None, text=None)
    with pytest.raises(SilentTurn) as silent:
        recognize(store, CountingTranscriber(), turn, None)
    assert silent.value.code == "no_words"


def test_a_language_that_the_engine_does_not_know_is_refused_with_a_way_on(store):
    engine = CountingTranscriber()
    with pytest.raises(RecordError) as refused:
        recognize(store, engine, language=Language.ZH)
    assert refused.value.code == "recognizer_language"
    assert "counting:transcriber does not transcribe 'zh'" in refused.value.message
    assert "openai:MODEL" in refused.value.message
    assert engine.calls == 0


def test_an_answer_is_kept_before_it_is_read_and_a_better_reader_costs_nothing(store):
    broken = CountingTranscriber(write=lambda n: "{}")
    with pytest.raises(UnusableAnswer):
        recognize(store, broken)
    better = CountingTranscriber()
    better.parse = lambda answer: Recognition(text=f"read {answer.text}")
    heard, _ = recognize(store, better)
    assert (heard.text, better.calls) == ("read {}", 0)


def test_replay_decodes_nothing(tmp_path, store):
    replayed = SqliteStore(tmp_path / "store", replay=True)
    engine = CountingTranscriber()
    with pytest.raises(NotInStore, match="to transcription for c/d"):
        recognize(replayed, engine, replay=True)
    assert engine.calls == 0
    replayed.close()


def test_no_more_calls_than_allowed_wait_to_become_durable(store):
    at_once, most = 0, 0

    class Slow(CountingModel):
        async def complete(self, question, call, samples=None):
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.005)
            return await super().complete(question, call)

    class Watched:
        """The store, telling when an answer is durable."""

        def __getattr__(self, name):
            return getattr(store, name)

        async def put(self, stored, dialogue_id, *, replaces=False):
            nonlocal at_once
            stays = await store.put(stored, dialogue_id, replaces=replaces)
            at_once -= 1
            return stays

    async def ask(stored):
        await asyncio.gather(*(stored.ask(question(f"q{n}"), "c/d") for n in range(20)))

    with_model(ask, Slow(), Watched(), in_flight=3)
    assert most == 3
