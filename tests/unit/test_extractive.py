import asyncio

from ieat.pipeline.engines.extractive import ExtractiveAttributor, fullest_clause
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


def test_the_quote_of_the_own_turn_is_the_event_and_nothing_is_inferred():
    turns = history(heard(2, "Who took your bag?", "bob"), heard(4, "Oh, a man stole it"))
    state = EmotionalState(turn_index=4, speaker="ann", chosen=Emotion.SAD, chosen_from="text")
    found = asyncio.run(ExtractiveAttributor().attribute(turns, state))
    (cause,) = found.causes
    assert (cause.event, cause.appraisal, cause.kind.value) == ("a man stole it", None, "hybrid")
    assert [(e.turn_index, e.quote) for e in cause.evidence] == [
        (4, "a man stole it"),
        (2, "Who took your bag?"),
    ]
