"""Answers of spoken questions: which count as right, and whether a text says one."""

import pytest

from ieat.pipeline.corpora.aqa import read_answers
from ieat.pipeline.failures import BadInput
from ieat.pipeline.output.aqa_rows import is_answered


def both(*items):
    return {"__tuple__": True, "items": list(items)}


@pytest.mark.parametrize(
    ("answer", "alternatives"),
    [
        ("Paris", (("Paris",),)),
        (7, (("7",),)),
        (["Paris", " Rome ", "Paris"], (("Paris",), ("Rome",))),
        (both("a", "b"), (("a", "b"),)),
        (["x", both("a", "b")], (("x",), ("a", "b"))),
        (both("a", ["b", "c"]), (("a", "b"), ("a", "c"))),
        ('["北京", "北平"]', (("北京",), ("北平",))),
        ("[sic] a bracket", (("[sic] a bracket",),)),
    ],
)
def test_a_list_is_or_and_a_tuple_is_and(answer, alternatives):
    assert read_answers(answer, "quiz:1") == alternatives


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (None, "question_without_answer"),
        ("", "question_without_answer"),
        ([""], "question_without_answer"),
        (both("a", []), "question_without_answer"),
        ({"items": ["a"]}, "invalid_question"),
        (True, "invalid_question"),
        (both(*[["a", "b"]] * 9), "invalid_question"),
    ],
)
def test_an_answer_that_says_nothing_or_too_much_is_refused(answer, code):
    with pytest.raises(BadInput, match=r"^quiz:1: ") as caught:
        read_answers(answer, "quiz:1")
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "answers", "is_right"),
    [
        ("It is Paris, of course.", [["paris"]], True),
        ("It is Parisian.", [["Paris"]], False),
        ("Rome, then Paris.", [["Paris", "Rome"]], True),
        ("Rome alone.", [["Paris", "Rome"]], False),
        ("Rome alone.", [["Paris"], ["Rome"]], True),
        ("New old York", [["New York"]], False),
        ("首都是北京。", [["北京"]], True),
        ("北方的南京", [["北京"]], False),
        ("", [[""]], False),
    ],
)
def test_a_text_answers_with_neighboring_words_or_characters(text, answers, is_right):
    assert is_answered(text, answers) is is_right
