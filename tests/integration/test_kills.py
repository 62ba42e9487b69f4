"""A build that is killed at any moment goes on, pays almost nothing twice, and ends the same."""

import random
import sqlite3
import subprocess
import sys
import time

import pytest
import yaml

from tests.openai_server import OpenAIServer, Request, late
from tests.talk_script import endpoint, manifest_line


def slowly(request: Request):
    return late(endpoint(request), 0.05)


def command(folder, base_url, output, store, num_dialogues, in_flight):
    lines = [
        manifest_line(
            f"d{n}", ("ann", f"My bag {n} is gone"), ("bob", "Oh"), ("ann", f"They stole {n}"),
            ("bob", "I see"),
        )
        for n in range(num_dialogues)
    ]  # fmt: skip
    manifest = folder / "talks.jsonl"
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = folder / f"{output}.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "inputs": [{"path": str(manifest)}],
                "output": str(folder / output),
                "store": str(folder / store),
                "recognizer": "gold",
                "labeler": "llm",
                "attributor": "llm",
                "response": "written",
                "language_model": "openai:fake-1",
                "language_model_settings": {"base_url": base_url, "in_flight": in_flight},
                "user_speaker": "first",
            }
        )
    )
    return [sys.executable, "-m", "ieat.pipeline.cli", "build", "--config", str(config)]


def shards(folder):
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in [*folder.glob("*/*.parquet"), folder / "manifest.json"]
    }


def wait_for(server, count, process):
    while server.count() < count and process.poll() is None:
        time.sleep(0.01)


def num_committed(store):
    """Return how many answers are durable in a store."""
    with sqlite3.connect(f"{(store / 'responses.sqlite').as_uri()}?mode=ro", uri=True) as file:
        count = file.execute("SELECT count(*) FROM answers").fetchone()[0]
    file.close()
    return count


@pytest.mark.parametrize(
    ("num_kills", "num_dialogues", "in_flight", "most_between"),
    [
        (2, 40, 4, 60),
        pytest.param(20, 1250, 32, 230, marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
    ],
)
def test_kills_ask_twice_only_what_was_not_committed_and_leave_the_same_bytes(
    tmp_path, num_kills, num_dialogues, in_flight, most_between
):
    chance = random.Random(20260104960)
    sizes = (num_dialogues, in_flight)
    with OpenAIServer(slowly) as server:
        killed = command(tmp_path, server.base_url, "killed", "killed-store", *sizes)
        lost = 0
        for kill in range(num_kills):
            process = subprocess.Popen(killed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_for(server, server.count() + chance.randrange(10, most_between), process)
            assert process.poll() is None, f"the build ended before kill {kill}"
            process.kill()
            process.wait()
            # What was sent when the process died still arrives.
            time.sleep(0.1)
            before, lost = lost, server.count() - num_committed(tmp_path / "killed-store")
            assert lost - before <= in_flight
        done = subprocess.run(killed, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        asked = [request.words for request in server.requests]
        unique = len(set(asked))
        assert unique == num_dialogues * 4
        # Every call above the unique ones is one whose answer was not committed at a kill.
        assert len(asked) - unique == lost
        sys.stdout.write(
            f"{num_kills} kills in {unique} calls: {lost} asked again, {in_flight} in flight\n"
        )
        undisturbed = command(tmp_path, server.base_url, "whole", "whole-store", *sizes)
        subprocess.run(undisturbed, check=True, capture_output=True)
    assert shards(tmp_path / "killed") == shards(tmp_path / "whole")
