"""What an endpoint's client does with failures, limits and secrets."""

import asyncio
import email.utils
import time
import traceback

import pytest

from ieat.pipeline.config import LanguageModelSettings
from ieat.pipeline.engines.openai_chat import OpenAIChat
from ieat.pipeline.failures import ConfigError, EngineUnavailable, RecordError
from ieat.schemas.engine import AnswerSchema, Message, Question
from tests.counting_engines import FreeCall
from tests.openai_server import (
    CHAT,
    OpenAIServer,
    Reply,
    as_json,
    chat,
    failure,
    in_turn,
    late,
    raw,
    reset,
)

SCHEMA = AnswerSchema(schema_id="labeling@1", text='{"type":"object"}')


def question(words="how are you"):
    return Question(messages=(Message(role="user", content=words),), answer_schema=SCHEMA)


def settings(server, **changes):
    quick = {"base_url": server.base_url, "max_wait": 0.02, "max_attempts": 3, "timeout": 5.0}
    return LanguageModelSettings(**(quick | changes))


def ask(server, *questions, **changes):
    """Ask questions side by side and return answers and errors in order."""

    async def run():
        model = OpenAIChat("fake-1", settings(server, **changes))
        try:
            return await asyncio.gather(
                *(model.complete(each, FreeCall()) for each in questions), return_exceptions=True
            )
        finally:
            await model.close()

    return asyncio.run(run())


@pytest.mark.parametrize(
    "broken",
    [failure(status) for status in (408, 409, 425, 429, 500, 502, 503, 529)]
    + [
        reset(),
        raw(b"<html>busy</html>"),
        raw(b'{"choices": [', media_type="application/json"),
        raw(b"", media_type="application/json"),
        raw(b"\xff\xfe", media_type="application/json"),
        raw(b"[" * 100_000, media_type="application/json"),
        Reply(b'{"choices"', cut=50),
        as_json({"error": {"message": "upstream", "code": 502}}),
        as_json({"choices": []}),
        as_json({"choices": [{"message": "text"}]}),
        as_json([1, 2]),
        as_json({"choices": [{"message": {"content": 7}}]}),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body[:12]!r}",
)
def test_a_failure_that_may_pass_is_asked_again_and_the_answer_after_it_counts(broken):
    with OpenAIServer(in_turn(broken, chat("fine"))) as server:
        (answer,) = ask(server, question())
        assert answer.text == "fine"
        assert server.count(CHAT) == 2


def test_a_server_that_keeps_failing_is_unavailable_after_all_attempts():
    with OpenAIServer(lambda request: failure(503)) as server:
        (error,) = ask(server, question(), max_attempts=4)
        assert isinstance(error, EngineUnavailable)
        assert error.message == (f"{server.base_url} answered fake-1 with HTTP 503 (4 attempts)")
        assert server.count(CHAT) == 4


def test_a_server_that_is_not_there_is_unavailable():
    with OpenAIServer(lambda request: chat("never")) as server:
        pass
    (error,) = ask(server, question(), max_attempts=2)
    assert isinstance(error, EngineUnavailable)
    assert "no connection" in error.message
    assert "language_model_settings.base_url" in error.message


def test_a_body_that_trickles_in_forever_runs_into_the_timeout_of_the_whole_call():
    slow = Reply(b" " * 10_000, trickle=0.02)
    with OpenAIServer(in_turn(slow, chat("fine"))) as server:
        begun = time.monotonic()
        (answer,) = ask(server, question(), timeout=0.3)
        assert answer.text == "fine"
        assert time.monotonic() - begun < 2.0


@pytest.mark.parametrize(
    "form",
    [lambda seconds: str(seconds), lambda seconds: email.utils.formatdate(time.time() + seconds)],
    ids=["seconds", "date"],
)
def test_a_server_that_asks_to_wait_is_not_asked_before(form):
    times = []

    def script(request):
        times.append(time.monotonic())
        if len(times) == 1:
            # A date has whole seconds only, so it asks for up to one second less.
            return failure(429, headers={"Retry-After": form(2)})
        return chat("fine")

    with OpenAIServer(script) as server:
        (answer,) = ask(server, question(), max_wait=5.0)
    assert answer.text == "fine"
    assert 0.9 < times[1] - times[0] < 4.0


