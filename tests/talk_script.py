"""The script of a well-behaved endpoint, and the ways in which one can misbehave.

Answers are made from the question alone, so that the same question always gets the same answer.
What a turn's words hold decides how the endpoint misbehaves when it is asked about that turn.
"""

import io
import json
import re
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile as sf

from tests.look_back_script import look_back
from tests.openai_server import Reply, Request, chat, refusal, transcription

CHINESE = re.compile(r"[\u4e00-\u9fff]")

FEELINGS = {
    "gone": "fear",
    "stole": "anger",
    "won": "happy",
    "住院": "sad",
    "偷": "anger",
}
"""Emotion of a turn by what its words hold; all others are neutral."""

MISBEHAVIORS = (
    "ungrounded",
    "future",
    "overheard",
    "refused",
    "broken",
    "foreign",
    "empty",
)
"""Words in a turn that make the endpoint misbehave about it."""

CODES = {
    "ungrounded": "span_not_verbatim",
    "future": "future_evidence",
    "overheard": "vocal_claim",
    "refused": "refusal",
    "broken": "broken_json",
    "foreign": "wrong_language",
    "empty": "empty_answer",
}
"""Code that each misbehavior ends with."""


class Asked(NamedTuple):
    """What a question is about."""

    schema: str
    turn: int
    words: str
    is_chinese: bool


def schema_of(request: Request) -> str:
    """Read which prompt a question comes from."""
    name: str = request.body["response_format"]["json_schema"]["name"]
    return name.partition("_")[0]


def asked(request: Request) -> Asked:
    """Read schema and turn out of a question with a JSON schema."""
    messages = request.body["messages"]
    lines = [line for line in messages[1]["content"].splitlines() if re.match(r"\[\d+\] ", line)]
    number, _, rest = lines[-1].partition("] ")
    return Asked(
        schema=schema_of(request),
        turn=int(number[1:]),
        words=re.sub(r" \((sounds|voice): .*\)$", "", rest.partition(": ")[2]),
        is_chinese=CHINESE.search(messages[0]["content"]) is not None,
    )


def good_answer(question: Asked) -> dict[str, Any]:
    """Return the answer of a model that does as it is told."""
    emotion = next((e for word, e in FEELINGS.items() if word in question.words), "neutral")
    is_felt = emotion != "neutral"
    event = (
        f"对方说了：{question.words}" if question.is_chinese else f"They said: {question.words}."
    )
    appraisal = "这对对方很重要。" if question.is_chinese else "It matters to them."
    cause = {
        "event": event if is_felt or question.schema == "attribution" else None,
        "appraisal": appraisal if is_felt or question.schema == "attribution" else None,
        "kind": "explicit" if is_felt or question.schema == "attribution" else None,
    }
    evidence = {"evidence": [{"turn": question.turn, "quote": question.words}]}
    label = {"emotion": emotion, "intensity": "medium"}
    spoken = "我明白，这一定不好受。" if question.is_chinese else "I hear you. That sounds hard."
    delivery = (
        "语气温和，语速放慢，先停顿再开口。" if question.is_chinese else "Warm, slow, one pause."
    )
    return {
        "labeling": evidence | label,
        "attribution": evidence | cause,
        "joint": evidence | label | cause,
        "response": {"style": "comfort", "delivery": delivery, "response": spoken},
    }[question.schema]


LOUD = 0.14
"""Root mean square above which a voice is angry and shouts; below it is sad and sobs."""
AUDIO_TOKENS = 10
"""Tokens of a second of sound, as this endpoint counts."""


def voice_answer(samples: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Return what a model hears in a voice that speaks so loudly."""
    level = float(np.sqrt(np.mean(np.square(samples))))
    emotion, event = ("anger", "shout") if level > LOUD else ("sad", "sob")
    return {"events": [event], "emotion": emotion, "intensity": "medium", "confidence": 0.9}


def voice(request: Request) -> Reply:
    """Hear the sound of a question; nothing else of it is looked at."""
    ((_, content),) = request.sounds
    samples, rate = sf.read(io.BytesIO(content))
    audio = round(len(samples) / rate * AUDIO_TOKENS)
    return chat(
        voice_answer(samples),
        usage={
            "prompt_tokens": 300 + audio,
            "completion_tokens": 30,
            "prompt_tokens_details": {"audio_tokens": audio},
        },
    )


def reread(request: Request) -> Reply:
    """Find the emotion again from a cause, as `good_answer` feels about the words that it tells."""
    told = request.body["messages"][1]["content"]
    emotion = next((e for word, e in FEELINGS.items() if word in told), "unclear")
    return chat({"reading": "It touches them.", "emotion": emotion})


def endpoint(request: Request) -> Reply:
    """Answer a question or a transcription; misbehaves about turns that say so."""
    if request.sounds:
        return voice(request)
    if request.path.endswith("transcriptions"):
        return transcribed(request)
    if request.mode == "prompt":
        return taught(request)
    if schema_of(request) == "reprediction":
        return reread(request)
    if request.body["response_format"]["json_schema"]["name"].startswith("retrospection"):
        return chat(look_back(request, FEELINGS))
    question = asked(request)
    answer = good_answer(question)
    if question.schema == "response":
        return chat(answer)
    misbehavior = next((word for word in MISBEHAVIORS if word in question.words), None)
    if misbehavior is None:
        return chat(answer)
    answer |= {"emotion": "sad", "event": "They said it.", "appraisal": None, "kind": "explicit"}
    bad: dict[str, Any] = {
        "ungrounded": answer | {"evidence": [{"turn": question.turn, "quote": "never said"}]},
        "future": answer | {"evidence": [{"turn": question.turn + 1, "quote": question.words}]},
        "overheard": answer | {"event": "They are sobbing about it."},
        "broken": '{"evidence": [',
        "foreign": answer | {"event": "他们这样说了。"},
        "empty": "",
    }
    return refusal() if misbehavior == "refused" else chat(bad[misbehavior])


def taught(request: Request) -> Reply:
    """Answer as a teacher, in plain words; one who hears "tagged" or "带标签" speaks of tags."""
    heard = request.words
    if CHINESE.search(request.body["messages"][0]["content"]):
        return chat("情绪：难过。" if "带标签" in heard else "我听到了，你一定不好受。")
    return chat("[emotion: sad] I see." if "tagged" in heard else "I hear you. Take your time.")


def transcribed(request: Request) -> Reply:
    """Recognize a clip: its length in tenths of a second, modulo five, is its sentence."""
    assert request.audio is not None
    with sf.SoundFile(io.BytesIO(request.audio)) as sound:
        number = round(sound.frames / sound.samplerate * 10)
    text = SENTENCES[number % len(SENTENCES)]
    words = text.split()
    step = number / 10 / len(words)
    return transcription(
        text,
        language="english",
        words=[
            {"word": word, "start": place * step, "end": (place + 1) * step}
            for place, word in enumerate(words)
        ],
        segments=[{"avg_logprob": -0.1, "no_speech_prob": 0.01, "text": text}],
    )


SENTENCES = (
    "My bag is gone",
    "Where did you leave it",
    "Somebody stole it from my car",
    "That is awful to hear",
    "I will go home now",
)
"""What the clips say to this endpoint."""


def manifest_line(name: str, *turns: tuple[str, str], **fields: Any) -> str:
    """Return a dialogue of words as a line of a manifest."""
    said = [{"speaker": speaker, "text": words} for speaker, words in turns]
    return json.dumps(
        {"dialogue_id": name, "language": "en", "turns": said} | fields, ensure_ascii=False
    )
