"""What is left of words and sound when they are compared: normalized, hashed, never told."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ieat.pipeline.ports import Samples

NORMALIZATION = 1
"""Version of how words and sound are normalized and hashed; hashes of other versions differ."""

GRAM_WORDS = 13
"""Words of an n-gram. What shares 13 words in a row is taken for the same text by Brown et al.
2020 (GPT-3, appendix C). Of 10,853 unrelated comments of GoEmotions one shares as many with
43,410 others, a quotation; 8 words would be 19."""
GRAM_CHARACTERS = 20
"""Characters of a Chinese n-gram: 13 words of 1.5 characters."""

SHINGLE_WORDS = 3
"""Words of a shingle of a near duplicate."""
SHINGLE_CHARACTERS = 5
"""Characters of a Chinese one."""

Shingles = npt.NDArray[np.uint32]
"""Hashes of the stretches of a text, sorted, each once; shape (num_shingles,)."""

_CHINESE = "\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TAG = re.compile(r"\[[^\[\]]*\]|<[^<>]*>|【[^【】]*】")
# Tokenized corpora set apostrophes apart (`I 'm`); with or without, it is the same word.
_APOSTROPHE = re.compile(r"(?<=\w)\s?['’‘ʼ`´]\s?(?=\w)")
_WORD = re.compile(rf"[{_CHINESE}]|[^\W_{_CHINESE}]+")
_CHINESE_CHARACTER = re.compile(rf"[{_CHINESE}]")


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text as they are compared; every Chinese character is one.

    Tags in brackets, case, punctuation and Unicode's compatibility forms make no difference.
    Traditional and simplified characters stay apart.
    """
    plain = unicodedata.normalize("NFKC", _TAG.sub(" ", text)).casefold()
    return tuple(_WORD.findall(_APOSTROPHE.sub("", plain)))


def is_chinese(words: Sequence[str]) -> bool:
    """Tell whether more than half of the words are Chinese characters."""
    return 2 * sum(_CHINESE_CHARACTER.fullmatch(word) is not None for word in words) > len(words)


def has_length(words: Sequence[str], least_words: int, least_characters: int) -> bool:
    """Tell whether there are so many words, or characters where they are Chinese."""
    return len(words) >= (least_characters if is_chinese(words) else least_words)


def hash_words(words: Sequence[str]) -> str:
    """Return 64 bits of a hash of the words in their order, hexadecimal."""
    joined = " ".join(words).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(joined, digest_size=8).hexdigest()


def hash_grams(words: Sequence[str]) -> Iterator[str]:
    """Yield the hash of every n-gram, none for a text that is shorter than one."""
    size = GRAM_CHARACTERS if is_chinese(words) else GRAM_WORDS
    for start in range(len(words) - size + 1):
        yield hash_words(words[start : start + size])


def shingles(words: Sequence[str]) -> Shingles:
    """Return the hashes of all stretches of 3 words or 5 Chinese characters, each once, sorted."""
    size = SHINGLE_CHARACTERS if is_chinese(words) else SHINGLE_WORDS
    hashes = {
        int(hash_words(words[start : start + size])[:8], 16)
        for start in range(len(words) - size + 1)
    }
    return np.array(sorted(hashes), np.uint32)


def hash_sound(samples: Samples) -> str:
    """Return 128 bits of the SHA-256 of samples as 16-bit integers, hexadecimal.

    Args:
        samples: Mono float32 at 16 kHz, shape (num_samples,).
    """
    whole = np.clip(np.round(samples * 32768.0), -32768, 32767).astype("<i2")
    return hashlib.sha256(whole.tobytes()).hexdigest()[:32]
