"""Openings that many rows share are told with their share."""

from ieat.pipeline.output.card.openings import Openings, opening_lines, opening_of
from ieat.schemas.dialogue import Language


def row(language, thinking, response):
    return {"language": language, "thinking": {"text": thinking}, "response": {"text": response}}


def test_an_opening_is_three_words_or_four_characters_without_marks():
    assert opening_of("Oh no, that's awful!", Language.EN) == "oh no that's"
    assert opening_of("哦，别难过，我在。", Language.ZH) == "哦别难过"


def test_the_most_frequent_openings_are_told_with_their_share():
    openings = Openings()
    openings.add_target(row("en", "She is sad. A", "I hear you. Call them."))
    openings.add_target(row("en", "She is sad. B", "I hear you! Sit down."))
    openings.add_target(row("en", "He is glad.", "Great."))
    openings.add_target(row("zh", "用户很难过。", "别难过，我在。"))
    assert list(opening_lines(openings))[2:] == [
        "| opening of | language | opening | targets | share |",
        "|--|--|--|--:|--:|",
        "| response | en | i hear you | 2 | 67% |",
        "| thinking | en | she is sad | 2 | 67% |",
    ]


def test_nothing_is_told_where_no_two_open_alike():
    openings = Openings()
    openings.add_target(row("en", "She is sad.", "Great."))
    assert list(opening_lines(openings)) == ["No two targets open alike."]
