"""A server that goes away and comes back, in the middle of a build."""

import threading
import time

import pytest

from ieat.pipeline.main import build
from tests.openai_server import OpenAIServer, Request, late
from tests.talk_build import build_config, talks
from tests.talk_script import endpoint


@pytest.mark.parametrize(
    ("seconds", "num_dialogues"),
    [(2.0, 40), pytest.param(20.0, 100, marks=[pytest.mark.slow, pytest.mark.timeout(300)])],
)
def test_an_outage_is_survived_and_only_what_was_in_flight_is_asked_again(
    tmp_path, seconds, num_dialogues
):
    in_flight = 64

    def script(request: Request):
        return late(endpoint(request), 0.05)

    with OpenAIServer(script) as server:

        def fail() -> None:
            while server.count() < 60:
                time.sleep(0.005)
            server.go_away()
            time.sleep(seconds)
            server.come_back()

        outage = threading.Thread(target=fail)
        outage.start()
        # All settings of waiting are the defaults.
        config = build_config(
            tmp_path, talks(num_dialogues), server.base_url, in_flight=in_flight,
            language_model_settings={"in_flight": in_flight},
        )  # fmt: skip
        began = time.monotonic()
        report = build(config)
        outage.join()
        assert report.exit_code == 0, report.describe()
        assert time.monotonic() - began > seconds
        asked = [request.words for request in server.requests]
    assert report.manifest.books.dialogues.written == num_dialogues
    assert len(set(asked)) == 4 * num_dialogues
    assert len(asked) - len(set(asked)) <= in_flight