def test_a_wait_longer_than_the_longest_is_cut():
    with OpenAIServer(
        in_turn(failure(429, headers={"Retry-After": "3600"}), chat("fine"))
    ) as server:
        begun = time.monotonic()
        (answer,) = ask(server, question(), max_wait=0.05)
        assert answer.text == "fine"
        assert time.monotonic() - begun < 2.0


@pytest.mark.parametrize("wait", ["-5", "nan", "inf", "soon", "Thu, 99 Foo 9999 99:99:99 GMT"])
def test_a_wait_that_makes_no_sense_is_not_taken(wait):
    with OpenAIServer(in_turn(failure(429, headers={"Retry-After": wait}), chat("fine"))) as server:
        (answer,) = ask(server, question())
        assert answer.text == "fine"


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (failure(401, "bad key"), "OPENAI_API_KEY"),
        (failure(403, "not yours"), "OPENAI_API_KEY"),
        (failure(402, "pay"), "quota"),
        (failure(429, "pay", code="insufficient_quota"), "quota"),
        (failure(429, "pay", kind="insufficient_quota"), "quota"),
        (failure(404, "The model `fake-1` does not exist."), "model's name"),
        (failure(400, "Model Not Exist"), "model's name"),
        (raw(b"404 page not found", media_type="text/plain", status=404), "/v1"),
    ],
)
def test_a_refusal_that_no_waiting_mends_stops_at_the_first_call(reply, told):
    with OpenAIServer(lambda request: late(reply, 0.05)) as server:
        errors = ask(server, *(question(str(number)) for number in range(20)))
        assert [type(error) for error in errors] == [EngineUnavailable] * 20
        assert told in errors[0].message
        assert server.count() == 1


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (failure(400, "too many", code="context_length_exceeded"), "context_too_long"),
        (failure(400, "This model's maximum context length is 8192 tokens"), "context_too_long"),
        (failure(400, "full", kind="exceed_context_size_error"), "context_too_long"),
        (failure(413, "Request Entity Too Large"), "context_too_long"),
        (failure(400, "filtered", code="content_filter"), "content_filtered"),
        (failure(403, "Your input was flagged by moderation"), "content_filtered"),
        (failure(400, "something else"), "bad_request"),
        (failure(422, "unprocessable"), "bad_request"),
        (failure(418, "teapot"), "bad_request"),
    ],
)
def test_a_refused_question_fails_alone_with_its_code(reply, code):
    def script(request):
        return reply if "bad" in request.words else chat("fine")

    with OpenAIServer(script) as server:
        good, bad, also_good = ask(server, question("1"), question("bad"), question("2"))
        assert (good.text, also_good.text) == ("fine", "fine")
        assert isinstance(bad, RecordError)
        assert bad.code == code
        assert f"HTTP {reply.status}" in bad.message


def test_broken_answers_to_one_question_fail_its_dialogue_once_the_engine_has_answered():
    def script(request):
        return raw(b"<html>") if "bad" in request.words else chat("fine")

    with OpenAIServer(script) as server:
        good, bad = ask(server, question("good"), question("bad"))
        assert good.text == "fine"
        assert isinstance(bad, RecordError)
        assert bad.code == "broken_response"
        assert server.count() == 1 + 3


def test_broken_answers_to_the_very_first_question_stop_the_run():
    with OpenAIServer(lambda request: raw(b"<html>")) as server:
        (error,) = ask(server, question())
        assert isinstance(error, EngineUnavailable)
        assert "not in the form of the API: it is no JSON" in error.message


def test_the_first_call_goes_alone_and_the_rest_side_by_side_up_to_the_limit():
    seen = []

    def script(request):
        seen.append(server.most_in_flight)
        return late(chat("fine"), 0.1)

    with OpenAIServer(script) as server:
        answers = ask(server, *(question(str(number)) for number in range(9)), in_flight=4)
    assert [answer.text for answer in answers] == ["fine"] * 9
    assert seen[0] == 1
    assert max(seen) == 4


