"""What is special to the store in SQLite: where it may lie, and what it says when it is broken."""

import asyncio
import sqlite3

import pytest

from ieat.pipeline.failures import ConfigError, RunStopped
from ieat.pipeline.store.file_systems import file_system_type, refuse_remote_folder
from ieat.pipeline.store.sqlite_store import FILE_NAME, SqliteStore
from ieat.schemas.engine import Answer, StoredAnswer

STORED = StoredAnswer(key="k1", engine_id="e", label="l", answer=Answer(text="first"))

MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/export /mnt/team nfs4 rw 0 0
tmpfs /mnt/team/scratch tmpfs rw 0 0
//nas/share /mnt/with\\040space cifs rw 0 0
me@host: /srv/me/far fuse.sshfs rw 0 0
/dev/vdb /mnt/twice ext4 rw 0 0
server:/b /mnt/twice nfs rw 0 0
"""


@pytest.fixture
def filled(tmp_path):
    """The folder of a closed store that holds one answer."""
    store = SqliteStore(tmp_path)
    asyncio.run(store.put(STORED, "c/d"))
    store.close()
    return tmp_path


@pytest.fixture
def mounts(tmp_path):
    file = tmp_path / "mounts"
    file.write_text(MOUNTS, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/mnt/team", "nfs4"),
        ("/mnt/team/deep/store", "nfs4"),
        ("/mnt/with space/x", "cifs"),
        ("/srv/me/far/away", "fuse.sshfs"),
        ("/mnt/twice/store", "nfs"),
    ],
)
def test_a_network_file_system_is_refused(tmp_path, mounts, folder, kind):
    with pytest.raises(ConfigError, match=f"network file system .{kind}.*local disk"):
        refuse_remote_folder(type(tmp_path)(folder), mounts)


@pytest.mark.parametrize("folder", ["/mnt/team/scratch/x", "/mnt/teamwork", "/srv/me/farther"])
def test_a_local_folder_is_taken(tmp_path, mounts, folder):
    refuse_remote_folder(type(tmp_path)(folder), mounts)


def test_where_the_system_lists_no_mounts_nothing_is_refused(tmp_path):
    assert file_system_type(tmp_path, tmp_path / "missing") is None
    refuse_remote_folder(tmp_path, tmp_path / "missing")


@pytest.mark.parametrize("url", ["s3://bucket/store", "gs://b", "memory://x", "file:///tmp/x"])
def test_a_url_is_refused_before_anything_is_made(tmp_path, monkeypatch, url):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="is a URL, and SQLite needs a local disk"):
        SqliteStore(type(tmp_path)(url))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_named_with_its_repair(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"not a database at all, but long enough " * 100)
    with pytest.raises(ConfigError, match=f"{FILE_NAME} is broken or no store .*move it away"):
        SqliteStore(tmp_path)


def test_a_store_with_overwritten_pages_is_named_with_its_repair(filled):
    file = filled / FILE_NAME
    content = file.read_bytes()
    file.write_bytes(content[:100] + b"\xff" * (len(content) - 100))
    with pytest.raises(ConfigError, match=r"is broken or no store .*\.recover"):
        SqliteStore(filled)


def test_a_database_of_another_program_is_left_alone(tmp_path):
    other = sqlite3.connect(tmp_path / FILE_NAME)
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(ConfigError, match="is a database of another program"):
        SqliteStore(tmp_path)
    other = sqlite3.connect(tmp_path / FILE_NAME)
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    other.close()


def test_a_store_of_a_later_version_is_refused(filled):
    later = sqlite3.connect(filled / FILE_NAME)
    later.execute("PRAGMA user_version = 3")
    later.close()
    with pytest.raises(ConfigError, match="has version 3, this ieat reads versions 1 to 2"):
        SqliteStore(filled)
    with pytest.raises(ConfigError, match="has version 3"):
        SqliteStore(filled, replay=True)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="cannot use the response store"):
        SqliteStore(tmp_path / "file" / "store")


def test_replay_without_a_store_is_refused_and_makes_none(tmp_path):
    with pytest.raises(ConfigError, match=r"there is no response store .* run once without replay"):
        SqliteStore(tmp_path / "store", replay=True)
    assert list(tmp_path.iterdir()) == []


def test_each_dialogue_knows_the_answers_it_uses(tmp_path):
    store = SqliteStore(tmp_path)

    async def run():
        await store.put(STORED, "c/d1")
        await store.put(STORED.model_copy(update={"key": "k2"}), "c/d2")
        await store.get("k1", "c/d2")
        await store.get("k1", "c/\udcff")
        # Notes of use are written in order with the answers.
        await store.put(STORED.model_copy(update={"key": "k3"}), "c/d3")

    asyncio.run(run())
    assert store.keys_of("c/d1") == {"k1"}
    assert store.keys_of("c/d2") == {"k1", "k2"}
    assert store.keys_of("c/\udcff") == {"k1"}
    assert store.keys_of("c/none") == set()
    store.close()


def test_replay_notes_no_use(filled):
    replay = SqliteStore(filled, replay=True)
    asyncio.run(replay.get("k1", "c/other"))
    assert replay.keys_of("c/other") == set()
    replay.close()


def test_every_commit_is_synced_to_a_write_ahead_log(tmp_path):
    store = SqliteStore(tmp_path)
    asyncio.run(store.put(STORED, "c/d"))
    assert (tmp_path / f"{FILE_NAME}-wal").stat().st_size > 0
    store.close()


def test_a_store_that_breaks_while_it_is_used_stops_the_run(tmp_path):
    store = SqliteStore(tmp_path)
    asyncio.run(store.put(STORED, "c/d"))
    thief = sqlite3.connect(tmp_path / FILE_NAME)
    thief.execute("DROP TABLE answers")
    thief.close()
    with pytest.raises(RunStopped) as stopped:
        asyncio.run(store.put(STORED, "c/d"))
    assert stopped.value.code == "store_failed"
    with pytest.raises(RunStopped):
        asyncio.run(store.get("k1", "c/d"))
    with pytest.raises(RunStopped):
        store.contains(["k1"])
    store.close()


def test_an_answer_of_another_form_stops_the_run_with_a_way_on(filled):
    other = sqlite3.connect(filled / FILE_NAME)
    with other:
        other.execute("UPDATE answers SET answer = '{\"words\": 1}'")
    other.close()
    store = SqliteStore(filled)
    with pytest.raises(RunStopped, match="take the version that wrote it"):
        asyncio.run(store.get("k1", "c/d"))
    store.close()
