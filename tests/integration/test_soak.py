"""A build through every fault at once: each question ends once, and is paid once."""

import sys
from collections import Counter

import pytest

from ieat.pipeline.main import build
from tests.faults import STAYING, Faulty
from tests.openai_server import OpenAIServer, Request, failure
from tests.talk_build import build_config
from tests.talk_script import endpoint, manifest_line

IN_FLIGHT = 64
MENDED = {
    401: "set the environment variable OPENAI_API_KEY",
    404: "check the model's name",
    429: "raise it, or set OPENAI_API_KEY to another account's key",
}
"""What the message of an engine that refuses us for good says to do, by its status."""


def talk(number: int) -> str:
    return manifest_line(
        f"d{number}", ("ann", f"My bag {number} is gone"), ("bob", "Oh"),
        ("ann", f"They stole {number}"), ("bob", "I see"),
    )  # fmt: skip


def configured(folder, server, count, **changes):
    settings = {"in_flight": IN_FLIGHT, "timeout": 2.0, "max_wait": 0.2}
    return build_config(
        folder,
        [talk(number) for number in range(count)],
        server.base_url,
        **{
            "response": "corpus",
            "language_model_settings": settings,
            "max_failed_ratio": 1.0,
            "in_flight": IN_FLIGHT,
        }
        | changes,
    )


@pytest.mark.parametrize(
    "num_dialogues", [150, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(600)])]
)
def test_every_question_ends_once_and_is_paid_once_through_all_faults(tmp_path, num_dialogues):
    faulty = Faulty()
    with OpenAIServer(faulty) as server:
        report = build(configured(tmp_path, server, num_dialogues))
        num_requests = server.count()
    assert report.exit_code == 0
    num_questions = 2 * num_dialogues
    books = report.manifest.books
    assert books.dialogues.written == num_dialogues
    # The code of each question that no attempt can save, and the targets that hang on it.
    wanted = Counter(STAYING[name][1] for name in faulty.faults.values() if name in STAYING)
    found = {
        code.removeprefix("turn:"): count
        for code, count in report.manifest.codes.items()
        if code.startswith("turn:")
    }
    assert found == dict(wanted)
    assert report.spent.answered + report.spent.failed == len(
        faulty.answered.keys() | faulty.refused_for_good.keys()
    )
    # What was answered whole was paid for once; every other request is one that the server lost.
    assert set(faulty.answered.values()) == {1}
    assert num_requests == (
        len(faulty.answered)
        + faulty.refused.total()
        + faulty.lost.total()
        + faulty.refused_for_good.total()
    )
    assert report.spent.answered == len(faulty.answered)
    assert report.spent.lost == faulty.lost.total()
    assert report.spent.retried == faulty.refused.total() + faulty.lost.total()
    sys.stdout.write(
        f"{num_questions} questions, {num_requests} requests: {len(faulty.answered)} answered, "
        f"{faulty.lost.total()} lost on the way, {faulty.refused.total()} refused for now, "
        f"{faulty.refused_for_good.total()} refused for good; codes {found}\n"
    )
    # Healed, the same command pays only for what has no answer.
    with OpenAIServer(endpoint) as healed:
        again = build(configured(tmp_path, healed, num_dialogues))
        assert healed.count() == len(faulty.refused_for_good)
    assert again.exit_code == 0


REFUSALS = {
    401: failure(401, "bad key"),
    404: failure(404, "no such model", code="model_not_found"),
    429: failure(429, "pay", code="insufficient_quota"),
}


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_for_good_stops_at_the_first_call(tmp_path, status):
    with OpenAIServer(lambda request: REFUSALS[status]) as server:
        report = build(configured(tmp_path, server, 20))
        assert server.count() == 1
    assert report.exit_code == 4
    assert MENDED[status] in report.describe()


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_for_good_in_the_middle_costs_at_most_what_is_in_flight(tmp_path, status):
    requests = 0

    def script(request: Request):
        nonlocal requests
        requests += 1
        return endpoint(request) if requests <= 100 else REFUSALS[status]

    with OpenAIServer(script) as server:
        report = build(configured(tmp_path, server, 150))
        assert report.exit_code == 4
        assert server.count() <= 100 + IN_FLIGHT
        assert MENDED[status] in report.describe()
    with OpenAIServer(endpoint) as healed:
        assert build(configured(tmp_path, healed, 150)).exit_code == 0
        # What was answered before is paid.
        assert healed.count() == 300 - 100
