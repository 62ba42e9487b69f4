"""A build that runs group by group ends as one that runs at once, and goes on where it ended."""

import subprocess
import sys
import time

import pytest
import yaml

from ieat.pipeline.config import load_config
from ieat.pipeline.main import build
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.sink import shard_of
from ieat.pipeline.output.verify import verify
from tests.openai_server import OpenAIServer, failure, late
from tests.talk_script import endpoint, manifest_line

SHARDS = 3


def named(shard):
    """Return a name whose dialogue lies in a shard."""
    return next(f"d{n}" for n in range(1000) if shard_of(f"talks/d{n}", SHARDS) == shard)


def talk(shard, **fields):
    name = named(shard)
    return manifest_line(
        name, ("ann", f"My bag {name} is gone"), ("bob", "Oh"), ("ann", f"They stole {name}"),
        ("bob", "I see"), **fields,
    )  # fmt: skip


def values(folder, server, output="out", lines=None, **changes):
    given = [talk(shard) for shard in range(SHARDS)] if lines is None else lines
    manifest = folder / "talks.jsonl"
    manifest.write_text("\n".join(given) + "\n", encoding="utf-8")
    return {
        "inputs": [{"path": str(manifest)}],
        "output": str(folder / output),
        "store": str(folder / "store"),
        "recognizer": "gold",
        "labeler": "llm",
        "attributor": "llm",
        "language_model": "openai:fake-1",
        "language_model_settings": {"base_url": server.base_url, "in_flight": 4},
        "user_speaker": "first",
        "shards": SHARDS,
        "group_dialogues": 1,
    } | changes


def run(folder, server, output="out", lines=None, **changes):
    return build(load_config(None, values(folder, server, output, lines, **changes)))


def files(out):
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "run.json"
    }


def written(out):
    """Return what tells whether the files of a shard were written anew."""
    return {
        shard: [file.stat().st_ino for file in sorted(out.glob(f"stage*/train-{shard:05d}-*"))]
        for shard in range(SHARDS)
    }


def anew(before, after):
    """Return the shards that were written anew."""
    return [shard for shard in range(SHARDS) if after[shard] != before[shard]]


def records(out):
    return sorted(path.name for path in out.glob("_groups/*.json"))


@pytest.fixture
def server():
    with OpenAIServer(endpoint) as running:
        yield running


class Failing:
    """Refuses the key from the first question that names a dialogue on; answers all before."""

    def __init__(self, name):
        self.name = name

    def __call__(self, request):
        return failure(401) if self.name in request.words else endpoint(request)


def stopped_after(folder, num_groups, **changes):
    """Run a build whose engine is gone after some groups."""
    with OpenAIServer(Failing(named(num_groups))) as server:
        return run(folder, server, **changes)


def test_many_groups_write_what_one_group_writes(tmp_path):
    seen = []

    def watching(request):
        seen.append(len(records(tmp_path / "many")))
        return endpoint(request)

    lines = [
        *(talk(shard) for shard in range(SHARDS)),
        talk(1),
        talk(2, split="rare").replace(named(2), "other"),
        '{"dialogue_id": "broken"',
        manifest_line("spoiled", ("ann", "My bag is gone, ungrounded"), ("bob", "Oh")),
        manifest_line("silent", ("ann", ""), ("bob", "Oh")),
    ]
    with OpenAIServer(watching) as server:
        many = run(tmp_path, server, "many", lines)
        asked = server.count()
        one = run(tmp_path, server, "one", lines, group_dialogues=1000)
        assert server.count() == asked
    assert max(seen) >= 2
    assert files(tmp_path / "many") == files(tmp_path / "one")
    assert many.manifest == one.manifest
    assert many.manifest.codes["dialogue:duplicate_id"] == 2
    assert many.manifest.codes["dialogue:broken_json"] == 1
    assert many.manifest.splits("stage1") == ("rare", "train")
    assert verify(str(tmp_path / "many")).is_sound
    assert not (tmp_path / "many" / "_groups").exists()


def test_another_runner_writes_the_same_in_one_pipeline(tmp_path):
    seen = []

    def watching(request):
        seen.append(len(records(tmp_path / "whole")))
        return endpoint(request)

    lines = [*(talk(shard) for shard in range(SHARDS)), talk(1), '{"broken']
    with OpenAIServer(watching) as server:
        config = load_config(None, values(tmp_path, server, "whole", lines))
        flags = ["--direct_running_mode=multi_threading", "--direct_num_workers=2"]
        report = build(config, beam_flags=flags)
        run(tmp_path, server, "grouped", lines)
    assert report.exit_code == 0
    assert set(seen) == {0}
    assert files(tmp_path / "whole") == files(tmp_path / "grouped")


