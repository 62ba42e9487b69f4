"""What every response store promises; a new backend joins `tests/stores.py`."""

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.connection import Connection

import pytest

from ieat.pipeline.store.seal import check_seal
from ieat.schemas.engine import Answer, StoredAnswer, Usage
from tests.stores import BACKENDS, SHARED, open_at, place_for, s3_server

NUM_PROCESSES = 3
NUM_KEYS = 60

# Forking would copy the threads' locks in whatever state they are.
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(scope="module")
def s3():
    with s3_server():
        yield


@pytest.fixture(params=BACKENDS)
def place(request, tmp_path):
    """A place where a store can be made."""
    if request.param == "s3":
        request.getfixturevalue("s3")
    return place_for(request.param, tmp_path)


@pytest.fixture(params=SHARED)
def shared_place(request, tmp_path):
    """A place whose store several processes can share."""
    if request.param == "s3":
        request.getfixturevalue("s3")
    return place_for(request.param, tmp_path)


@pytest.fixture
def store(place):
    opened = open_at(place)
    yield opened
    opened.close()


def stored(key="k1", text="first", **fields):
    answer = Answer(text=text, **fields)
    return StoredAnswer(key=key, engine_id="openai:m@1", label="labeling@1", answer=answer)


def test_what_was_put_comes_back_whole(store):
    kept = stored(
        text="难过 😀\x00\n", reasoning="so", outcome="truncated", model="m-1",
        usage=Usage(prompt_tokens=1, cached_tokens=0, audio_seconds=0.5),
    ).model_copy(update={"usd": 0.25, "question_bytes": 7})  # fmt: skip

    async def run():
        assert await store.get("k1", "c/d1") is None
        await store.put(kept, "c/d1")
        return await store.get("k1", "c/d2")

    assert asyncio.run(run()) == kept


def test_the_first_answer_stays(store):
    async def run():
        await store.put(stored(text="first"), "c/d1")
        await store.put(stored(text="second"), "c/d2")
        found = await store.get("k1", "c/d1")
        assert found is not None
        return found.answer.text

    assert asyncio.run(run()) == "first"


def test_an_answer_that_replaces_another_takes_its_place(store):
    async def run():
        await store.put(stored(text="first"), "c/d1")
        ignored = await store.put(stored(text="second"), "c/d2")
        replaced = await store.put(stored(text="third"), "c/d2", replaces=True)
        found = await store.get("k1", "c/d1")
        return ignored.answer.text, replaced.answer.text, found.answer.text

    assert asyncio.run(run()) == ("first", "third", "third")


def test_a_large_answer_comes_back_whole(store):
    large = stored(text="难" * 3_500_000)

    async def run():
        await store.put(large, "c/d1")
        return await store.get("k1", "c/d1")

    assert asyncio.run(run()) == large


def test_it_knows_which_dialogues_use_an_answer_even_by_odd_names(store):
    async def run():
        await store.put(stored(), "c/d1")
        await store.put(stored(key="k2"), "c/d1")
        await store.get("k1", "c/d2")
        store.note("k2", "c/\udcff")

    asyncio.run(run())
    store.note("k1", "c/d2")
    assert wait_for_uses(store, 4) == [
        ("c/\\udcff", "k2"), ("c/d1", "k1"), ("c/d1", "k2"), ("c/d2", "k1"),
    ]  # fmt: skip
    assert store.keys_of("c/d2") == {"k1"}


def wait_for_uses(store, count):
    """Return who uses what; a note may be written a few milliseconds after it was taken."""
    for _ in range(100):
        uses = list(store.uses())
        if len(uses) >= count:
            return uses
        time.sleep(0.01)
    return uses


def test_upkeep_reads_every_answer_in_the_order_of_keys_with_its_hash(store):
    keys = [f"{number:064x}" for number in range(40)]

    async def run():
        await asyncio.gather(*(store.put(stored(key=key), "c/d") for key in reversed(keys)))

    asyncio.run(run())
    found = list(store.answers())
    assert [sealed.key for sealed in found] == keys
    assert all(sealed.sha256 for sealed in found)
    assert [check_seal(sealed) for sealed in found] == [stored(key=key) for key in keys]
    assert [sealed.key for sealed in store.find("0" * 62 + "1")] == keys[16:26]
    assert store.find("f") == []


def test_what_is_removed_is_gone_with_the_notes_of_who_used_it(store):
    async def run():
        for key in ("k1", "k2", "k3"):
            await store.put(stored(key=key), "c/d1")
        await store.get("k1", "c/d2")

    asyncio.run(run())
    assert store.remove(["k1", "k3", "unknown"]) == 2
    assert store.contains(["k1", "k2", "k3"]) == {"k2"}
    assert list(store.uses()) == [("c/d1", "k2")]