def test_a_first_call_that_fails_for_its_own_question_lets_the_others_go_on():
    with OpenAIServer(
        lambda request: failure(400, "no") if "bad" in request.words else chat("fine")
    ) as server:
        bad, good = ask(server, question("bad"), question("good"))
        assert isinstance(bad, RecordError)
        assert good.text == "fine"


def test_a_cancelled_first_call_lets_the_others_go_on():
    async def run(server):
        model = OpenAIChat("fake-1", settings(server))
        try:
            first = asyncio.ensure_future(model.complete(question("slow"), FreeCall()))
            await asyncio.sleep(0.1)
            second = asyncio.ensure_future(model.complete(question("quick"), FreeCall()))
            await asyncio.sleep(0.05)
            first.cancel()
            return await asyncio.wait_for(second, 5)
        finally:
            await model.close()

    def script(request):
        return late(chat("fine"), 10 if "slow" in request.words else 0)

    with OpenAIServer(script) as server:
        assert asyncio.run(run(server)).text == "fine"


def test_an_engine_that_is_gone_is_not_asked_again_by_those_who_still_wait():
    def script(request):
        return chat("fine") if request.words == "0" else failure(503)

    with OpenAIServer(script) as server:
        answers = ask(server, *(question(str(number)) for number in range(40)), in_flight=1)
        assert answers[0].text == "fine"
        assert {type(answer) for answer in answers[1:]} == {EngineUnavailable}
        assert server.count() < 1 + 39 * 3


def test_a_server_of_ones_own_needs_no_key_and_openai_does(monkeypatch):
    with OpenAIServer(lambda request: chat("fine")) as server:
        (answer,) = ask(server, question())
        assert answer.text == "fine"
        assert server.requests[0].headers["Authorization"] == "Bearer none"
        monkeypatch.setenv("MY_KEY", "  sk-mine\n")
        ask(server, question(), api_key_env="MY_KEY")
        assert server.requests[1].headers["Authorization"] == "Bearer sk-mine"
        (error,) = ask(server, question(), base_url="https://api.openai.com/v1")
    assert isinstance(error, EngineUnavailable)
    assert error.message == (
        "no key for https://api.openai.com/v1: set the environment variable OPENAI_API_KEY, "
        "or language_model_settings.base_url to another server"
    )


def test_the_base_url_comes_from_the_environment_where_the_config_names_none(monkeypatch):
    with OpenAIServer(lambda request: chat("fine")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        (answer,) = ask(server, question(), base_url=None)
        assert answer.text == "fine"


@pytest.mark.parametrize("url", ["localhost:8000/v1", "ftp://host/v1", "http://", "http://h:x/v1"])
def test_a_base_url_that_is_none_is_refused_before_anything_is_asked(url):
    with pytest.raises(ConfigError, match=r"language_model_settings.base_url is no http"):
        OpenAIChat("fake-1", LanguageModelSettings(base_url=url))


def test_a_key_that_cannot_be_one_is_refused_without_being_shown(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-schlüssel\r\nX-Evil: 1")
    with OpenAIServer(lambda request: chat("fine")) as server:
        (error,) = ask(server, question())
    assert isinstance(error, EngineUnavailable)
    assert "OPENAI_API_KEY" in error.message
    assert "schl" not in error.message


CANARY = "sk-canary-4711"


@pytest.mark.parametrize(
    "reply",
    [failure(status, f"your key {CANARY} is bad") for status in (400, 401, 403, 404, 429, 500)]
    + [raw(CANARY.encode()), raw(CANARY.encode(), status=400), reset()],
)
def test_a_key_that_a_server_echoes_is_in_no_message_log_or_trace(reply, monkeypatch, caplog):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    caplog.set_level("DEBUG")
    with OpenAIServer(lambda request: reply) as server:
        with_password = server.base_url.replace("http://", "http://ann:hunter2@")
        (error,) = ask(server, question(), base_url=f"{with_password}?token=t0ps3cret")
    shown = "".join(traceback.format_exception(error)) + repr(error) + str(error.__cause__)
    for secret in (CANARY, "hunter2", "t0ps3cret"):
        assert secret not in shown
    assert CANARY not in caplog.text
