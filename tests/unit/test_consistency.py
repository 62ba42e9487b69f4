"""Whether an answer sounds as its words are meant."""

import pytest

from ieat.pipeline.output.consistency import EMOTIONS_OF_STYLE, consistency_cell, fits
from ieat.pipeline.output.stage2_rows import RowSettings, stage2_rows
from ieat.schemas.arrow import arrow_schema, from_record, to_record
from ieat.schemas.cells import ConsistencyCell
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion, EmotionalState, EmotionLabel, trace_trajectory
from ieat.schemas.rows import Stage2Row
from ieat.schemas.sample import ResponseStyle
from tests.builders import composed

EAR = "openai-audio:ear"
TALK = (("ann", "They stole my bag"), ("bob", "Oh no, that is awful"), ("bob", "I am so sorry"))
TALK_ZH = (("ann", "他们偷了我的包"), ("bob", "天哪，太糟了"), ("bob", "我真难过"))


def label(source, emotion, confidence=None):
    labeler = {"gold": "gold", "text": "openai:m", "voice": EAR}[source]
    return EmotionLabel(source=source, labeler_id=labeler, emotion=emotion, confidence=confidence)


def state(turn, **labels):
    return EmotionalState(turn_index=turn, speaker="bob", **labels)


def answered(states, *, heard=None, **changes):
    """Return a dialogue whose answer has these states; `heard` is what a recognizer gave of it."""
    built = composed(response="corpus", **({"talk": TALK} | changes))
    if heard is not None:
        said = list(built.transcript.utterances)
        for turn, words in heard.items():
            said[turn] = said[turn].model_copy(update={"clean": words})
        transcript = built.transcript.model_copy(update={"utterances": tuple(said)})
        built = built.model_copy(update={"transcript": transcript})
    trajectories = (*built.trajectories, trace_trajectory("bob", tuple(states)))
    return built.model_copy(update={"trajectories": trajectories if states else built.trajectories})


def cell(built):
    return consistency_cell(built, built.samples[0])


def test_an_answer_whose_voice_says_what_its_words_say_agrees():
    built = answered(
        [
            state(1, text=label("text", "sad"), voice=label("voice", "sad", 0.9)),
            state(2, text=label("text", "sad"), voice=label("voice", "sad", 0.7)),
        ]
    )
    assert cell(built) == ConsistencyCell(
        intended=(Emotion.SAD,),
        intended_from="text",
        heard=Emotion.SAD,
        heard_confidence=0.7,
        heard_by=EAR,
        agrees=True,
        word_error_rate=None,
        num_words=None,
    )


def test_the_corpus_label_of_the_answer_goes_before_that_of_its_words():
    labels = {"gold": label("gold", "sad"), "text": label("text", "happy")}
    built = answered([state(turn, **labels, voice=label("voice", "happy", 0.9)) for turn in (1, 2)])
    found = cell(built)
    assert (found.intended, found.intended_from) == ((Emotion.SAD,), "gold")
    assert (found.heard, found.agrees) == (Emotion.HAPPY, False)


def test_turns_that_differ_are_compared_one_by_one_and_have_no_emotion_in_common():
    built = answered(
        [
            state(1, text=label("text", "surprise"), voice=label("voice", "surprise")),
            state(2, text=label("text", "sad"), voice=label("voice", "sad")),
        ]
    )
    found = cell(built)
    assert (found.intended, found.intended_from, found.heard) == ((), None, None)
    assert found.agrees is True


@pytest.mark.parametrize(
    "second",
    [
        {"text": label("text", "sad")},
        {"text": label("text", "sad"), "voice": label("voice", None)},
        {"voice": label("voice", "sad")},
        {},
    ],
)
def test_what_is_unknown_of_one_turn_is_unknown_of_the_answer(second):
    first = state(1, text=label("text", "sad"), voice=label("voice", "sad"))
    found = cell(answered([first, state(2, **second)]))
    assert found is None or found.agrees is None


def test_an_answer_whose_speaker_nobody_labeled_has_no_cell():
    built = answered([])
    assert cell(built) is None
    (row,) = stage2_rows(built, RowSettings(10, 100.0, "reference"))
    assert row.consistency is None


def test_a_voice_without_sound_is_not_compared():
    states = [state(turn, text=label("text", "sad")) for turn in (1, 2)]
    assert cell(answered(states, with_audio=False)) is None


@pytest.mark.parametrize(
    ("language", "talk", "heard", "rate", "num_words"),
    [
        (Language.EN, TALK, {1: "oh no that was awful", 2: "I am so sorry"}, 1 / 9, 9),
        (Language.ZH, TALK_ZH, {1: "天哪太早了", 2: "我真难过"}, 1 / 9, 9),
    ],
)
def test_what_was_heard_of_the_answer_is_counted_against_the_words_of_the_corpus(
    language, talk, heard, rate, num_words
):
    built = answered([], talk=talk, heard=heard, language=language, recognizer_id="openai:ear")
    found = cell(built)
    assert found.word_error_rate == pytest.approx(rate)
    assert (found.num_words, found.intended, found.heard, found.agrees) == (
        num_words, (), None, None,
    )  # fmt: skip


def test_words_of_the_corpus_are_not_counted_against_themselves():
    assert cell(answered([], recognizer_id="gold")) is None


def test_a_written_answer_says_what_a_synthesized_one_should_sound_like():
    built = composed(response="written")
    response = built.samples[0].response.model_copy(update={"style": ResponseStyle.APOLOGY})
    sample = built.samples[0].model_copy(update={"response": response})
    assert consistency_cell(built, sample) == ConsistencyCell(
        intended=(Emotion.SAD, Emotion.NEUTRAL),
        intended_from="style",
        heard=None,
        heard_confidence=None,
        heard_by=None,
        agrees=None,
        word_error_rate=None,
        num_words=None,
    )


def test_every_style_has_emotions_and_none_is_angry_or_disgusted():
    assert set(EMOTIONS_OF_STYLE) == set(ResponseStyle)
    assert all(EMOTIONS_OF_STYLE.values())
    heard = {emotion for emotions in EMOTIONS_OF_STYLE.values() for emotion in emotions}
    assert heard == set(Emotion) - {Emotion.ANGER, Emotion.DISGUST}


def test_a_style_is_held_to_its_emotions():
    assert fits(EMOTIONS_OF_STYLE[ResponseStyle.COMFORT], Emotion.SAD) is True
    assert fits(EMOTIONS_OF_STYLE[ResponseStyle.JOY], Emotion.SAD) is False
    assert fits((), Emotion.SAD) is None
    assert fits((Emotion.SAD,), None) is None


def test_a_row_with_a_cell_comes_back_from_its_record():
    built = answered(
        [
            state(turn, text=label("text", "sad"), voice=label("voice", "sad", 0.9))
            for turn in (1, 2)
        ]
    )
    (row,) = stage2_rows(built, RowSettings(10, 100.0, "reference"))
    assert row.consistency.agrees is True
    assert from_record(Stage2Row, to_record(row)) == row
    assert arrow_schema(Stage2Row).field("consistency").nullable
