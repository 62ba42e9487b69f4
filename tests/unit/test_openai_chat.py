"""How chat answers are asked for and read."""

import asyncio
import json

import pytest

from ieat.pipeline.config import LanguageModelSettings
from ieat.pipeline.engines.openai_chat import OpenAIChat
from ieat.pipeline.failures import RecordError
from ieat.schemas.engine import Answer, AnswerSchema, Message, Question, Sampling, Usage
from tests.counting_engines import FreeCall
from tests.openai_server import CHAT, OpenAIServer, as_json, chat, failure, in_turn, late, refusal

SCHEMA = AnswerSchema(schema_id="labeling@1", text='{"properties":{},"type":"object"}')
QUESTION = Question(
    messages=(
        Message(role="system", content="You label."),
        Message(role="user", content="我今天很难过"),
    ),
    answer_schema=SCHEMA,
    sampling=Sampling(temperature=0.3, top_p=0.9, max_tokens=77, seed=4),
)


def ask(server, *questions, one_by_one=False):
    async def run():
        quick = LanguageModelSettings(base_url=server.base_url, max_attempts=1)
        model = OpenAIChat("fake-1", quick)
        try:
            if one_by_one:
                return [await model.complete(question, FreeCall()) for question in questions]
            return list(
                await asyncio.gather(
                    *(model.complete(question, FreeCall()) for question in questions)
                )
            )
        finally:
            await model.close()

    return asyncio.run(run())


def answer_to(reply):
    with OpenAIServer(lambda request: reply) as server:
        return ask(server, QUESTION)[0]


def test_the_request_holds_messages_sampling_and_the_schema():
    with OpenAIServer(lambda request: chat({"a": "难"})) as server:
        (answer,) = ask(server, QUESTION)
        assert server.requests[0].body == {
            "model": "fake-1",
            "messages": [
                {"role": "system", "content": "You label."},
                {"role": "user", "content": "我今天很难过"},
            ],
            "temperature": 0.3,
            "top_p": 0.9,
            "seed": 4,
            "max_tokens": 77,
            "response_format": {
                "type": "json_schema",
                "json_schema": {
                    "name": "labeling_1",
                    "schema": {"properties": {}, "type": "object"},
                    "strict": True,
                },
            },
        }
    assert answer == Answer(
        text='{"a": "难"}',
        finish_reason="stop",
        model="fake-1",
        usage=Usage(prompt_tokens=10, completion_tokens=5),
    )


def test_every_further_answer_to_a_question_has_a_seed_of_its_own():
    with OpenAIServer(lambda request: chat({})) as server:
        ask(server, QUESTION, QUESTION.model_copy(update={"sample_index": 2}))
        seeds = [request.body.pop("seed") for request in server.requests]
        first, third = (request.body for request in server.requests)
    assert (seeds, first) == ([4, 6], third)


def test_the_engine_id_names_model_and_revision():
    plain = OpenAIChat("qwen:7b", LanguageModelSettings())
    pinned = OpenAIChat("qwen:7b", LanguageModelSettings(revision="r2"))
    assert (plain.engine_id, pinned.engine_id) == ("openai:qwen:7b", "openai:qwen:7b@r2")


def test_a_server_without_schemas_is_asked_for_an_object_and_that_is_remembered():
    def script(request):
        if request.mode == "json_schema":
            return failure(400, "unsupported response_format type 'json_schema'")
        return chat({"ok": True})

    with OpenAIServer(script) as server:
        ask(server, *[QUESTION] * 5)
        assert [request.mode for request in server.requests] == ["json_schema"] + [
            "json_object"
        ] * 5
        assert server.requests[1].body["messages"][0]["content"] == "You label."
        assert server.requests[1].body["messages"][1]["content"] == (
            "我今天很难过\n\nAnswer with one JSON object that fits this JSON schema, and with "
            'nothing else:\n{"properties":{},"type":"object"}'
        )


def test_a_server_without_any_format_gets_the_schema_in_the_prompt():
    def script(request):
        if "response_format" in request.body:
            return failure(422, "extra inputs are not permitted")
        return chat({"ok": True})

    with OpenAIServer(script) as server:
        answers = ask(server, QUESTION, QUESTION)
        assert [answer.text for answer in answers] == ['{"ok": true}'] * 2
        assert [request.mode for request in server.requests] == [
            "json_schema",
            "json_object",
            "prompt",
            "prompt",
        ]


def test_a_question_refused_in_every_form_fails_with_the_first_reason_and_changes_nothing():
    def script(request):
        if "bad" in request.words:
            return failure(400, f"odd at call {server.count()}")
        return chat("fine")

    bad = QUESTION.model_copy(update={"messages": (Message(role="user", content="bad"),)})
    with OpenAIServer(script) as server:
        with pytest.raises(RecordError, match="odd at call 1"):
            ask(server, bad)
        assert server.count(CHAT) == 3
        with pytest.raises(RecordError, match="odd at call 5"):
            ask(server, QUESTION, bad, one_by_one=True)
        # Once the form is known to work, a refusal that does not name it is taken at its word.
        assert [request.mode for request in server.requests[3:]] == ["json_schema"] * 2


def test_a_question_that_is_too_long_is_not_asked_in_other_forms():
    too_long = failure(400, "maximum context length is 8192", code="context_length_exceeded")
    with OpenAIServer(lambda request: too_long) as server:
        with pytest.raises(RecordError) as refused:
            ask(server, QUESTION)
        assert (refused.value.code, server.count(CHAT)) == ("context_too_long", 1)


