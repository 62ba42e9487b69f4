"""What every response store promises; a new backend joins `STORES`."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from ieat.pipeline.ports import ResponseStore
from ieat.pipeline.store.sqlite_store import SqliteStore
from ieat.schemas.engine import Answer, StoredAnswer, Usage

STORES: dict[str, Callable[..., ResponseStore]] = {"sqlite": SqliteStore}

NUM_PROCESSES = 3
NUM_KEYS = 60

# Forking would copy the threads' locks in whatever state they are.
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(params=sorted(STORES))
def backend(request):
    return request.param


@pytest.fixture
def store(backend, tmp_path):
    opened = STORES[backend](tmp_path / "store")
    yield opened
    opened.close()


def stored(key="k1", text="first", **fields):
    answer = Answer(text=text, **fields)
    return StoredAnswer(key=key, engine_id="openai:m@1", label="labeling@1", answer=answer)


def test_what_was_put_comes_back_whole(store):
    kept = stored(
        text="难过 😀\x00\n", reasoning="so", outcome="truncated", model="m-1",
        usage=Usage(prompt_tokens=1, cached_tokens=0),
    )  # fmt: skip

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


def test_of_many_puts_of_one_key_at_once_one_stays_for_all(store):
    async def run():
        await asyncio.gather(*(store.put(stored(text=str(n)), f"c/{n}") for n in range(50)))
        return {(await store.get("k1", "c/d")).answer.text for _ in range(3)}

    texts = asyncio.run(run())
    assert len(texts) == 1
    assert texts < {str(n) for n in range(50)}


def test_it_says_which_keys_it_holds(store):
    keys = [f"k{number}" for number in range(1200)]

    async def run():
        await asyncio.gather(*(store.put(stored(key=key), "c/d") for key in keys[::2]))

    asyncio.run(run())
    assert store.contains(keys) == set(keys[::2])
    assert store.contains([]) == set()


def test_answers_outlive_the_store_that_took_them(backend, tmp_path):
    first = STORES[backend](tmp_path / "store")
    asyncio.run(first.put(stored(), "c/d"))
    first.close()
    second = STORES[backend](tmp_path / "store")
    assert asyncio.run(second.get("k1", "c/d")) == stored()
    second.close()


def test_a_cancelled_put_is_written_all_the_same(store):
    async def run():
        writing = asyncio.ensure_future(store.put(stored(), "c/d"))
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        # A later put is written after the earlier one.
        await store.put(stored(key="k2"), "c/d")
        return await store.get("k1", "c/d")

    assert asyncio.run(run()) == stored()


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


def test_closing_writes_what_waits_and_may_be_done_twice(backend, tmp_path):
    async def run():
        opened = STORES[backend](tmp_path / "store")
        writing = [asyncio.ensure_future(opened.put(stored(key=f"k{n}"), "c/d")) for n in range(20)]
        await asyncio.sleep(0)
        await asyncio.to_thread(opened.close)
        await asyncio.gather(*writing)
        opened.close()

    asyncio.run(run())
    again = STORES[backend](tmp_path / "store")
    assert len(again.contains([f"k{n}" for n in range(20)])) == 20
    again.close()


def test_a_closed_store_refuses_instead_of_hanging(backend, tmp_path):
    opened = STORES[backend](tmp_path / "store")
    opened.close()
    with pytest.raises(RuntimeError, match="closed"):
        asyncio.run(opened.put(stored(), "c/d"))
    with pytest.raises(RuntimeError, match="closed"):
        asyncio.run(opened.get("k1", "c/d"))


def test_replay_reads_and_never_writes(backend, tmp_path):
    first = STORES[backend](tmp_path / "store")
    asyncio.run(first.put(stored(), "c/d"))
    first.close()
    replay = STORES[backend](tmp_path / "store", replay=True)
    assert asyncio.run(replay.get("k1", "c/other")) == stored()
    assert asyncio.run(replay.get("k2", "c/other")) is None
    with pytest.raises(RuntimeError, match="replay"):
        asyncio.run(replay.put(stored(key="k2"), "c/d"))
    replay.close()


def put_all(backend: str, folder: Path, name: str) -> None:
    """Put all keys in a process of its own, each with the process' name as its text."""

    async def run() -> None:
        opened = STORES[backend](folder)
        for number in range(NUM_KEYS):
            await opened.put(stored(key=f"k{number}", text=name), f"c/{name}")
        opened.close()

    asyncio.run(run())


def test_several_processes_share_one_store(backend, tmp_path):
    processes = [
        SPAWN.Process(target=put_all, args=(backend, tmp_path / "store", f"p{number}"))
        for number in range(NUM_PROCESSES)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * NUM_PROCESSES
    opened = STORES[backend](tmp_path / "store")
    assert len(opened.contains([f"k{number}" for number in range(NUM_KEYS)])) == NUM_KEYS
    opened.close()


def put_and_tell(backend: str, folder: Path, told: Connection) -> None:
    """Put one key after the other, telling each once `put` has returned, until killed."""

    async def run() -> None:
        opened = STORES[backend](folder)
        for number in range(100_000):
            await opened.put(stored(key=f"k{number}"), "c/d")
            told.send(f"k{number}")

    asyncio.run(run())


def test_what_put_returned_for_survives_a_kill(backend, tmp_path):
    told, write_end = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=put_and_tell, args=(backend, tmp_path / "store", write_end))
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
    opened = STORES[backend](tmp_path / "store")
    assert opened.contains(keys) == set(keys)
    opened.close()
