"""Word errors: texts are made alike first, and counted as jiwer counts."""

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ieat.pipeline.output.word_errors import WordErrors, count_errors, split_words, total
from ieat.schemas.dialogue import Language

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), min_size=1, max_size=8).map(" ".join)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don’t you—DARE!", ["don't", "you", "dare"]),
        ("'Tis the dogs' 'bone'", ["tis", "the", "dogs", "bone"]),
        ("[laughs] Well <noise> 42 times", ["well", "42", "times"]),
        ("full width", ["full", "width"]),
        ("naïve_café", ["naïve", "café"]),
        ("...", []),
    ],
)
def test_english_is_cut_at_white_space_without_punctuation(text: str, words: list[str]) -> None:
    assert split_words(text, Language.EN) == words


def test_chinese_is_cut_into_characters_and_latin_words_stay_whole() -> None:
    assert split_words("【笑声】我用iPhone,打了3次!", Language.ZH) == [
        "我",
        "用",
        "iphone",
        "打",
        "了",
        "3",
        "次",
    ]


def test_errors_are_words_put_in_left_out_or_exchanged() -> None:
    said = "You couldn't pilot your way"
    assert count_errors(said, "you couldn't pilot way", Language.EN) == WordErrors(1, 5, 1)
    assert count_errors(said, "", Language.EN) == WordErrors(5, 5, 1)


def test_a_turn_without_words_of_the_corpus_does_not_count() -> None:
    assert count_errors("[laughs]", "ha ha", Language.EN) == WordErrors(0, 0, 0)
    assert WordErrors().rate is None


def test_rates_are_of_all_words_together() -> None:
    assert total([WordErrors(1, 2, 1), WordErrors(0, 8, 1)]).rate == pytest.approx(0.1)


@given(said=WORDS, heard=WORDS)
@settings(max_examples=100, deadline=None, database=None)
def test_counts_equal_those_of_jiwer(said: str, heard: str) -> None:
    errors = count_errors(said, heard, Language.EN)
    assert errors.rate == pytest.approx(jiwer.wer(said, heard))
