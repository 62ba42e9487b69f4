"""A build that is killed at any moment goes on, pays almost nothing twice, and ends the same."""

import random
import subprocess
import sys
import time

import pytest
import yaml

from tests.openai_server import OpenAIServer, Request, late
from tests.talk_script import endpoint, manifest_line

NUM_DIALOGUES = 60
IN_FLIGHT = 4


def slowly(request: Request):
    return late(endpoint(request), 0.05)


def command(folder, base_url, output, store):
    lines = [
        manifest_line(
            f"d{n}", ("ann", f"My bag {n} is gone"), ("bob", "Oh"), ("ann", f"They stole {n}"),
            ("bob", "I see"),
        )
        for n in range(NUM_DIALOGUES)
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
                "language_model_settings": {"base_url": base_url, "in_flight": IN_FLIGHT},
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


@pytest.mark.parametrize(
    ("num_kills", "most_between"), [(3, 60), pytest.param(10, 20, marks=pytest.mark.slow)]
)
def test_kills_ask_at_most_what_was_in_flight_twice_and_leave_the_same_bytes(
    tmp_path, num_kills, most_between
):
    chance = random.Random(20260104960)
    with OpenAIServer(slowly) as server:
        killed = command(tmp_path, server.base_url, "killed", "killed-store")
        for kill in range(num_kills):
            process = subprocess.Popen(killed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_for(server, server.count() + chance.randrange(10, most_between), process)
            assert process.poll() is None, f"the build ended before kill {kill}"
            process.kill()
            process.wait()
        done = subprocess.run(killed, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        asked = [request.words for request in server.requests]
        unique = len(set(asked))
        assert unique == NUM_DIALOGUES * 4
        assert len(asked) - unique <= num_kills * IN_FLIGHT
        undisturbed = command(tmp_path, server.base_url, "whole", "whole-store")
        subprocess.run(undisturbed, check=True, capture_output=True)
    assert shards(tmp_path / "killed") == shards(tmp_path / "whole")
