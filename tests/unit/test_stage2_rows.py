"""Targets become rows of stage 2: the conversation, its clips, and what it is fit for."""

import pytest

from ieat.pipeline.output.messages import without_tags
from ieat.pipeline.output.stage2_rows import RowSettings, stage2_rows
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion
from ieat.schemas.records import ComposedDialogue
from ieat.schemas.rows import Stage2Row
from tests.builders import composed

THINKING = "She is angry, as her bag was stolen."


def rows(
    of: ComposedDialogue, max_turns: int = 20, max_seconds: float = 120.0, audio: str = "embed"
) -> tuple[Stage2Row, ...]:
    return stage2_rows(of, RowSettings(max_turns, max_seconds, audio))  # type: ignore[arg-type]


def told(row: Stage2Row) -> list[tuple[str, str, str, bool]]:
    return [(said.role, said.kind, said.content, said.loss) for said in row.messages]


def test_a_target_is_heard_thought_about_and_answered() -> None:
    first, second = rows(composed())
    assert first.row_id == "corpus/d1/000/stage2"
    assert told(first) == [
        ("user", "listen", "<audio>", False),
        ("assistant", "think", THINKING, True),
        ("assistant", "write", "I am sorry.", True),
    ]
    assert told(second) == [
        ("user", "listen", "<audio>", False),
        ("assistant", "write", "Where did you leave it", False),
        ("user", "listen", "<audio>", False),
        ("assistant", "think", THINKING, True),
        ("assistant", "write", "I am sorry.", True),
    ]


def test_every_tag_has_its_clip_in_order() -> None:
    row = rows(composed())[1]
    assert [clip.path for clip in row.audios] == ["corpus/d1/000.flac", "corpus/d1/002.flac"]
    assert [span.uri for span in row.audio_spans] == ["d1-0.wav", "d1-2.wav"]


def test_clips_by_reference_name_the_source() -> None:
    row = rows(composed(), audio="reference")[1]
    assert [clip.path for clip in row.audios] == ["d1-0.wav", "d1-2.wav"]


def test_neighboring_turns_of_one_role_are_one_message_with_a_tag_for_each_clip() -> None:
    talk = (
        ("bob", "Hello"),
        ("bob", "Anybody there"),
        ("ann", "My bag"),
        ("ann", "is gone"),
        ("bob", "Oh no"),
    )
    (row,) = rows(composed(talk, emotions={2: Emotion.SAD, 3: Emotion.SAD}))
    assert told(row)[:2] == [
        ("assistant", "write", "Hello Anybody there", False),
        ("user", "listen", "<audio>\n<audio>", False),
    ]
    assert row.turn_index == 3
    assert row.flags == ("assistant_first",)
    assert [span.turn_index for span in row.audio_spans] == [2, 3]


def test_a_third_speaker_is_heard_in_the_role_of_the_user_and_flagged() -> None:
    talk = (("cat", "Miaow"), ("bob", "Quiet"), ("ann", "My bag is gone"), ("bob", "Oh no"))
    (row,) = rows(composed(talk, emotions={2: Emotion.SAD}))
    assert told(row)[:3] == [
        ("user", "listen", "<audio>", False),
        ("assistant", "write", "Quiet", False),
        ("user", "listen", "<audio>", False),
    ]
    assert row.flags == ("third_speaker",)


def test_chinese_replies_are_joined_without_spaces() -> None:
    talk = (("红", "你好"), ("红", "在吗"), ("明", "我的包丢了"), ("红", "天哪"))
    (row,) = rows(composed(talk, user="明", language=Language.ZH, emotions={2: Emotion.SAD}))
    assert told(row)[0] == ("assistant", "write", "你好在吗", False)


def test_context_is_the_newest_whole_turns_within_the_limits() -> None:
    talk = tuple((("ann", "bob")[turn % 2], f"words {turn}") for turn in range(8))
    emotions = dict.fromkeys(range(0, 8, 2), Emotion.SAD)
    by_turns = rows(composed(talk, emotions=emotions), max_turns=3)[-1]
    assert [said.content for said in by_turns.messages[:-2]] == [
        "words 3",
        "<audio>",
        "words 5",
        "<audio>",
    ]
    # Each clip lasts two seconds; replies are words and take none.
    by_seconds = rows(composed(talk, emotions=emotions), max_seconds=3.9)[-1]
    assert [said.content for said in by_seconds.messages[:-2]] == [
        "words 3",
        "<audio>",
        "words 5",
        "<audio>",
    ]


