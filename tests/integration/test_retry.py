"""`--retry CODE` asks again exactly what ended with that code."""

import pytest

from ieat.pipeline.failures import ConfigError
from ieat.pipeline.main import build
from tests.openai_server import OpenAIServer, Request
from tests.talk_build import build_config, talks
from tests.talk_script import endpoint, manifest_line

BAD = manifest_line("bad", ("ann", "My ungrounded bag is gone"), ("bob", "Oh"))


class Mending:
    """An endpoint that misbehaves until it is mended."""

    def __init__(self):
        self.is_mended = False

    def __call__(self, request: Request):
        if not self.is_mended:
            return endpoint(request)
        mended = {
            **request.body,
            "messages": [
                m | {"content": m["content"].replace("ungrounded", "grounded")}
                for m in request.body["messages"]
            ],
        }
        reply = endpoint(Request(request.path, mended, request.headers))
        return type(reply)(reply.body.replace(b"grounded", b"ungrounded"))


def test_only_what_ended_with_the_code_is_asked_again(tmp_path):
    script = Mending()
    with OpenAIServer(script) as server:
        config = build_config(tmp_path, [*talks(3), BAD], server.base_url)
        first = build(config)
        assert first.manifest.codes == {"target:needs_failed_state": 1, "turn:span_not_verbatim": 1}
        # Three dialogues of four questions, one of a question and its re-ask.
        assert server.count() == 14
        script.is_mended = True
        assert build(config).manifest.codes == first.manifest.codes
        assert server.count() == 14
        mended = build(config.model_copy(update={"retry": ("span_not_verbatim",)}))
        # The question is asked again, and the response that hung on it for the first time.
        assert server.count() == 16
        assert (mended.manifest.codes, mended.manifest.books.targets.written) == ({}, 7)
        assert build(config).manifest.codes == {}
        assert server.count() == 16


def test_a_code_that_nothing_ended_with_asks_nothing(tmp_path):
    with OpenAIServer(endpoint) as server:
        config = build_config(tmp_path, [*talks(1), BAD], server.base_url)
        build(config)
        before = server.count()
        build(config.model_copy(update={"retry": ("refusal",)}))
        assert server.count() == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"retry": ("span_not_verbatm",)}, "there is no such code"),
        ({"retry": ("refusal",)}, "no dead letters of an earlier run"),
    ],
)
def test_a_retry_that_cannot_be_is_a_mistake(tmp_path, changes, said):
    config = build_config(tmp_path, talks(1), "http://127.0.0.1:9/v1", **changes)
    with pytest.raises(ConfigError, match=said):
        build(config)


def test_nothing_is_asked_again_in_replay(tmp_path):
    with pytest.raises(ConfigError, match="retry asks again"):
        build_config(tmp_path, talks(1), None, replay=True, retry=["refusal"])
