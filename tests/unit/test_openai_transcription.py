"""How transcriptions are asked for and read."""

import asyncio
import io
import math

import numpy as np
import pytest
import soundfile

from ieat.pipeline.config import EndpointSettings
from ieat.pipeline.engines.openai_transcription import OpenAITranscriber
from ieat.pipeline.failures import RecordError, UnusableAnswer
from ieat.schemas.dialogue import Language
from ieat.schemas.engine import Answer, Usage
from ieat.schemas.transcript import Recognition, Word
from tests.counting_engines import FreeCall
from tests.openai_server import TRANSCRIPTIONS, OpenAIServer, failure, transcription

SAMPLES = np.sin(np.arange(8000, dtype=np.float32) / 10) * np.float32(0.5)


def hear(server, times=1, language=Language.EN):
    """Transcribe the same samples several times; return what was heard each time."""

    async def run():
        engine = OpenAITranscriber(
            "whisper-1", EndpointSettings(base_url=server.base_url, max_attempts=1)
        )
        try:
            answers = [await engine.transcribe(SAMPLES, language, FreeCall()) for _ in range(times)]
            return [(answer, engine.parse(answer)) for answer in answers]
        finally:
            await engine.close()

    return asyncio.run(run())


def parse(text):
    return OpenAITranscriber("whisper-1", EndpointSettings()).parse(Answer(text=text))


def test_the_request_holds_the_sound_as_flac_and_asks_for_times():
    with OpenAIServer(lambda request: transcription("你好")) as server:
        hear(server, language=Language.ZH)
        (request,) = server.requests
        assert request.path == TRANSCRIPTIONS
        assert request.file_name == "turn.flac"
        assert request.body == {
            "model": "whisper-1",
            "language": "zh",
            "response_format": "verbose_json",
            "timestamp_granularities": ["word", "segment"],
        }
        sent, rate = soundfile.read(io.BytesIO(request.audio), dtype="float32")
        assert rate == 16_000
        assert np.abs(sent - SAMPLES).max() < 1e-4


def test_words_times_and_certainty_are_read_from_a_verbose_answer():
    reply = transcription(
        " I lost it. ",
        language="english",
        words=[
            {"word": " I", "start": -0.02, "end": 0.1},
            {"word": "lost", "start": 0.1, "end": 0.4, "probability": 0.5},
            {"word": " ", "start": 0.4, "end": 0.4},
            {"word": "it.", "start": 0.6, "end": 0.5},
        ],
        segments=[
            {"text": " I", "avg_logprob": -1.0, "no_speech_prob": 0.7, "tokens": [1]},
            {"text": " lost it.", "avg_logprob": -0.2, "no_speech_prob": 0.1, "tokens": [2, 3, 4]},
        ],
        usage={"type": "tokens", "input_tokens": 14, "output_tokens": 4},
    )
    with OpenAIServer(lambda request: reply) as server:
        ((answer, heard),) = hear(server)
    assert answer.usage == Usage(prompt_tokens=14, completion_tokens=4)
    assert heard == Recognition(
        text="I lost it.",
        words=(
            Word(text="I", start=0.0, end=0.1),
            Word(text="lost", start=0.1, end=0.4, confidence=0.5),
            Word(text="it.", start=0.6, end=0.6),
        ),
        confidence=round(math.exp(-0.4), 6),
        no_speech=0.1,
        language="english",
    )


def test_a_server_that_takes_plain_json_only_is_found_out_once():
    def script(request):
        if request.body["response_format"] != "json":
            return failure(
                400,
                "response_format 'verbose_json' is not compatible with model 'whisper-1'.",
                param="response_format",
                code="unsupported_value",
            )
        return transcription("hi", logprobs=[{"token": "h", "logprob": -0.5}, {"logprob": -0.1}])

    with OpenAIServer(script) as server:
        heard = hear(server, times=3)
        assert server.count() == 2 + 3
        assert server.requests[-1].body == {
            "model": "whisper-1",
            "language": "en",
            "response_format": "json",
            "include": ["logprobs"],
        }
    assert heard[0][1] == Recognition(text="hi", confidence=round(math.exp(-0.3), 6))


def test_a_server_that_offers_nothing_but_text_still_gives_its_text():
    def script(request):
        extras = set(request.body) - {"model", "language", "response_format"}
        if extras or request.body["response_format"] != "json":
            return failure(422, "unknown field")
        return transcription("hi")

    with OpenAIServer(script) as server:
        assert hear(server)[0][1] == Recognition(text="hi")


def test_a_sound_that_is_refused_fails_alone_with_the_first_reason():
    with OpenAIServer(lambda request: failure(400, "Audio file is too short.")) as server:
        with pytest.raises(RecordError, match="too short") as refused:
            hear(server)
        assert refused.value.code == "bad_request"


def test_silence_is_heard_as_no_words():
    assert parse('{"text":"  ","segments":[],"words":[]}') == Recognition(text="")


def test_certainty_without_tokens_is_weighted_by_the_text():
    heard = parse(
        '{"text":"ab cdefgh","segments":[{"text":"ab","avg_logprob":-1},'
        '{"text":"cdefgh","avg_logprob":-0.2},{"text":"no score"}]}'
    )
    assert heard.confidence == round(math.exp(-0.4), 6)


@pytest.mark.parametrize("text", ["", "[]", '{"words":[]}', '{"text":"a","words":[{"word":1}]}'])
def test_a_stored_answer_in_another_form_is_unusable(text):
    with pytest.raises(UnusableAnswer) as unusable:
        parse(text)
    assert unusable.value.code == "broken_answer"
