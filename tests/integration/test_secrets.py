"""No secret in anything that is written or said, whatever goes wrong."""

import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest
import yaml

from tests.openai_server import OpenAIServer, Reply, Request, failure, raw
from tests.talk_build import talks
from tests.talk_script import endpoint

CANARIES = {
    "key": "sk-canary-3f9a7c21",
    "header": "hdr-canary-77b1e0",
    "password": "pw-canary-5d2c88",
    "literal": "lit-canary-90aa41",
}


def echo(request: Request) -> str:
    """Everything that a careless server may repeat."""
    return f"you sent {request.headers} {request.body} and {' '.join(CANARIES.values())}"


def mixed(request: Request) -> Reply:
    """Answer the first question, then fail in one way after the other, and refuse us at last."""
    number = next(COUNTED)
    if number == 0:
        return endpoint(request)
    ways = (
        failure(400, echo(request)),
        failure(500, echo(request)),
        raw(echo(request).encode()),
        raw(echo(request).encode(), status=400),
    )
    return ways[number - 1] if number <= len(ways) else failure(401, echo(request))


COUNTED = count()
SCRIPTS = {
    "good": endpoint,
    "mixed": mixed,
    "404": lambda request: failure(404, echo(request)),
}


def run(folder: Path, server: OpenAIServer, *arguments: str) -> str:
    """Run a command as a person does and return all that it says."""
    (folder / "talks.jsonl").write_text("\n".join(talks(2)) + "\n")
    host = server.base_url.removeprefix("http://")
    config = {
        "inputs": [{"path": "talks.jsonl"}],
        "output": "out",
        "recognizer": "gold",
        "labeler": "llm",
        "attributor": "llm",
        "response": "written",
        "language_model": "openai:fake-1",
        "user_speaker": "first",
        "language_model_settings": {
            "base_url": f"http://me:{CANARIES['password']}@{host}",
            "api_key_env": "IEAT_CANARY_KEY",
            "headers": {"X-Literal": CANARIES["literal"]},
            "headers_env": {"X-Secret": "IEAT_CANARY_HEADER"},
            "max_attempts": 2,
            "max_wait": 0.01,
        },
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    environment = {
        **os.environ,
        "IEAT_CANARY_KEY": CANARIES["key"],
        "IEAT_CANARY_HEADER": CANARIES["header"],
        "PYTHONASYNCIODEBUG": "1" if "build" in arguments else "",
        "OPENAI_LOG": "debug",
    }
    done = subprocess.run(
        [sys.executable, "-m", "ieat.pipeline.cli", *arguments, "--config", "config.yaml"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def refuse_secrets(folder: Path, said: str) -> None:
    found = [(name, "what was said") for name, canary in CANARIES.items() if canary in said]
    for file in folder.rglob("*"):
        # The person's own file is where the secrets of this test come from.
        if file.is_file() and file.name != "config.yaml":
            content = file.read_bytes()
            found += [
                (name, str(file.relative_to(folder)))
                for name, canary in CANARIES.items()
                if canary.encode() in content
            ]
    assert found == [], said


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_secret_is_written_or_said_by_a_build(tmp_path, script):
    with OpenAIServer(SCRIPTS[script]) as server:
        said = run(tmp_path, server, "build")
        assert server.count() > 0
        headers = {name.lower(): value for name, value in server.requests[0].headers.items()}
    # The secrets were really sent, so there was something to leak.
    assert headers["x-secret"] == CANARIES["header"]
    assert headers["x-literal"] == CANARIES["literal"]
    assert (tmp_path / "out" / "build.json").exists()
    assert list(tmp_path.rglob("responses.sqlite"))
    refuse_secrets(tmp_path, said)


@pytest.mark.parametrize(("command", "script"), [("check", "404"), ("plan", "good")])
def test_no_secret_is_written_or_said_by_check_and_plan(tmp_path, command, script):
    with OpenAIServer(SCRIPTS[script]) as server:
        said = run(tmp_path, server, command)
    assert said
    refuse_secrets(tmp_path, said)
