"""What counts as right, found and wanted, and the figures that are made of it."""

import math

import numpy as np
import pytest

from ieat.pipeline.bench.bootstrap import (
    Interval,
    Resamples,
    f1,
    macro_f1,
    precision,
    recall,
    weighted_f1,
)
from ieat.pipeline.bench.gold import GoldCause, GoldDialogue, GoldSpan, GoldTurn
from ieat.pipeline.bench.rules import BOTH, CAUSE_RULES, cite_by_rule, most_frequent_emotion
from ieat.pipeline.bench.scores import (
    FoundCause,
    FoundEmotion,
    Hits,
    Place,
    Slice,
    count_by_emotion,
    count_emotions,
    score_causes,
    tokens_of,
)
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion


def gold(*turns, causes=(), language=Language.EN):
    return GoldDialogue(
        name="d",
        language=language,
        turns=tuple(
            GoldTurn(speaker="ann", text=text, word=emotion and emotion.value, emotion=emotion)
            for text, emotion in turns
        ),
        causes=causes,
    )


def cause(turn, *spans, turns=None, **fields):
    return GoldCause(
        turn_index=turn,
        cause_turns=tuple(sorted({at for at, _ in spans})) if turns is None else turns,
        spans=tuple(GoldSpan(turn_index=at, text=text) for at, text in spans),
        **fields,
    )


SAD = gold(
    ("The old cat died.", None),
    ("I loved her so much", Emotion.SAD),
    causes=(cause(1, (0, "old cat died")),),
)


def score(found, of=SAD):
    (only,) = score_causes([of], {Place(0, 1): found})
    return only


def test_a_quote_is_held_against_the_span_word_by_word():
    # Words 1 to 3 of turn 0 are wanted; words 2 and 3, and one of turn 1, are found.
    found = score(FoundCause((Slice(0, 8, 17), Slice(1, 0, 1))))
    assert found.turns == Hits(right=1, found=2, wanted=1)
    assert found.tokens == Hits(right=2, found=3, wanted=3)
    assert found.spans == Hits(right=0, found=2, wanted=1)
    assert (found.cited, found.emotion) == ((0, 1), Emotion.SAD)


def test_a_quote_with_other_punctuation_is_the_same_span():
    assert score(FoundCause((Slice(0, 4, 17),))).spans == Hits(1, 1, 1)


def test_two_quotes_of_a_turn_cite_it_once_and_no_word_counts_twice():
    found = score(FoundCause((Slice(0, 4, 11), Slice(0, 8, 17))))
    assert found.turns == Hits(1, 1, 1)
    assert found.tokens == Hits(3, 3, 3)


def test_what_failed_is_missed():
    for found in (score(FoundCause(code="refusal")), *score_causes([SAD], {})):
        assert found.turns == Hits(0, 0, 1)
        assert found.tokens == Hits(0, 0, 3)


def test_a_background_cause_has_no_turn_to_find():
    of = gold(("Hello", None), ("I am so sad", Emotion.SAD), causes=(cause(1, is_background=True),))
    assert score(FoundCause((Slice(1, 0, 4),)), of).turns == Hits(0, 1, 0)


def test_words_are_not_scored_where_the_file_marks_turns_only():
    of = gold(("Hello", None), ("I am sad", Emotion.SAD), causes=(cause(1, turns=(0,)),))
    found = score(FoundCause((Slice(0, 0, 5),)), of)
    assert (found.turns, found.tokens, found.spans) == (Hits(1, 1, 1), Hits(0, 0, 0), Hits(0, 0, 0))


def test_tags_of_sounds_are_no_words():
    of = gold(
        ("[sigh] The old cat died.", None),
        ("I loved her", Emotion.SAD),
        causes=(cause(1, (0, "old cat died")),),
    )
    assert score(FoundCause((Slice(0, 4, 16),)), of).spans == Hits(1, 1, 1)


def test_english_is_counted_in_words_and_chinese_in_characters():
    def tokens(text, language):
        return [text[start:end] for start, end in tokens_of(text, language)]

    assert tokens("It's 5 o'clock, ann!", Language.EN) == ["It's", "5", "o'clock", "ann"]
    assert tokens("我的iPhone 12，没了！", Language.ZH) == ["我", "的", "iPhone", "12", "没", "了"]


