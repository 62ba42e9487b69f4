import pytest

from ieat.pipeline.failures import BadInput
from ieat.pipeline.history import attributed_speakers, find_targets
from tests.dialogues import dialogue


def targets(speakers, *attributed):
    return [
        (target.user_speaker, target.user_turns, target.answering_speaker, target.answer_turns)
        for target in find_targets(enumerate(speakers), attributed)
    ]


def test_a_turn_followed_by_the_other_speaker_is_a_target():
    assert targets("abab", "a") == [("a", (0,), "b", (1,)), ("a", (2,), "b", (3,))]


def test_a_speaker_twice_in_a_row_makes_one_target_of_both_turns():
    assert targets("aabb", "a") == [("a", (0, 1), "b", (2, 3))]


def test_an_assistant_that_speaks_first_is_no_target():
    assert targets("bab", "a") == [("a", (1,), "b", (2,))]


def test_a_last_turn_without_an_answer_is_no_target():
    assert targets("aba", "a") == [("a", (0,), "b", (1,))]


def test_with_three_speakers_whoever_speaks_next_answers():
    assert targets("abcab", "a", "c") == [
        ("a", (0,), "b", (1,)),
        ("c", (2,), "a", (3,)),
        ("a", (3,), "b", (4,)),
    ]


def test_both_speakers_can_be_answered():
    assert targets("aba", "a", "b") == [("a", (0,), "b", (1,)), ("b", (1,), "a", (2,))]


def test_speakers_are_chosen_by_place_name_or_channel():
    talk = dialogue()
    assert attributed_speakers(talk, "first") == ("ann",)
    assert attributed_speakers(talk, "all") == ("ann", "bob")
    assert attributed_speakers(talk, "bob") == ("bob",)
    turns = tuple(
        turn.model_copy(update={"audio": turn.audio.model_copy(update={"channel": turn.index % 2})})
        for turn in talk.turns
    )
    assert attributed_speakers(talk.model_copy(update={"turns": turns}), "channel:1") == ("bob",)


def test_a_speaker_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(BadInput, match="no speaker 'eve'; the dialogue has ann, bob") as caught:
        attributed_speakers(dialogue(), "eve")
    assert caught.value.code == "user_speaker_unknown"
