"""What a card tells of amounts: size, speakers, word errors, lengths, balance."""

from collections import Counter
from fractions import Fraction

import pytest

from ieat.pipeline.output.card.balance import Balance, balance_lines, evenness
from ieat.pipeline.output.card.emotions import Emotions
from ieat.pipeline.output.card.lengths import Lengths, length_lines, quantile
from ieat.pipeline.output.card.size import Sizes, corpus_lines, row_lines, size_lines
from ieat.pipeline.output.card.speakers import (
    NUM_TOP,
    Speakers,
    pseudonym,
    speaker_lines,
    word_error_lines,
)
from ieat.schemas.build import DataResource
from tests.card_rows import felt, manifest, said, talk


def test_sizes_are_told_by_split_and_language_with_speakers_counted_once() -> None:
    sizes, speakers = Sizes(), Speakers()
    for split, row in (
        ("train", talk(said(seconds=3.0), said("bob"))),
        ("test", talk(said(seconds=60.0), license=None)),
        ("train", talk(said("小明"), corpus="cped", language="zh", license="Apache-2.0")),
    ):
        sizes.add_dialogue(split, row, speakers.add_dialogue(row))
    assert list(size_lines(sizes))[2:] == [
        "| test | en | 1 | 1 | 1 | 0:01:00 | 1 |",
        "| train | en | 1 | 2 | 1 | 0:00:03 | 2 |",
        "| train | zh | 1 | 1 | 0 | 0:00:00 | 1 |",
        "| all | en, zh | 3 | 4 | 2 | 0:01:03 | 3 |",
    ]
    data = (
        DataResource(
            corpus="cped", path="c", licenses=(), synthesizer="Voice 9", synthesizer_is_open=True
        ),
        DataResource(corpus="questions", path="q", licenses=("CC0-1.0",), synthesizer="Voice 8"),
    )
    assert list(corpus_lines(sizes, data))[2:] == [
        "| cped | Apache-2.0 1 | 1 | 0:00:00 | Voice 9 (open) |",
        "| queen | freeware 1, none stated 1 | 2 | 0:01:03 | not declared |",
        "| questions | CC0-1.0 | 0 | – | Voice 8 (not known whether open) |",
    ]


def test_rows_are_told_by_table_and_split() -> None:
    found = manifest(("stage1", "train", 5), ("stage1", "train", 2), ("aqa", "test", 1))
    assert list(row_lines(found, ("stage1", "stage2", "aqa"))) == [
        "| table | test | train | rows |",
        "|--|--:|--:|--:|",
        "| `stage1` | 0 | 7 | 7 |",
        "| `aqa` | 1 | 0 | 1 |",
    ]


def test_speakers_have_ids_in_place_of_names_and_the_rest_is_summed() -> None:
    speakers = Speakers()
    speakers.add_dialogue(
        talk(
            said("ann", "my bag is gone", "my bag was gone", 7200.0),
            said("ann", "oh", "oh", 0.0),
            *(said(f"s{number:02}") for number in range(NUM_TOP)),
            said("s00"),
        )
    )
    lines = list(speaker_lines(speakers))
    ann = pseudonym("queen", "ann")
    assert len(ann) == 8
    assert lines[4] == f"| `{ann}` | en | 1 | 2 | 15% | 2:00:00 | 20.0% of 5 |"
    assert lines[5] == f"| `{pseudonym('queen', 's00')}` | en | 1 | 2 | 15% | 0:00:00 | – |"
    assert lines[-1] == "| 1 others | – | – | 1 | 8% | 0:00:00 | – |"
    assert len(lines) == 4 + NUM_TOP + 1
    assert not any("ann" in line for line in lines)


def test_word_errors_are_those_of_a_recognizer_against_words_of_sound() -> None:
    speakers = Speakers()
    speakers.add_dialogue(
        talk(
            said("ann", "my bag is gone", "my bag was gone", 1.0),
            said("bob", "oh", "oh", 1.0),
            said("bob", "text only", "text alone"),
        )
    )
    speakers.add_dialogue(talk(said("小明", "我的包", "我的书包", 1.0), language="zh"))
    gold = {**talk()["provenance"], "recognizer_id": "gold"}
    speakers.add_dialogue(talk(said("eve", "one", "two", 1.0), provenance=gold))
    assert list(word_error_lines(speakers))[2:4] == [
        "| en | words | 20.0% | 1 | 5 | 2 | 0.0% to 25.0% |",
        "| zh | characters | 25.0% | 1 | 4 | 1 | 25.0% to 25.0% |",
    ]


def test_a_quantile_is_a_length_that_occurs() -> None:
    lengths = Counter({1: 1, 2: 18, 50: 1})
    found = [quantile(lengths, Fraction(share, 100)) for share in (5, 6, 50, 95, 96)]
    assert found == [1, 2, 2, 2, 50]
    with pytest.raises(ValueError, match="no lengths"):
        quantile(Counter(), Fraction(1, 2))


def test_lengths_are_in_words_or_characters_and_seconds() -> None:
    lengths = Lengths()
    for words, seconds in (("oh", 0.31), ("my bag is gone", 2.0), ("I see it", None)):
        lengths.add_turn({"language": "en", "words": {"clean": words}, "duration": seconds})
    lengths.add_target(
        {"language": "zh", "thinking": {"text": "他很生气。"}, "response": {"text": "我明白。"}}
    )
    lengths.add_dialogue(talk(said(), said()))
    assert list(length_lines(lengths)) == [
        "| length of | language | count | 5 % | median | 95 % |",
        "|--|--|--:|--:|--:|--:|",
        "| turn, seconds | en | 2 | 0.3 | 0.3 | 2.0 |",
        "| turn, words | en | 3 | 1 | 3 | 4 |",
        "| thinking, characters | zh | 1 | 4 | 4 | 4 |",
        "| response, characters | zh | 1 | 3 | 3 | 3 |",
        "| dialogue, turns | en | 1 | 2 | 2 | 2 |",
    ]


def test_evenness_is_one_for_equal_groups_and_none_for_a_single_one() -> None:
    assert evenness(Counter(a=5, b=5, c=5)) == pytest.approx(1.0)
    assert evenness(Counter({"a": 5, "b": 0})) == 0.0
    assert evenness(Counter(a=5)) is None


def test_balance_tells_the_largest_and_the_smallest_group() -> None:
    emotions, sizes, speakers, balance = Emotions(), Sizes(), Speakers(), Balance()
    for row in (
        talk(said(), said("bob"), tasks=("T1", "T3")),
        talk(said(), tasks=("T1",)),
        talk(said("eve", ""), language="zh"),
    ):
        sizes.add_dialogue("train", row, speakers.add_dialogue(row))
        balance.add_dialogue(row)
    emotions.add_turn("train", felt("sad", None))
    ann, eve = pseudonym("queen", "ann"), pseudonym("queen", "eve")
    bob = pseudonym("queen", "bob")
    lines = list(balance_lines(balance, emotions, sizes, speakers))[4:]
    assert lines == [
        "| turns by emotion, where known | 7 | sad | 100% | surprise | 0% | 0.00 |",
        "| dialogues by language | 2 | en | 67% | zh | 33% | 0.92 |",
        "| dialogues by corpus | 1 | queen | 100% | – | – | – |",
        "| dialogues by task | 2 | T1 | 67% | T3 | 33% | 0.92 |",
        "| dialogues by number of turns | 2 | 1 | 67% | 2 | 33% | 0.92 |",
        f"| turns by speaker | 3 | `{ann}` | 50% | `{max(bob, eve)}` | 25% | 0.95 |",
    ]