def test_silent_turns_are_not_shown() -> None:
    row = rows(composed(silent=(1,)))[-1]
    assert told(row)[0] == ("user", "listen", "<audio>\n<audio>", False)
    assert row.turn_index == 2


def test_a_question_without_sound_shows_its_words() -> None:
    row = rows(composed(texts_only=(0,)))[0]
    assert told(row)[0] == ("user", "listen", "My bag is gone", False)
    assert row.audios == ()
    assert row.trainable.reasons == ("no_audio",)
    assert row.trainable.explicit is False


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("he said <audio> twice", "he said (audio) twice"),
        ("</audio>", "(/audio)"),
        ("< AUDIO >", "( AUDIO )"),
        ("<audio src=x>", "(audio src=x)"),
        ("<<audio>>", "<(audio)>"),
        ("an <audiobook>", "an <audiobook>"),
    ],
)
def test_words_that_look_like_a_tag_make_none(words: str, shown: str) -> None:
    assert without_tags(words) == shown


def test_a_tag_in_somebodys_words_is_flagged_and_every_tag_still_has_its_clip() -> None:
    talk = (("ann", "Hi"), ("bob", "press <audio>"), ("ann", "My bag is gone"), ("bob", "Oh"))
    row = rows(composed(talk, thinking="He says <audio>."))[1]
    content = "".join(said.content for said in row.messages)
    assert content.count("<audio>") == len(row.audios) == 2
    assert row.flags == ("audio_tag_in_words",)
    assert row.thinking.text == "He says <audio>."


def test_words_that_join_to_a_tag_make_none() -> None:
    talk = (("红", "<aud"), ("红", "io>"), ("明", "我的包丢了"), ("红", "天哪"))
    (row,) = rows(composed(talk, user="明", language=Language.ZH, emotions={2: Emotion.SAD}))
    assert row.messages[0].content == "(audio)"


def test_the_trajectory_ends_at_the_target() -> None:
    row = rows(composed())[0]
    assert [(state.turn_index, state.emotion) for state in row.trajectory_so_far] == [
        (0, Emotion.SAD)
    ]
    assert [cause.turn_index for cause in row.thinking.causes] == [0]


def test_a_written_response_from_the_thinking_is_fit_for_every_mode() -> None:
    modes = rows(composed())[1].trainable
    assert (modes.explicit, modes.injected, modes.implicit, modes.reasons) == (
        True,
        True,
        True,
        (),
    )


def test_the_corpus_own_answer_is_fit_as_explicit_only() -> None:
    row = rows(composed(response="corpus"))[1]
    assert row.trainable.model_dump() == {
        "explicit": True,
        "injected": False,
        "implicit": False,
        "reasons": ("corpus_response",),
    }
    assert row.response.text == "That is awful"
    assert [span.uri for span in row.response.audio_spans] == ["d1-3.wav"]


def test_a_response_that_did_not_see_the_thinking_is_fit_as_explicit_only() -> None:
    modes = rows(composed(conditioned_on=("words",)))[1].trainable
    assert (modes.explicit, modes.injected, modes.implicit) == (True, False, False)
    assert modes.reasons == ("response_without_thinking",)


@pytest.mark.parametrize(
    ("of", "reasons"),
    [
        (composed(labeler_id="linear@1"), ("baseline_labeler",)),
        (composed(attributor_id="extractive@1"), ("baseline_attributor",)),
        (composed(recognizer_id="moonshine:tiny"), ("unscored_words",)),
    ],
)
def test_baselines_and_unscored_words_are_fit_for_no_mode(
    of: ComposedDialogue, reasons: tuple[str, ...]
) -> None:
    modes = rows(of)[1].trainable
    assert (modes.explicit, modes.injected, modes.implicit) == (False, False, False)
    assert modes.reasons == reasons


def test_a_neutral_history_is_fit_unless_the_baseline_says_so() -> None:
    neutral = {0: Emotion.NEUTRAL, 2: Emotion.NEUTRAL}
    fit = rows(composed(emotions=neutral))[1]
    assert fit.thinking.state_turns == ()
    assert fit.trainable.reasons == ()
    assert rows(composed(emotions=neutral, label_source="gold"))[1].trainable.reasons == ()
    assert rows(composed(emotions=neutral, labeler_id="linear@1"))[1].trainable.reasons == (
        "baseline_labeler",
    )


def test_gold_labels_are_fit_where_the_linear_labeler_only_measured_agreement() -> None:
    of = composed(label_source="gold", labeler_id="linear@1")
    assert rows(of)[1].trainable.reasons == ()