def test_a_dialogue_that_is_forgotten_leaves_the_answers_that_others_use(store):
    async def run():
        for key in ("k1", "k2"):
            await store.put(stored(key=key), "c/gone")
        await store.get("k1", "c/stays")

    asyncio.run(run())
    assert store.forget_dialogues(["c/gone"]) == {"k2"}
    assert [uses for uses in store.uses() if uses[0]] == [("c/stays", "k1")]
    assert store.contains(["k1"]) == {"k1"}


def test_of_many_puts_of_one_key_at_once_one_stays_for_all(store):
    async def run():
        await asyncio.gather(*(store.put(stored(text=str(n)), f"c/{n}") for n in range(50)))
        return {(await store.get("k1", "c/d")).answer.text for _ in range(3)}

    texts = asyncio.run(run())
    assert len(texts) == 1
    assert texts < {str(n) for n in range(50)}


def test_it_says_which_keys_it_holds(store):
    keys = [f"k{number}" for number in range(300)]

    async def run():
        await asyncio.gather(*(store.put(stored(key=key), "c/d") for key in keys[::2]))

    asyncio.run(run())
    assert store.contains(keys) == set(keys[::2])
    assert store.contains([]) == set()


def test_answers_outlive_the_store_that_took_them(place):
    first = open_at(place)
    asyncio.run(first.put(stored(), "c/d"))
    first.close()
    second = open_at(place)
    assert asyncio.run(second.get("k1", "c/d")) == stored()
    second.close()


def test_a_cancelled_put_is_written_all_the_same(place):
    first = open_at(place)

    async def run():
        writing = asyncio.ensure_future(first.put(stored(), "c/d"))
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing

    asyncio.run(run())
    # Closing waits for what is being written.
    first.close()
    second = open_at(place)
    assert asyncio.run(second.get("k1", "c/d")) == stored()
    second.close()


def test_several_threads_with_event_loops_of_their_own_share_one_store(store):
    async def run(worker):
        await asyncio.gather(
            *(store.put(stored(key=f"{worker}-{number}"), "c/d") for number in range(20))
        )

    threads = [threading.Thread(target=asyncio.run, args=(run(worker),)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = [f"{worker}-{number}" for worker in range(4) for number in range(20)]
    assert store.contains(keys) == set(keys)


def test_closing_writes_what_waits_and_may_be_done_twice(place):
    async def run():
        opened = open_at(place)
        writing = [asyncio.ensure_future(opened.put(stored(key=f"k{n}"), "c/d")) for n in range(20)]
        await asyncio.sleep(0)
        await asyncio.to_thread(opened.close)
        await asyncio.gather(*writing)
        opened.close()

    asyncio.run(run())
    again = open_at(place)
    assert len(again.contains([f"k{n}" for n in range(20)])) == 20
    again.close()


def test_a_closed_store_refuses_instead_of_hanging(place):
    opened = open_at(place)
    opened.close()
    with pytest.raises(RuntimeError, match="closed"):
        asyncio.run(opened.put(stored(), "c/d"))
    with pytest.raises(RuntimeError, match="closed"):
        asyncio.run(opened.get("k1", "c/d"))


def test_replay_reads_and_never_writes(place):
    first = open_at(place)
    asyncio.run(first.put(stored(), "c/d"))
    first.close()
    replay = open_at(place, replay=True)
    assert asyncio.run(replay.get("k1", "c/other")) == stored()
    assert asyncio.run(replay.get("k2", "c/other")) is None
    with pytest.raises(RuntimeError, match="replay"):
        asyncio.run(replay.put(stored(key="k2"), "c/d"))
    replay.close()


def put_all(place: str, name: str) -> None:
    """Put all keys in a process of its own, each with the process' name as its text."""

    async def run() -> None:
        opened = open_at(place)
        for number in range(NUM_KEYS):
            await opened.put(stored(key=f"k{number}", text=name), f"c/{name}")
        opened.close()

    asyncio.run(run())


def test_several_processes_share_one_store(shared_place):
    processes = [
        SPAWN.Process(target=put_all, args=(shared_place, f"p{number}"))
        for number in range(NUM_PROCESSES)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * NUM_PROCESSES
    opened = open_at(shared_place)
    assert len(opened.contains([f"k{number}" for number in range(NUM_KEYS)])) == NUM_KEYS
    opened.close()


def put_and_tell(place: str, told: Connection) -> None:
    """Put one key after the other, telling each once `put` has returned, until killed."""

    async def run() -> None:
        opened = open_at(place)
        for number in range(100_000):
            await opened.put(stored(key=f"k{number}"), "c/d")
            told.send(f"k{number}")

    asyncio.run(run())


def test_what_put_returned_for_survives_a_kill(shared_place):
    told, write_end = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=put_and_tell, args=(shared_place, write_end))
    process.start()
    write_end.close()
    keys = [told.recv() for _ in range(25)]
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(60)
    while told.poll(0.2):
        try:
            keys.append(told.recv())
        except EOFError:  # noqa: PERF203 - the only way a pipe says so
            break
    told.close()
    opened = open_at(shared_place)
    assert opened.contains(keys) == set(keys)
    opened.close()
