"""Nearly the same words are found, in both languages, whatever their order."""

import random

import pytest

from ieat.pipeline.fingerprints import shingles, words_of
from ieat.pipeline.near_duplicates import (
    NUM_PERMUTATIONS,
    NearDuplicate,
    Text,
    choose_bands,
    find_near_duplicates,
)

EN = "the day I lost my bag I was so angry at myself that I walked all the way home in the rain"
ZH = "那天我把包弄丢了,我气得不行,一路淋着雨走回了家,谁也不想理"


def text(name: str, words: str, *, is_kept: bool = False) -> Text:
    return Text(name, is_kept, shingles(words_of(words)))


def found(*texts: Text, threshold: float = 0.8) -> list[tuple[str, str, float]]:
    return [
        (one.text_id, one.original, round(one.similarity, 2))
        for one in find_near_duplicates(texts, threshold)
    ]


@pytest.mark.parametrize("words", [EN, ZH])
def test_the_later_of_two_texts_is_found_with_its_original(words):
    assert found(text("b", words.upper()), text("a", f"{words}!")) == [("b", "a", 1.0)]


def test_a_few_other_words_are_a_near_duplicate_and_many_are_none():
    one_more = f"{EN} again"
    other_end = EN.replace("all the way home in the rain", "to the station and took a train back")
    assert found(text("a", EN), text("b", one_more), text("c", other_end)) == [("b", "a", 0.95)]
    assert found(text("a", ZH), text("b", ZH.replace("谁也不想理", "饭也没吃就睡了"))) == []


def test_the_threshold_is_the_similarity_of_the_texts_themselves():
    pair = (text("a", EN), text("b", f"{EN} again"))
    assert found(*pair, threshold=0.95) == [("b", "a", 0.95)]
    assert found(*pair, threshold=0.96) == []


def test_what_is_held_out_stays_and_is_the_original_whatever_its_id():
    held_out = text("z", EN, is_kept=True)
    assert found(text("a", EN), held_out) == [("a", "z", 1.0)]
    assert found(text("y", EN, is_kept=True), held_out) == []


def test_short_texts_are_alike_by_chance():
    assert found(text("a", "I do not know"), text("b", "I do not know")) == []


def test_a_chain_goes_only_as_far_as_it_is_like_an_original():
    words = [f"w{n}" for n in range(60)]
    chain = [" ".join(words[n : n + 30]) for n in (0, 2, 4, 6)]
    texts = [text(str(n), one) for n, one in enumerate(chain)]
    assert found(*texts) == [("1", "0", 0.87), ("3", "2", 0.87)]


def test_the_order_of_the_texts_makes_no_difference():
    rng = random.Random(3)
    texts = [
        text(f"{n:03d}", " ".join(rng.choice("abcdefgh") for _ in range(40))) for n in range(20)
    ]
    texts += [text(f"copy {n}", EN + " x" * n) for n in range(4)]
    expected = find_near_duplicates(texts, 0.7)
    assert len(expected) == 3
    for _ in range(3):
        rng.shuffle(texts)
        assert find_near_duplicates(texts, 0.7) == expected
    assert expected[0] == NearDuplicate("copy 1", "copy 0", 20 / 21)


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.9, 1.0])
def test_banding_finds_nearly_all_pairs_at_the_threshold(threshold):
    num_bands, num_rows = choose_bands(threshold)
    assert num_bands * num_rows <= NUM_PERMUTATIONS
    assert (1 - threshold**num_rows) ** num_bands <= 0.001
