"""A turn is labeled from its sound alone, and the sound goes to the server as it is."""

import asyncio
import io
import json

import numpy as np
import pytest
import soundfile

from ieat.pipeline.config import VoiceLabelerSettings
from ieat.pipeline.engines.audio_labeler import AudioLabeler
from ieat.pipeline.engines.openai_chat import OpenAIChat
from ieat.pipeline.failures import UnusableAnswer
from ieat.prompts.library import PromptLibrary, answer_schema
from ieat.schemas.audio import AudioSpan
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion, Intensity, VocalEvent
from ieat.schemas.engine import Message, Question, Sampling, SpanIdentity, Usage
from tests.counting_engines import FreeCall
from tests.fakes import ScriptedModel, in_turn, measured
from tests.openai_server import OpenAIServer, chat, failure
from tests.sounds import speech

PROMPTS = PromptLibrary({})
SPAN = AudioSpan(uri="d1-0.wav", channel=1, start=2.0, end=4.0)
SOUND = measured(SPAN)
ANSWER = {"events": ["sigh", "sob"], "emotion": "sad", "intensity": "high", "confidence": 0.8}
SAMPLES = speech()[:16_000]


def hear(model, language=Language.EN):
    labeler = AudioLabeler(model, PROMPTS, Sampling(), decode=lambda span: SAMPLES)
    return asyncio.run(labeler.label_voice(SPAN, SOUND, language, "corpus/d1"))


def test_the_voice_gives_emotion_intensity_confidence_and_events():
    heard = hear(ScriptedModel(in_turn(ANSWER)))
    label = heard.label
    assert (label.source, label.labeler_id) == ("voice", "scripted:model")
    assert (label.emotion, label.intensity, label.confidence) == (Emotion.SAD, Intensity.HIGH, 0.8)
    assert (label.prompt_id, label.response_keys) == ("voice@1.en", ("key-1",))
    assert heard.events == (VocalEvent.SIGH, VocalEvent.SOB)


@pytest.mark.parametrize("language", Language)
def test_the_question_holds_the_prompt_and_the_identity_of_the_sound_and_nothing_else(language):
    model = ScriptedModel(in_turn(ANSWER))
    hear(model, language)
    (question,) = model.questions
    assert question == Question(
        messages=PROMPTS.prompt("voice", language).render({}),
        answer_schema=answer_schema("voice"),
        span=SpanIdentity(
            source_sha256="0" * 64, channel=1, start_sample=32_000, end_sample=64_000, duration=2.0
        ),
    )


def test_a_voice_that_does_not_tell_is_an_abstention_with_its_events():
    heard = hear(ScriptedModel(in_turn(ANSWER | {"emotion": "unclear", "events": ["laugh"] * 2})))
    assert (heard.label.emotion, heard.label.intensity) == (None, None)
    assert heard.events == (VocalEvent.LAUGH,)


@pytest.mark.parametrize(
    "bad", [{"confidence": 80}, {"events": ["cough"]}, {"emotion": "bored"}, {"intensity": None}]
)
def test_an_answer_out_of_form_is_asked_again_with_the_same_sound(bad):
    model = ScriptedModel(in_turn(ANSWER | bad, ANSWER))
    assert hear(model).label.response_keys == ("key-1", "key-2")
    first, second = model.questions
    assert second.span == first.span
    assert second.messages[:2] == first.messages
    assert "held a value that is not allowed" in second.messages[-1].content
    with pytest.raises(UnusableAnswer) as failed:
        hear(ScriptedModel(in_turn(ANSWER | bad, ANSWER | bad)))
    assert (failed.value.code, failed.value.response_keys) == ("answer_form", ("key-1", "key-2"))


QUESTION = Question(
    messages=(
        Message(role="system", content="You listen."),
        Message(role="user", content="Listen."),
    ),
    answer_schema=answer_schema("voice"),
    span=SpanIdentity(
        source_sha256="0" * 64, channel=None, start_sample=0, end_sample=16_000, duration=1.0
    ),
)


def ask(server, *questions, audio_format="wav"):
    async def run():
        settings = VoiceLabelerSettings(base_url=server.base_url, max_attempts=1)
        model = OpenAIChat("ear", settings, None, audio_format)
        try:
            return [await model.complete(one, FreeCall(), SAMPLES) for one in questions]
        finally:
            await model.close()

    return asyncio.run(run())