def test_rules_cite_whole_turns_and_none_before_the_first():
    first = gold(("Oh no", Emotion.FEAR), ("Yes", None), causes=(cause(0, (0, "no")),))
    assert cite_by_rule([first], CAUSE_RULES[BOTH]) == {Place(0, 0): FoundCause((Slice(0, 0, 5),))}
    assert cite_by_rule([first], CAUSE_RULES["turn before"]) == {Place(0, 0): FoundCause(())}
    assert cite_by_rule([SAD], CAUSE_RULES[BOTH]) == {
        Place(0, 1): FoundCause((Slice(1, 0, 19), Slice(0, 0, 17)))
    }


def test_figures_are_those_of_their_definitions():
    # Two groups: 3 right of 4 found and 6 wanted; 1 right of 4 found and 2 wanted.
    sums = np.array([[3.0, 4.0, 6.0], [1.0, 4.0, 2.0]])
    assert float(precision(sums)) == 4 / 8
    assert float(recall(sums)) == 4 / 8
    assert float(f1(sums)) == 2 * 4 / 16
    first, second = 2 * 3 / 10, 2 * 1 / 6
    assert float(macro_f1(sums)) == pytest.approx((first + second) / 2)
    assert float(weighted_f1(sums)) == pytest.approx((first * 6 + second * 2) / 8)


def test_nothing_found_and_nothing_wanted_has_no_figure():
    empty = np.zeros((2, 3))
    assert all(math.isnan(float(of(empty))) for of in (precision, recall, f1, macro_f1))
    assert Resamples(1, 100).interval(empty[None], f1) == Interval(None, None, None)
    # A group that nobody wants does not count among those whose mean is taken.
    assert float(macro_f1(np.array([[1.0, 1.0, 1.0], [0.0, 5.0, 0.0]]))) == 1.0


def test_an_interval_is_that_of_dialogues_and_the_same_each_time():
    # Of ten dialogues of one state each, seven are right.
    counts = np.array([[[float(number < 7), 1.0, 1.0]] for number in range(10)])
    found = Resamples(10, 2000).interval(counts, f1)
    assert found.value == pytest.approx(0.7)
    # The 2.5th and 97.5th percentiles of a binomial of 10 with .7 are 4 and 9 or 10.
    assert found.low == pytest.approx(0.4)
    assert found.high in (pytest.approx(0.9), pytest.approx(1.0))
    assert Resamples(10, 2000).interval(counts, f1) == found


def test_a_difference_is_taken_on_the_same_draws():
    draws = Resamples(10, 1000)
    worse = np.array([[[float(number < 5), 1.0, 1.0]] for number in range(10)])
    better = worse.copy()
    better[:, 0, 0] = 1.0
    assert draws.difference(worse, worse, f1) == Interval(0.0, 0.0, 0.0)
    above, below = draws.difference(better, worse, f1), draws.difference(worse, better, f1)
    assert above.value == pytest.approx(0.5)
    assert 0 < above.low < 0.5 < above.high
    assert (below.low, below.high) == (-above.high, -above.low)


def test_emotions_are_counted_as_found_and_as_wanted():
    talk = gold(
        ("a", Emotion.SAD),
        ("b", Emotion.SAD),
        ("c", Emotion.HAPPY),
        ("d", None),
        ("e", Emotion.SAD),
    )
    found = {
        Place(0, 0): FoundEmotion(Emotion.SAD),
        Place(0, 1): FoundEmotion(Emotion.HAPPY),
        Place(0, 2): FoundEmotion(None),
        Place(0, 3): FoundEmotion(Emotion.HAPPY),
    }
    (counts,) = count_emotions([talk], found)
    by_emotion = dict(zip(Emotion, counts.tolist(), strict=True))
    assert by_emotion[Emotion.SAD] == [1, 1, 3]
    assert by_emotion[Emotion.HAPPY] == [0, 1, 1]
    assert counts.sum() == 7
    assert most_frequent_emotion([talk]) == {
        Place(0, turn): FoundEmotion(Emotion.SAD) for turn in (0, 1, 2, 4)
    }


def test_hits_are_counted_by_dialogue_and_emotion():
    scores = score_causes([SAD, SAD], {Place(1, 1): FoundCause((Slice(0, 0, 17),))})
    counts = count_by_emotion(scores, "turns", 2)
    assert counts.shape == (2, 7, 3)
    assert counts[0, list(Emotion).index(Emotion.SAD)].tolist() == [0, 0, 1]
    assert counts[1, list(Emotion).index(Emotion.SAD)].tolist() == [1, 1, 1]
    assert counts.sum() == 4
