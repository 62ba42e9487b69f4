"""A build with a guard: what stands in a test set fails before anything is asked about it."""

from pathlib import Path

import pytest

from ieat.pipeline.failures import ConfigError
from ieat.pipeline.guard import write_guard
from ieat.pipeline.guard_sets import GuardBuilder
from ieat.pipeline.main import build
from ieat.pipeline.output.verify import verify
from ieat.pipeline.plan import plan_build
from tests.openai_server import OpenAIServer, chat
from tests.talk_build import build_config, talks
from tests.talk_script import asked, endpoint, manifest_line

LEATHER = "I came home late last night and somebody had stolen my old leather bag"
CAT = "The cat has been sitting on the roof since noon and it will not come down"


def guard_of(folder: Path, words: str) -> str:
    (folder / "dev.txt").write_text(words, encoding="utf-8")
    builder = GuardBuilder()
    builder.add("HumDial dev", str(folder / "dev.txt"))
    write_guard(folder / "guard.json.zst", builder.file())
    return str(folder / "guard.json.zst")


def test_nothing_is_paid_for_what_stands_in_a_test_set_unless_it_is_held_out(tmp_path):
    lines = [
        *talks(1),
        manifest_line("copy", ("ann", f"{LEATHER}!"), ("bob", "Oh")),
        manifest_line("held", ("ann", CAT), ("bob", "Oh"), split="test"),
    ]
    guard = guard_of(tmp_path, f"{LEATHER}\n{CAT}\n")
    with OpenAIServer(endpoint) as server:
        config = build_config(tmp_path, lines, server.base_url, guard=guard)
        assert plan_build(config).broken == {
            "contaminated": [
                "turn 0 has the text of HumDial dev: dev.txt:1; leave it out, or take that set "
                "out of the guard if it is none of your test sets"
            ]
        }
        report = build(config)
        words = " ".join(request.words for request in server.requests)
        assert ("leather" in words, "cat" in words) == (False, True)
        assert report.manifest.codes == {"dialogue:contaminated": 1}
        assert report.manifest.num_rows("dialogues", "test") == 1
        assert report.manifest.num_rows("dialogues", "train") == 1
        assert verify(str(tmp_path / "out")).is_sound


def test_a_written_answer_of_a_test_set_fails_its_target(tmp_path):
    def writing(request):
        if asked(request).schema == "response":
            return chat({"style": "comfort", "delivery": "Warm and slow.", "response": CAT})
        return endpoint(request)

    lines = talks(1)
    with OpenAIServer(writing) as server:
        first = build(build_config(tmp_path, lines, server.base_url))
        assert first.manifest.codes == {}
        guard = guard_of(tmp_path, CAT)
        num_asked = len(server.requests)
        guarded = build_config(
            tmp_path,
            lines,
            server.base_url,
            guard=guard,
            output=str(tmp_path / "guarded"),
            store=str(tmp_path / "out.ieat"),
        )
        report = build(guarded)
        assert len(server.requests) == num_asked
    assert report.manifest.codes == {"target:contaminated": 2}
    assert report.manifest.books.targets.dead == {"contaminated": 2}
    assert report.manifest.num_rows("stage2") == 0


def test_another_guard_is_another_build(tmp_path):
    with OpenAIServer(endpoint) as server:
        build(build_config(tmp_path, talks(1), server.base_url, guard=guard_of(tmp_path, CAT)))
        other = build_config(tmp_path, talks(1), server.base_url, guard=guard_of(tmp_path, LEATHER))
        with pytest.raises(ConfigError, match=r"holds another build .*guard"):
            build(other)
