"""What is special to answers that lie as objects at a URL."""

import asyncio
import json
import sqlite3

import pytest

from ieat.pipeline.failures import ConfigError, RunStopped
from ieat.pipeline.store import object_store
from ieat.pipeline.store.cached_store import OVERHEAD, CachedStore
from ieat.pipeline.store.object_store import ObjectStore
from ieat.pipeline.store.opening import open_for_upkeep, open_store
from ieat.pipeline.store.sqlite_store import SqliteStore
from ieat.schemas.engine import Answer, StoredAnswer


def stored(key="k1", text="hello"):
    return StoredAnswer(key=key, engine_id="e", label="l@1", answer=Answer(text=text), usd=0.5)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def store(folder):
    opened = ObjectStore(f"file://{folder}")
    yield opened
    opened.close()


def test_an_answer_is_one_file_that_says_for_whom_it_was_paid(store, folder):
    asyncio.run(store.put(stored("abc"), "corpus/d1"))
    [file] = folder.rglob("abc.json")
    about, text = file.read_text(encoding="utf-8").split("\n")
    assert file.relative_to(folder).as_posix() == "answers/ab/abc.json"
    assert json.loads(about)["dialogue_id"] == "corpus/d1"
    assert StoredAnswer.model_validate_json(text) == stored("abc")
    assert not list(folder.rglob("*.tmp"))


def test_further_dialogues_are_noted_in_groups(store, folder, monkeypatch):
    async def use():
        await store.put(stored(), "corpus/d1")
        for number in range(100):
            await store.get("k1", f"corpus/d{number}")

    asyncio.run(use())
    store.close()
    notes = list((folder / "uses").iterdir())
    assert len(notes) == 1
    # The one that paid stands in the answer itself.
    assert len(notes[0].read_text().splitlines()) == 99


def test_notes_are_written_while_a_build_runs(folder, monkeypatch):
    monkeypatch.setattr(object_store, "NOTE_EVERY", 0.01)
    opened = ObjectStore(f"file://{folder}")
    asyncio.run(opened.put(stored(), "c/d1"))
    opened.note("k1", "c/d2")
    for _ in range(200):
        if (folder / "uses").exists():
            break
        asyncio.run(asyncio.sleep(0.01))
    other = ObjectStore(f"file://{folder}", replay=True)
    assert other.keys_of("c/d2") == {"k1"}
    other.close()
    opened.close()


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="holds files that are no response store"):
        ObjectStore(f"file://{tmp_path}")
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_store_of_a_later_version_is_refused(store, folder):
    (folder / "ieat-store.json").write_text('{"version": 2}')
    with pytest.raises(ConfigError, match="has version 2, this ieat reads version 1"):
        ObjectStore(f"file://{folder}")


def test_there_is_nothing_to_replay_where_no_store_is(tmp_path):
    with pytest.raises(ConfigError, match=r"no response store .* to replay from"):
        ObjectStore(f"file://{tmp_path / 'none'}", replay=True)
    assert list(tmp_path.iterdir()) == []


def test_replay_leaves_every_byte_as_it_is(store, folder):
    asyncio.run(store.put(stored(), "c/d1"))
    store.close()
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    replay = ObjectStore(f"file://{folder}", replay=True)
    assert asyncio.run(replay.get("k1", "c/d2")) == stored()
    replay.close()
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == before


def test_a_damaged_answer_stops_the_run_instead_of_being_paid_again(store, folder):
    asyncio.run(store.put(stored(), "c/d1"))
    file = folder / "answers" / "k1" / "k1.json"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(RunStopped, match="ieat store prune --broken"):
        asyncio.run(store.get("k1", "c/d1"))
    file.write_bytes(b"\xff")
    with pytest.raises(RunStopped, match="cannot be read"):
        asyncio.run(store.get("k1", "c/d1"))


def test_a_file_system_that_fails_stops_the_run_and_says_where(store, folder, monkeypatch):
    def fail(path):
        raise PermissionError(13, "Access Denied", path)

    monkeypatch.setattr(store._files, "cat_file", fail)
    with pytest.raises(RunStopped, match=r"cannot use the response store file://.*Access Denied"):
        asyncio.run(store.get("k1", "c/d1"))


def test_a_file_system_that_nobody_knows_is_named():
    with pytest.raises(ConfigError, match="cannot use the response store nowhere://x"):
        ObjectStore("nowhere://x")


def test_the_place_says_which_store_it_is(tmp_path):
    local = open_for_upkeep(str(tmp_path / "a"))
    objects = open_for_upkeep(f"file://{tmp_path / 'b'}")
    cached = open_store(str(tmp_path / "a"), replay=False)
    assert (type(local), type(objects), type(cached)) == (SqliteStore, ObjectStore, CachedStore)
    for opened in (local, objects, cached):
        opened.close()


def test_a_remembered_answer_is_not_read_again_but_noted(store, monkeypatch):
    cached = CachedStore(store)

    async def use():
        await cached.put(stored(), "c/d1")
        monkeypatch.setattr(store._files, "cat_file", None)
        return await cached.get("k1", "c/d2")

    assert asyncio.run(use()) == stored()
    assert cached.contains(["k1"]) == {"k1"}
    monkeypatch.undo()
    assert store.keys_of("c/d2") == {"k1"}


def test_the_memory_is_bounded_and_keeps_what_was_used_last(store):
    cached = CachedStore(store, max_bytes=3 * (OVERHEAD + 100))

    async def use():
        for key in ("k1", "k2", "k3"):
            await cached.put(stored(key, "x" * 100), "c/d")
        await cached.get("k1", "c/d")
        await cached.put(stored("k4", "x" * 100), "c/d")

    asyncio.run(use())
    assert list(cached._known) == ["k3", "k1", "k4"]
    asyncio.run(cached.put(stored("k5", "x" * 10_000), "c/d"))
    assert list(cached._known) == []


def test_a_store_of_the_first_version_is_read_and_brought_up(tmp_path):
    folder = tmp_path / "old"
    SqliteStore(folder).close()
    with sqlite3.connect(folder / "responses.sqlite") as old:
        old.execute("ALTER TABLE answers DROP COLUMN sha256")
        old.execute("PRAGMA user_version = 1")
        old.execute("INSERT INTO answers VALUES ('k1', 'e', 'l@1', '{\"text\":\"hello\"}')")
    old.close()
    wanted = stored().model_copy(update={"usd": None})
    replay = SqliteStore(folder, replay=True)
    assert asyncio.run(replay.get("k1", "c/d")) == wanted
    assert [sealed.sha256 for sealed in replay.answers()] == [None]
    replay.close()
    for _ in range(2):
        opened = SqliteStore(folder)
        assert asyncio.run(opened.get("k1", "c/d")) == wanted
        asyncio.run(opened.put(stored("k2"), "c/d"))
        assert [bool(sealed.sha256) for sealed in opened.answers()] == [False, True]
        opened.close()


def test_removed_bytes_are_gone_from_the_file(tmp_path):
    opened = SqliteStore(tmp_path / "s")
    asyncio.run(opened.put(stored(text="my telephone is 0815-4711"), "c/secret-speaker"))
    assert opened.remove(["k1"]) == 1
    opened.close()
    left = b"".join(file.read_bytes() for file in (tmp_path / "s").iterdir())
    assert b"0815-4711" not in left
    assert b"secret-speaker" not in left