def test_a_reasoning_model_gets_its_own_name_of_the_limit_and_no_sampling():
    def script(request):
        if "max_tokens" in request.body:
            return failure(
                400,
                "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
                param="max_tokens",
                code="unsupported_parameter",
            )
        if "temperature" in request.body:
            return failure(
                400,
                "Unsupported value: 'temperature' does not support 0.3 with this model.",
                param="temperature",
                code="unsupported_value",
            )
        return chat("fine")

    with OpenAIServer(script) as server:
        ask(server, QUESTION, QUESTION)
        assert server.count(CHAT) == 4
        last = server.requests[-1].body
        assert last["max_completion_tokens"] == 77
        assert last["seed"] == 4
        assert last["response_format"]["type"] == "json_schema"
        assert {"max_tokens", "temperature", "top_p"}.isdisjoint(last)


def test_a_late_answer_in_an_older_form_does_not_bring_that_form_back():
    def script(request):
        if "schema x" in request.words and request.mode == "json_schema":
            return failure(400, "response_format: this schema is not supported")
        return late(chat("fine"), 0.4 if "slow" in request.words else 0)

    def saying(words):
        return QUESTION.model_copy(update={"messages": (Message(role="user", content=words),)})

    async def run(server):
        model = OpenAIChat("fake-1", LanguageModelSettings(base_url=server.base_url))
        try:
            await model.complete(saying("first"), FreeCall())
            slow = asyncio.ensure_future(model.complete(saying("slow"), FreeCall()))
            await model.complete(saying("schema x"), FreeCall())
            await slow
            await model.complete(saying("last"), FreeCall())
        finally:
            await model.close()

    with OpenAIServer(script) as server:
        asyncio.run(run(server))
        assert server.requests[-1].mode == "json_object"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (chat("<think>I see\n</think>\n\n{}"), ("{}", "I see", "answer")),
        (chat("  <think></think>{}"), ("{}", None, "answer")),
        (chat("I see</think>\n{}"), ("{}", "I see", "answer")),
        (chat('{"a": "<think>x</think>"}'), ('{"a": "<think>x</think>"}', None, "answer")),
        (chat('{"a": "x</think>"}'), ('{"a": "x</think>"}', None, "answer")),
        (chat("<think>I see", finish_reason="length"), ("", "I see", "truncated")),
        (chat("{}", reasoning_content="I see"), ("{}", "I see", "answer")),
        (chat('{"a":', finish_reason="length"), ('{"a":', None, "truncated")),
        (chat(None, finish_reason="content_filter"), ("", None, "filtered")),
        (chat(None), ("", None, "answer")),
        (refusal("I cannot"), ("I cannot", None, "refusal")),
        (
            as_json({"choices": [{"message": {"content": [{"type": "text", "text": "{}"}]}}]}),
            ("{}", None, "answer"),
        ),
        (
            as_json({"choices": [{"message": {"content": "{}", "reasoning": "I see"}}]}),
            ("{}", "I see", "answer"),
        ),
    ],
)
def test_thinking_and_outcome_are_kept_apart_from_the_answer(reply, expected):
    answer = answer_to(reply)
    assert (answer.text, answer.reasoning, answer.outcome) == expected


def test_usage_says_what_the_cache_held_and_what_thinking_cost():
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 12},
    }
    assert answer_to(chat("{}", usage=usage)).usage == Usage(
        prompt_tokens=100, completion_tokens=20, cached_tokens=64, reasoning_tokens=12
    )
    assert answer_to(chat("{}", usage={"prompt_tokens": "many"})).usage == Usage()


def test_half_a_character_in_an_answer_is_replaced_so_that_it_can_be_stored():
    body = b'{"choices":[{"message":{"content":"a\\ud83d b \\ud83d\\ude00"}}]}'
    answer = answer_to(as_json(json.loads(body)))
    assert answer.text == "a� b 😀"
    assert answer.model_dump_json()


def test_half_a_character_in_a_question_fails_that_question():
    broken = Question.model_construct(
        messages=(Message.model_construct(role="user", content="a\ud83d"),),
        answer_schema=SCHEMA,
        sampling=Sampling(),
        sample_index=0,
    )
    with OpenAIServer(in_turn(chat("fine"))) as server:
        with pytest.raises(RecordError) as refused:
            ask(server, broken)
        assert refused.value.code == "bad_request"
        assert server.count() == 0


PLAIN = QUESTION.model_copy(update={"answer_schema": AnswerSchema(schema_id="p@1", text="")})


def test_a_plain_question_asks_for_no_form_and_a_cut_answer_tells_why_it_ended():
    with OpenAIServer(lambda request: chat("I hear", finish_reason="length")) as server:
        (answer,) = ask(server, PLAIN)
        assert "response_format" not in server.requests[0].body
        assert server.requests[0].body["messages"] == [
            {"role": "system", "content": "You label."},
            {"role": "user", "content": "我今天很难过"},
        ]
    assert (answer.text, answer.outcome, answer.finish_reason) == ("I hear", "truncated", "length")


def test_a_plain_question_that_is_refused_is_not_asked_again_in_another_form():
    def script(request):
        return failure(400, "Unrecognized request argument: chat_template_kwargs")

    with OpenAIServer(script) as server:
        with pytest.raises(RecordError, match="chat_template_kwargs"):
            ask(server, PLAIN)
        assert server.count() == 1


def test_a_plain_answer_says_nothing_of_the_mode_of_later_questions():
    def script(request):
        return failure(400, "no") if request.mode == "json_schema" else chat({"a": 1})

    with OpenAIServer(script) as server:
        ask(server, PLAIN, QUESTION, one_by_one=True)
        modes = [request.mode for request in server.requests]
    assert modes == ["prompt", "json_schema", "json_object"]
