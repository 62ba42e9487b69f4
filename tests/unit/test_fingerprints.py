"""Words and sound as they are compared."""

import numpy as np
import pytest

from ieat.pipeline.fingerprints import (
    has_length,
    hash_grams,
    hash_sound,
    hash_words,
    is_chinese,
    shingles,
    words_of,
)

LONG = tuple(f"w{n}" for n in range(13))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("I'm sure: it's JOE's!", "Im sure its joes"),
        ("I 'm sure , it 's Joe 's", "i’m sure it’s joe’s"),
        ("[sigh] Well <laughter> no", "well no"),
        ("ＡＢＣ １２", "abc 12"),
        ("我【笑】真的,很生气!", "我真的很生气"),
        ("Straße", "STRASSE"),
    ],
)
def test_case_marks_and_forms_of_a_text_make_no_difference(text, other):
    assert words_of(text) == words_of(other) != ()


def test_chinese_is_cut_into_characters_and_latin_in_it_stays_whole():
    assert words_of("我爱iPhone 15") == ("我", "爱", "iphone", "15")
    assert is_chinese(words_of("我爱你iPhone"))
    assert not is_chinese(words_of("I love 北京 very much"))
    assert not is_chinese(())


def test_traditional_characters_stay_other_characters():
    assert words_of("愛") != words_of("爱")


def test_a_length_is_counted_in_words_or_in_characters():
    assert has_length(words_of("a b c"), 3, 9)
    assert not has_length(words_of("我爱你"), 3, 9)


def test_hashes_tell_words_apart_and_are_the_same_everywhere():
    assert hash_words(("a", "b")) == hash_words(["a", "b"]) == "bb37dea5c027f928"
    assert hash_words(("ab",)) != hash_words(("a", "b"))


def test_a_gram_is_13_words_or_20_characters():
    assert list(hash_grams(LONG[:12])) == []
    assert list(hash_grams(LONG)) == [hash_words(LONG)]
    assert len(list(hash_grams((*LONG, "more")))) == 2
    assert len(list(hash_grams(tuple("我" * 19)))) == 0
    assert len(list(hash_grams(tuple("我" * 20)))) == 1


def test_shingles_are_sets_of_3_words_or_5_characters():
    assert len(shingles(LONG)) == 11
    assert len(shingles(LONG + LONG)) == 13
    assert (np.diff(shingles(LONG).astype(int)) > 0).all()
    assert len(shingles(tuple("我爱北京天安门"))) == 3
    assert shingles(("a", "b")).size == 0


def test_equal_samples_have_equal_hashes_whatever_lies_beyond_16_bits():
    samples = np.array([0.0, 0.5, -1.0, 2.0], np.float32)
    assert hash_sound(samples) == hash_sound(samples + np.float32(1e-6))
    assert hash_sound(samples) == hash_sound(np.clip(samples, -1, 1))
    assert hash_sound(samples) != hash_sound(samples[::-1])
    assert len(hash_sound(samples)) == 32
