"""Word errors against the corpus' own words, and how texts are made alike before they are counted.

The normalizer is `ieat-words-1`: Unicode NFKC; tags in square brackets, angle brackets and the
Chinese 【】 removed; lower case; apostrophes within words kept and spelled ', every other mark
of punctuation or symbol a space; numbers left as they are written. English is cut at white
space; Chinese is cut into characters, and runs of Latin letters and digits in it stay whole.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from ieat.schemas.dialogue import Language

NORMALIZER = "ieat-words-1"
"""Name of the normalizer, told with every rate."""

TAG = re.compile(r"\[[^\[\]]*\]|<[^<>]*>|【[^【】]*】")
APOSTROPHE = re.compile(r"(?<=\w)[’‘ʼ`´](?=\w)")
NO_WORD = re.compile(r"(?<!\w)'|'(?!\w)|[^\w']|_")
CHINESE = re.compile(r"[a-z0-9']+|\S")


class WordErrors(NamedTuple):
    """Errors in some turns; words are characters in Chinese."""

    num_errors: int = 0
    """Words put in, left out or exchanged."""
    num_words: int = 0
    """Words of the corpus."""
    num_turns: int = 0
    """Turns that were compared."""

    @property
    def rate(self) -> float | None:
        """Errors per word; null without words."""
        return self.num_errors / self.num_words if self.num_words else None

    def plus(self, other: "WordErrors") -> "WordErrors":
        """Return both together: rates are of all words, not means over turns."""
        return WordErrors(*(ours + theirs for ours, theirs in zip(self, other, strict=True)))


def split_words(text: str, language: Language) -> list[str]:
    """Return the words that are compared; characters for Chinese."""
    plain = TAG.sub(" ", unicodedata.normalize("NFKC", text)).lower()
    plain = APOSTROPHE.sub("'", plain)
    # \w leaves out combining marks and keeps letters and digits of every script.
    plain = NO_WORD.sub(" ", plain)
    return CHINESE.findall(plain) if language is Language.ZH else plain.split()


def count_errors(said: str, heard: str, language: Language) -> WordErrors:
    """Compare one turn.

    Args:
        said: The corpus' own words.
        heard: The recognizer's words.
        language: Language of both.
    """
    wanted, given = split_words(said, language), split_words(heard, language)
    if not wanted:
        return WordErrors()
    return WordErrors(Levenshtein.distance(wanted, given), len(wanted), 1)


def total(counts: Iterable[WordErrors]) -> WordErrors:
    """Sum the counts of turns."""
    found = WordErrors()
    for one in counts:
        found = found.plus(one)
    return found
