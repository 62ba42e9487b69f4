import asyncio

import pytest

from ieat.pipeline.engines.extractive import (
    ExtractiveAttributor,
    cited_turns,
    content_words,
    fullest_clause,
)
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion, EmotionalState
from tests.unit.test_checks import heard, history


def clause(text, language=Language.EN):
    start, end = fullest_clause(heard(0, text), language)
    return text[start:end]


def test_the_clause_with_most_content_words_is_taken():
    assert clause("Oh well, somebody stole my red bag yesterday. So it is.") == (
        "somebody stole my red bag yesterday."
    )
    assert clause("是啊，我妈妈昨天住院了，就这样。", Language.ZH) == "我妈妈昨天住院了"


def test_a_turn_without_any_clause_mark_is_one_clause():
    assert clause("no marks here") == "no marks here"
    assert clause("...") == "..."


def test_a_clause_without_an_end_is_cut_between_words():
    long = "so then I said to him " * 20
    found = clause(long.strip())
    assert 140 <= len(found) <= 160
    assert long.startswith(found + " ")
    assert len(clause("很" * 400, Language.ZH)) == 160


def attribute(*turns, language=Language.EN):
    shown = history(*turns, language=language)
    state = EmotionalState(
        turn_index=shown.last.turn_index, speaker=shown.last.speaker, chosen=Emotion.SAD,
        chosen_from="text",
    )  # fmt: skip
    found = asyncio.run(ExtractiveAttributor().attribute(shown, state))
    (cause,) = found.causes
    assert cause.appraisal is None
    return (
        cause.event,
        cause.kind.value,
        [(shown.turn_index, shown.quote) for shown in cause.evidence],
    )


def test_the_quote_of_the_own_turn_is_the_event_and_nothing_is_inferred():
    assert attribute(heard(2, "Who took your bag?", "bob"), heard(4, "Oh, a man stole it")) == (
        "a man stole it",
        "hybrid",
        [(4, "a man stole it"), (2, "Who took your bag?")],
    )


def test_a_turn_that_only_reacts_is_caused_by_the_turn_before():
    said = heard(0, "We won the cup, you know", "bob")
    assert attribute(said, heard(1, "Oh, really? That's great!")) == (
        "We won the cup",
        "inter-personal",
        [(0, "We won the cup")],
    )


def test_a_full_answer_to_a_question_is_its_own_cause():
    asked = heard(0, "What happened yesterday?", "bob")
    answer = heard(1, "Somebody broke my car window and took the new laptop")
    assert attribute(asked, answer)[1:] == ("explicit", [(1, answer.clean)])


@pytest.mark.parametrize(
    ("turns", "language", "cited"),
    [
        # The first turn has none before it.
        ([heard(0, "Oh, great!")], Language.EN, [0]),
        # A short answer says less than the question.
        ([heard(0, "Did they take it?", "bob"), heard(1, "They took my bag")], Language.EN, [1, 0]),
        # What somebody says to themselves is no question to another.
        ([heard(0, "We won the cup"), heard(1, "Wow!")], Language.EN, [1, 0]),
        # Nothing was measured in Chinese.
        ([heard(0, "我们赢了", "bob"), heard(1, "哇")], Language.ZH, [1, 0]),
    ],
)
def test_everything_else_cites_the_own_turn_and_the_one_before(turns, language, cited):
    found = cited_turns(history(*turns, language=language))
    assert [turn.turn_index for turn in found] == cited


def test_two_turns_of_one_speaker_are_a_feeling_that_goes_on():
    assert (
        attribute(heard(0, "My bag is gone"), heard(1, "I looked all day"))[1] == "self-contagion"
    )


def test_words_with_an_apostrophe_count_by_what_stands_before_it():
    assert content_words("I don't know, it's Mike's red car; we'll see") == {
        "know",
        "mike",
        "red",
        "car",
    }
