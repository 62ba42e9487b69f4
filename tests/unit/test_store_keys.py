"""What is part of a key: everything that changes the answer, and nothing else."""

import pytest

from ieat.pipeline.store import keys
from ieat.pipeline.store.keys import question_key, transcription_key
from ieat.schemas.audio import Prosody, Sound
from ieat.schemas.dialogue import Language
from ieat.schemas.engine import AnswerSchema, Message, Question, Sampling, SpanIdentity

QUESTION = Question(
    messages=(
        Message(role="system", content="You label."),
        Message(role="user", content="我很难过"),
    ),
    answer_schema=AnswerSchema(schema_id="labeling@1", text="{}"),
    sampling=Sampling(temperature=0.5, top_p=0.9, max_tokens=100, seed=1),
)
SPAN = SpanIdentity(source_sha256="a" * 64, channel=0, start_sample=0, end_sample=800, duration=0.1)
QUESTION_CHANGES = {
    "messages": [
        QUESTION.messages[:1],
        QUESTION.messages[::-1],
        (Message(role="user", content="You label."), QUESTION.messages[1]),
        (QUESTION.messages[0], Message(role="user", content="我很难过。")),
        (Message(role="system", content="You label.我很难过"),),
    ],
    "answer_schema": [
        AnswerSchema(schema_id="labeling@2", text="{}"),
        AnswerSchema(schema_id="labeling@1", text='{"type":"object"}'),
    ],
    "sampling": [
        QUESTION.sampling.model_copy(update=change)
        for change in (
            {"temperature": 0.0},
            {"top_p": None},
            {"top_p": 0.5},
            {"max_tokens": 101},
            {"seed": None},
            {"seed": 0},
            {"extra_body": '{"top_k":20}'},
        )
    ],
    "sample_index": [1, 2],
    "span": [
        SPAN,
        *(
            SPAN.model_copy(update=change)
            for change in (
                {"source_sha256": "b" * 64},
                {"channel": 1},
                {"start_sample": 1},
                {"end_sample": 801},
            )
        ),
    ],
}

SOUND = Sound(
    source_sha256="a" * 64, source_rate=8000, channel=None, start_sample=0, end_sample=800,
    duration=0.1, speech=0.1, level=-20.0, peak=-3.0, clipped=0.0,
    prosody=Prosody(level=-20.0, pitch=None, pitch_range=None, tilt=None),
)  # fmt: skip
SOUND_CHANGES = {
    "source_sha256": ["b" * 64],
    "channel": [0, 1],
    "start_sample": [1],
    "end_sample": [801],
}
MEASURED = {
    "source_rate": [16000],
    "duration": [0.2],
    "speech": [0.0],
    "level": [-30.0],
    "peak": [0.0],
    "clipped": [0.5],
    "snr": [10.0],
    "prosody": [Prosody(level=None, pitch=100.0, pitch_range=None, tilt=None)],
    "flags": [("clipped",)],
}


def changed(record, changes):
    """Return one record for each value of each field."""
    return [
        record.model_copy(update={name: value})
        for name, values in changes.items()
        for value in values
    ]


def test_every_field_of_a_question_is_in_the_table():
    assert set(QUESTION_CHANGES) == set(Question.model_fields)
    sampled = {"temperature", "top_p", "max_tokens", "seed", "extra_body"}
    assert set(Sampling.model_fields) == sampled
    heard = {"source_sha256", "channel", "start_sample", "end_sample", "duration"}
    assert set(SpanIdentity.model_fields) == heard
    assert set(Message.model_fields) == {"role", "content"}
    assert set(AnswerSchema.model_fields) == {"schema_id", "text"}


def test_every_field_of_a_sound_is_in_a_table():
    assert set(SOUND_CHANGES) | set(MEASURED) == set(Sound.model_fields)


def test_every_change_of_a_question_or_of_the_engine_gives_another_key():
    questions = [QUESTION, *changed(QUESTION, QUESTION_CHANGES)]
    found = [question_key("openai:m@1", question) for question in questions]
    found += [question_key(engine, QUESTION) for engine in ("openai:m", "openai:m@2", "openai:n@1")]
    assert len(set(found)) == len(found) == 25


def test_every_change_of_what_is_heard_gives_another_key(monkeypatch):
    found = [
        transcription_key("engine", sound, Language.EN)
        for sound in (SOUND, *changed(SOUND, SOUND_CHANGES))
    ]
    found.append(transcription_key("engine@2", SOUND, Language.EN))
    found.append(transcription_key("engine", SOUND, Language.ZH))
    monkeypatch.setattr(keys, "DECODE_VERSION", keys.DECODE_VERSION + 1)
    found.append(transcription_key("engine", SOUND, Language.EN))
    assert len(set(found)) == len(found) == 9


@pytest.mark.parametrize("sound", changed(SOUND, MEASURED), ids=list(MEASURED))
def test_what_was_only_measured_of_a_sound_does_not_change_its_key(sound):
    assert transcription_key("e", sound, Language.EN) == transcription_key("e", SOUND, Language.EN)


def test_whole_numbers_and_fractions_of_the_same_value_give_the_same_key():
    whole = Question.model_validate(QUESTION.model_dump() | {"sampling": {"temperature": 1}})
    fraction = Question.model_validate(QUESTION.model_dump() | {"sampling": {"temperature": 1.0}})
    assert question_key("e", whole) == question_key("e", fraction)


def test_keys_stay_the_same_from_version_to_version():
    # A changed key pays every answer again; change these only together with a reason to.
    assert (
        question_key("openai:m@1", QUESTION)
        == "6e3a83f89464ae442c230d854b67ab277c3d82f582eb151fd4274db18e483fa5"
    )
    assert (
        transcription_key("engine@1", SOUND, Language.EN)
        == "c6c01e8b0eb2f1e7e611de92e0fde5e386a1af4317e2c074f67f878ae13c4155"
    )


def test_a_question_that_lets_hear_depends_on_the_version_of_the_decoder_alone(monkeypatch):
    heard = QUESTION.model_copy(update={"span": SPAN})
    before = question_key("e", heard), question_key("e", QUESTION)
    longer = SPAN.model_copy(update={"duration": 0.2})
    assert question_key("e", QUESTION.model_copy(update={"span": longer})) == before[0]
    monkeypatch.setattr(keys, "DECODE_VERSION", keys.DECODE_VERSION + 1)
    assert question_key("e", heard) != before[0]
    assert question_key("e", QUESTION) == before[1]


def test_half_a_character_in_a_question_still_has_a_key():
    broken = Message.model_construct(role="user", content="a\ud83d")
    question = Question.model_construct(**(dict(QUESTION) | {"messages": (broken,)}))
    assert len(question_key("e", question)) == 64