def test_a_build_that_was_stopped_goes_on_after_the_groups_that_are_finished(tmp_path, server):
    report = stopped_after(tmp_path, 1)
    assert report.exit_code == 4
    books = report.manifest.books
    assert (books.dialogues.written, books.dialogues.num_not_reached) == (1, 2)
    assert (books.turns.written, books.turns.num_not_reached) == (4, 8)
    assert records(tmp_path / "out") == ["00000.json"]
    before = written(tmp_path / "out")
    report = run(tmp_path, server)
    after = written(tmp_path / "out")
    assert anew(before, after) == [1, 2]
    assert report.manifest.books.dialogues.written == SHARDS
    assert server.count() == 4
    assert not (tmp_path / "out" / "_groups").exists()
    run(tmp_path, server, "fresh", group_dialogues=1000)
    assert files(tmp_path / "out") == files(tmp_path / "fresh")


def test_a_changed_line_runs_its_own_group_again(tmp_path, server):
    stopped_after(tmp_path, 2)
    before = written(tmp_path / "out")
    lines = [talk(shard) for shard in range(SHARDS)]
    lines[0] = lines[0].replace("I see", "I do see")
    run(tmp_path, server, lines=lines)
    after = written(tmp_path / "out")
    assert anew(before, after) == [0, 2]


def test_a_retry_runs_all_groups_again(tmp_path, server):
    stopped_after(tmp_path, 1)
    before = written(tmp_path / "out")
    run(tmp_path, server, retry=("refusal",))
    assert anew(before, written(tmp_path / "out")) == [0, 1, 2]


def test_a_group_whose_file_is_gone_runs_again(tmp_path, server):
    stopped_after(tmp_path, 1)
    before = written(tmp_path / "out")
    (tmp_path / "out" / "stage1" / "train-00000-of-00003.parquet").unlink()
    run(tmp_path, server)
    after = written(tmp_path / "out")
    assert anew(before, after) == [0, 1, 2]


def test_a_smaller_limit_is_not_taken_for_the_whole(tmp_path, server):
    stopped_after(tmp_path, 1)
    report = run(tmp_path, server, limit=1)
    assert (report.manifest.books.dialogues.read, report.manifest.num_rows("stage1")) == (1, 4)
    report = run(tmp_path, server)
    assert (report.manifest.books.dialogues.read, report.manifest.num_rows("stage1")) == (3, 12)


def test_after_a_stop_what_could_not_be_read_still_has_its_dead_letter(tmp_path):
    lines = [talk(shard) for shard in range(SHARDS)]
    lines += ['{"broken' for _ in range(8)]
    report = stopped_after(tmp_path, 0, lines=lines)
    assert report.exit_code == 4
    assert report.manifest.books.dialogues.dead == {"broken_json": 8}
    assert report.manifest.books.dialogues.not_reached == {"engine_unavailable": 3}
    assert report.manifest.num_rows("_dead_letters") == 8


def test_a_run_that_failed_wholesale_is_looked_at_anew(tmp_path, server):
    lines = [talk(shard) for shard in range(SHARDS)] + ['{"broken' for _ in range(200)]
    report = stopped_after(tmp_path, 1, lines=lines)
    assert report.exit_code == 4
    report = run(tmp_path, server, lines=lines)
    assert report.exit_code == 5
    assert not (tmp_path / "out" / "_groups").exists()


def test_a_shard_that_is_far_too_large_is_told_with_the_number_of_shards_that_would_do(
    tmp_path, server
):
    lines = [talk(0).replace(named(0), f"d{n}") for n in range(40)]
    report = run(tmp_path, server, lines=lines, group_dialogues=4)
    largest = max(
        sum(shard_of(f"talks/d{n}", SHARDS) == shard for n in range(40)) for shard in range(SHARDS)
    )
    assert report.warnings == (
        f"one shard holds {largest} dialogues, all in memory at once; to need less, set shards: 10 "
        "and a new output",
    )


def test_a_killed_build_runs_only_the_groups_that_were_not_finished(tmp_path):
    def slowly(request):
        return late(endpoint(request), 0.2 if named(1) in request.words else 0.0)

    with OpenAIServer(slowly) as server:
        config = tmp_path / "ieat.yaml"
        config.write_text(yaml.safe_dump(values(tmp_path, server, "killed")))
        command = [sys.executable, "-m", "ieat.pipeline.cli", "build", "--config", str(config)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(records(tmp_path / "killed")) < 1 and process.poll() is None:
            time.sleep(0.005)
        process.kill()
        process.wait()
        assert records(tmp_path / "killed") == ["00000.json"]
        before = written(tmp_path / "killed")
        subprocess.run(command, check=True, capture_output=True)
        after = written(tmp_path / "killed")
        assert anew(before, after) == [1, 2]
        asked = [request.words for request in server.requests]
        assert len(set(asked)) == 2 * SHARDS
        assert len(asked) - len(set(asked)) <= 2
        run(tmp_path, server, "whole", group_dialogues=1000)
    assert files(tmp_path / "killed") == files(tmp_path / "whole")


def test_a_build_to_another_file_system_leaves_nothing_of_its_work_there(tmp_path, server):
    out = f"memory://{tmp_path.name}/out"
    report = build(load_config(None, values(tmp_path, server) | {"output": out}))
    assert (report.exit_code, report.manifest.books.dialogues.written) == (0, SHARDS)
    assert verify(out).is_sound
    assert not [name for name in BuildFolder(out).names() if name.startswith("_groups")]
