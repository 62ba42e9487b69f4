"""A user's own prompt and thinking template: used, hashed into rows, part of the key."""

import json
import shutil

import pyarrow.parquet as pq
import pytest

from ieat.pipeline.failures import ConfigError
from ieat.pipeline.main import build
from ieat.prompts.library import FOLDER, VERSIONS, digest
from tests.openai_server import OpenAIServer
from tests.talk_build import build_config, talks
from tests.talk_script import endpoint


def own_copy(folder, name, change):
    """Write a user's own copy of a default template, changed, and return its folder."""
    folder.mkdir()
    for language in ("en", "zh"):
        released = FOLDER / name / f"v{VERSIONS[name]}.{language}.md"
        shutil.copy(released, folder / f"{language}.md")
    english = folder / "en.md"
    english.write_text(change(english.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


@pytest.fixture
def own(tmp_path):
    return {
        "joint": own_copy(
            tmp_path / "joint",
            "joint",
            lambda text: text.replace("## user\n", "## user\nListen.\n"),
        ),
        "thinking": own_copy(
            tmp_path / "thinking", "thinking", lambda text: text.replace("should", "ought to")
        ),
    }


def rows(folder, table):
    return [
        row
        for file in sorted((folder / "out" / table).glob("*.parquet"))
        for row in pq.read_table(file).to_pylist()
    ]


def built(tmp_path, base_url, prompts):
    return build_config(
        tmp_path, talks(1), base_url, prompts={name: str(at) for name, at in prompts.items()}
    )


def test_own_templates_are_used_and_every_row_says_which(tmp_path, own):
    with OpenAIServer(endpoint) as server:
        assert build(built(tmp_path, server.base_url, own)).exit_code == 0
        questions = [request.words for request in server.requests]
    hashes = {
        f"{name}@own.en": digest((folder / "en.md").read_text(encoding="utf-8"))
        for name, folder in own.items()
    }
    assert sum("Listen.\n" in words for words in questions) == 2
    samples = rows(tmp_path, "stage2")
    assert len(samples) == 2
    for row in samples:
        thinking = row["thinking"]
        assert thinking["template_id"] == "thinking@own.en"
        assert thinking["template_sha256"] == hashes["thinking@own.en"]
        assert "should" not in thinking["text"]
        told = dict(
            zip(row["provenance"]["prompt_ids"], row["provenance"]["prompt_sha256s"], strict=True)
        )
        assert hashes.items() <= told.items()
    assert any("ought to" in row["thinking"]["text"] for row in samples)
    identity = json.loads((tmp_path / "out" / "build.json").read_text(encoding="utf-8"))
    assert hashes.items() <= identity["prompts"].items()


def test_a_changed_own_prompt_is_another_build_and_asks_again(tmp_path, own):
    with OpenAIServer(endpoint) as server:
        config = built(tmp_path, server.base_url, own)
        build(config)
        first = server.count()
        # The same words are the same questions, wherever they lie.
        moved = shutil.copytree(own["joint"], tmp_path / "elsewhere")
        elsewhere = {**own, "joint": moved}
        other = {"output": str(tmp_path / "other"), "store": config.store_folder}
        build(built(tmp_path, server.base_url, elsewhere).model_copy(update=other))
        assert server.count() == first
        file = own["joint"] / "en.md"
        file.write_text(file.read_text(encoding="utf-8").replace("Listen.", "Listen!"))
        with pytest.raises(ConfigError, match="joint@own"):
            build(config)
        build(
            config.model_copy(
                update={"output": str(tmp_path / "third")} | {"store": config.store_folder}
            )
        )
        # Labels and causes are asked again; the same thinking asks for the same responses.
        assert server.count() == first + 2


def test_a_changed_thinking_template_asks_for_the_responses_again(tmp_path, own):
    with OpenAIServer(endpoint) as server:
        config = built(tmp_path, server.base_url, own)
        build(config)
        first = server.count()
        file = own["thinking"] / "en.md"
        file.write_text(file.read_text(encoding="utf-8").replace("ought to", "must"))
        build(
            config.model_copy(
                update={"output": str(tmp_path / "other"), "store": config.store_folder}
            )
        )
        # Only a thinking that holds the changed words is a changed question.
        changed = [row for row in rows(tmp_path, "stage2") if "ought to" in row["thinking"]["text"]]
        assert server.count() == first + len(changed) > first
