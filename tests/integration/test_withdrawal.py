"""Consent that is withdrawn: nothing of a dialogue stays, and no later build brings it back."""

import json

import pyarrow.parquet as pq
import pytest

from ieat.pipeline.cli import run
from ieat.pipeline.main import build
from ieat.pipeline.output.verify import verify
from tests.openai_server import OpenAIServer
from tests.talk_build import build_config, shards, talks
from tests.talk_script import endpoint, manifest_line

SECRET = "The code of the safe is ungrounded 4711 and it is gone"
PRIVATE = manifest_line(
    "private", ("eve", SECRET), ("bob", "Oh dear"), ("eve", "They stole 99"), ("bob", "No")
)


def bytes_below(folder):
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def ids_in(out, table):
    return {
        row["dialogue_id"]
        for file in (out / table).glob("*.parquet")
        for row in pq.read_table(file, columns=["dialogue_id"]).to_pylist()
    }


@pytest.mark.parametrize("backend", ["folder", "objects"])
@pytest.mark.parametrize("by", ["dialogue", "speaker"])
def test_what_is_forgotten_is_in_no_store_and_no_build_and_does_not_come_back(
    tmp_path, capsys, backend, by
):
    place = tmp_path / "answers"
    store = str(place) if backend == "folder" else f"file://{place}"
    out = tmp_path / "out"
    with OpenAIServer(endpoint) as server:
        config = build_config(tmp_path, [*talks(3), PRIVATE], server.base_url, store=store)
        first = build(config)
        assert first.manifest.codes["turn:span_not_verbatim"] == 1
        assert "talks/private" in ids_in(out, "dialogues") & ids_in(out, "_dead_letters")
        whom = ["--dialogue", "talks/private"] if by == "dialogue" else ["--speaker", "talks/eve"]
        command = ["store", "forget", store, *whom, "--build", str(out)]
        before = shards(out)
        assert run(command, []) == 0
        assert capsys.readouterr().out == "would forget talks/private; do it with --yes\n"
        assert shards(out) == before
        assert run([*command, "--yes"], []) == 0
        assert "forgot 1 dialogues: removed 3 answers" in capsys.readouterr().out
        assert verify(str(out)).is_sound
        assert ids_in(out, "dialogues") == {"talks/d0", "talks/d1", "talks/d2"}
        for table in ("stage1", "stage2", "_dead_letters"):
            assert "talks/private" not in ids_in(out, table)
        for folder in (out, place):
            left = bytes_below(folder)
            assert b"ungrounded 4711" not in left
            assert b"talks/private" not in left
        books = json.loads((out / "manifest.json").read_text())["books"]
        assert books["dialogues"]["filtered"] == {"withdrawn": 1}
        assert (books["turns"]["filtered"], books["turns"]["written"]) == ({"withdrawn": 4}, 12)
        # The same folder of dialogues, built again on this store, leaves the dialogue out.
        count = server.count()
        again = build(config.model_copy(update={"output": str(tmp_path / "again")}))
        assert again.manifest.books.dialogues.filtered == {"withdrawn": 1}
        assert again.manifest.books.dialogues.written == 3
        assert server.count() == count
        assert b"ungrounded 4711" not in bytes_below(tmp_path / "again")
        assert run([*command, "--yes"], []) in (0, 2)


def test_a_forgotten_dialogue_leaves_the_others_as_they_were(tmp_path, capsys):
    out = tmp_path / "out"
    with OpenAIServer(endpoint) as server:
        build(build_config(tmp_path, talks(3), server.base_url))
        without = build_config(
            tmp_path, talks(3)[:2], server.base_url, output=str(tmp_path / "two"),
            store=str(tmp_path / "out.ieat"),
        )  # fmt: skip
        build(without)
    command = ["store", "forget", str(tmp_path / "out.ieat"), "--dialogue", "talks/d2"]
    assert run([*command, "--build", str(out), "--yes"], []) == 0
    tables = {name: blob for name, blob in shards(out).items() if name.endswith("parquet")}
    wanted = {name: blob for name, blob in shards(tmp_path / "two").items() if name in tables}
    for name, blob in tables.items():
        rows = pq.read_table(out / name).to_pylist()
        if "dialogues/" in name:
            # Line numbers of the manifest are the same, provenance too.
            assert rows == pq.read_table(tmp_path / "two" / name).to_pylist()
        assert blob == wanted[name]
    assert "removed 4 answers" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--speaker", "talks/eve"], ["--speaker", "eve"]])
def test_a_forgetting_that_names_nobody_is_a_mistake(tmp_path, capsys, arguments):
    assert run(["store", "forget", str(tmp_path), *arguments], []) == 2
    assert capsys.readouterr().err.count("\n") == 1