@pytest.mark.parametrize("audio_format", ["wav", "flac"])
def test_the_sound_follows_the_words_and_decodes_to_the_same_samples(audio_format):
    with OpenAIServer(lambda request: chat(ANSWER)) as server:
        ask(server, QUESTION, audio_format=audio_format)
        (request,) = server.requests
    system, user = request.body["messages"]
    assert system == {"role": "system", "content": "You listen."}
    assert user["content"][0] == {"type": "text", "text": "Listen."}
    assert [part["type"] for part in user["content"]] == ["text", "input_audio"]
    ((sent_as, content),) = request.sounds
    assert sent_as == audio_format
    with soundfile.SoundFile(io.BytesIO(content)) as sound:
        assert (sound.format.lower(), sound.samplerate, sound.channels) == (audio_format, 16_000, 1)
        np.testing.assert_allclose(sound.read(dtype="float32"), SAMPLES, atol=1 / 32_768)


def test_a_second_question_keeps_the_sound_where_it_was_heard():
    again = QUESTION.model_copy(
        update={
            "messages": (
                *QUESTION.messages,
                Message(role="assistant", content="{"),
                Message(role="user", content="Again."),
            )
        }
    )
    with OpenAIServer(lambda request: chat(ANSWER)) as server:
        ask(server, again)
        contents = [message["content"] for message in server.requests[0].body["messages"]]
    assert isinstance(contents[1], list)
    assert (contents[0], contents[2:]) == ("You listen.", ["{", "Again."])


def test_a_question_about_a_sound_is_never_asked_without_it():
    async def run():
        model = OpenAIChat("ear", VoiceLabelerSettings(), None, "wav")
        await model.complete(QUESTION, FreeCall())

    with pytest.raises(ValueError, match="without the sound"):
        asyncio.run(run())


def test_the_engine_has_an_id_of_its_own():
    pinned = OpenAIChat("ear", VoiceLabelerSettings(revision="2"), None, "wav")
    assert pinned.engine_id == "openai-audio:ear@2"


def test_a_model_that_hears_but_knows_no_schemas_gets_the_schema_in_order_of_thought():
    def script(request):
        if request.mode != "prompt":
            return failure(
                400,
                f"Invalid parameter: 'response_format' of type '{request.mode}' is not supported "
                "with this model.",
                kind="invalid_request_error",
            )
        return chat(ANSWER)

    with OpenAIServer(script) as server:
        first, second = ask(server, QUESTION, QUESTION)
        modes = [request.mode for request in server.requests]
        assert modes == ["json_schema", "json_object", "prompt", "prompt"]
        assert [len(request.sounds) for request in server.requests] == [1] * 4
        user = server.requests[-1].body["messages"][1]["content"]
    assert first.text == second.text == json.dumps(ANSWER)
    words, _, schema = user[0]["text"].partition("\n\n")
    assert words == "Listen."
    properties = json.loads(schema.partition("\n")[2])["properties"]
    assert list(properties) == ["events", "emotion", "intensity", "confidence"]


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("voice", ["events", "emotion", "intensity", "confidence"]),
        ("attribution", ["evidence", "event", "appraisal", "kind"]),
    ],
)
def test_the_schema_is_sent_in_the_order_in_which_to_think(name, order):
    with OpenAIServer(lambda request: chat(ANSWER)) as server:
        ask(server, QUESTION.model_copy(update={"answer_schema": answer_schema(name)}))
        sent = server.requests[0].body["response_format"]["json_schema"]["schema"]
    assert list(sent["properties"]) == sent["required"] == order
    assert sent == json.loads(answer_schema(name).text)


def test_a_server_that_takes_no_flac_is_sent_wav_from_then_on():
    def script(request):
        if request.sounds[0][0] == "flac":
            return failure(
                400,
                "Invalid value: 'flac'. Supported values are: 'wav' and 'mp3'.",
                param="messages[1].content[1].input_audio.format",
                code="invalid_value",
            )
        return chat(ANSWER)

    with OpenAIServer(script) as server:
        ask(server, QUESTION, QUESTION, audio_format="flac")
        sent = [(request.sounds[0][0], request.mode) for request in server.requests]
    assert sent == [("flac", "json_schema"), ("wav", "json_schema"), ("wav", "json_schema")]


def test_tokens_of_sound_are_counted_apart():
    usage = {
        "prompt_tokens": 120,
        "completion_tokens": 20,
        "prompt_tokens_details": {"audio_tokens": 40, "text_tokens": 80},
    }
    with OpenAIServer(lambda request: chat(ANSWER, usage=usage)) as server:
        (answer,) = ask(server, QUESTION)
    assert answer.usage == Usage(prompt_tokens=120, completion_tokens=20, audio_tokens=40)
