"""What dialogues share: people only where names are people, scripts only where they are long."""

from ieat.pipeline.split_keys import script_ids, speaker_ids, split_keys
from ieat.schemas.dialogue import Language
from tests.dialogues import dialogue

TALK = (
    ("ann", "Somebody stole my old leather bag from the car"),
    ("bob", "Oh no"),
)


def test_names_join_dialogues_only_where_they_mean_people():
    role = dialogue(TALK)
    person = role.model_copy(update={"speaker_scope": "corpus"})
    assert speaker_ids(role) == ()
    assert speaker_ids(person) == ("corpus/ann", "corpus/bob")


def test_the_same_words_are_the_same_script_whoever_says_them_in_whatever_form():
    again = (("eve", "somebody stole my old leather bag, from the CAR!"), ("joe", "Oh, no."))
    assert script_ids(dialogue(TALK)) == script_ids(dialogue(again, name="d2"))


CANNED = ("bob", "How did that happen to you, and when did you see it last")


def test_the_part_of_the_first_speaker_is_a_script_whatever_is_answered():
    shared = set(script_ids(dialogue(TALK))) & set(script_ids(dialogue((TALK[0], CANNED))))
    assert len(shared) == 1


def test_an_answer_that_is_given_everywhere_joins_nothing():
    other = (("ann", "Today I found my bag again, and all was in it"), CANNED)
    shared = set(script_ids(dialogue((TALK[0], CANNED)))) & set(script_ids(dialogue(other)))
    assert shared == set()


def test_what_is_short_is_no_script():
    assert script_ids(dialogue((("ann", "I am so sorry"), ("bob", "No way")))) == ()
    assert script_ids(dialogue((("ann", "我今天真的很难过"),), language=Language.ZH)) == ()
    assert script_ids(dialogue((("ann", ""),))) == ()


def test_the_corpus_own_script_counts_within_the_corpus():
    given = dialogue((("ann", "Hi"),)).model_copy(update={"script": "zh_0001"})
    assert script_ids(given) == ("corpus/zh_0001",)


def test_keys_are_only_those_that_splits_go_by():
    person = dialogue(TALK).model_copy(update={"speaker_scope": "corpus"})
    assert split_keys(person, ()) == ("dialogue corpus/d1",)
    assert split_keys(person, ("speaker",)) == (
        "dialogue corpus/d1",
        "speaker corpus/ann",
        "speaker corpus/bob",
    )
    assert len(split_keys(person, ("speaker", "script"))) == 5
