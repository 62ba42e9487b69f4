"""Tell languages apart by their scripts, and count words and sentences in each."""

import re
import unicodedata

from ieat.schemas.dialogue import Language

MIN_FOREIGN = 12
"""Latin letters from which Chinese speech without a Chinese character is another language; a
borrowed "OK" or "bye bye" is none."""

_NO_END = "".join(
    rf"(?<!\b{title}{space})" for title in ("Mr", "Mrs", "Ms", "Dr") for space in ("", " ")
)
_ENDS = {
    # A point after a title ends no sentence, also where a corpus puts a space before it.
    Language.EN: re.compile(rf"{_NO_END}[.!?]+[\"'”’)]*(?:\s+|$)"),
    Language.ZH: re.compile(r"[。！？!?…；]+|\.{2,}"),
}


def is_in_language(text: str, language: Language) -> bool:
    """Tell by the share of scripts whether a text is in a language; names may be foreign."""
    if text.isascii():
        # Names of characters are slow to look up, and these are all Latin.
        return language is Language.EN and any(map(str.isalpha, text))
    letters = [character for character in text if character.isalpha()]
    if not letters:
        return False
    chinese = sum(map(is_chinese, letters))
    if language is Language.ZH:
        # A Chinese character carries about as much as two Latin letters of a foreign name.
        return chinese * 2 >= len(letters) - chinese
    latin = sum("LATIN" in unicodedata.name(character, "") for character in letters)
    return latin >= 0.8 * len(letters)


def is_foreign_speech(words: str, language: Language) -> bool:
    """Tell whether words that somebody said are clearly not in a language.

    Speakers switch between languages, so only words without any of the language's own script, or
    English mostly in another script, count; numbers and marks alone count as nothing.
    """
    letters = [character for character in words if character.isalpha()]
    if not letters or (language is Language.EN and words.isascii()):
        return False
    if language is Language.ZH:
        return len(letters) >= MIN_FOREIGN and not any(map(is_chinese, letters))
    latin = sum("LATIN" in unicodedata.name(character, "") for character in letters)
    return latin * 2 < len(letters)


def is_chinese(character: str) -> bool:
    """Tell whether a character is a Chinese one."""
    return unicodedata.name(character, "").startswith(("CJK UNIFIED", "CJK COMPATIBILITY IDEO"))


def count_words(text: str, language: Language) -> int:
    """Return the number of words, or for Chinese the number of letters and digits."""
    if language is Language.EN:
        return len(text.split())
    return sum(character.isalnum() for character in text)


def count_sentences(text: str, language: Language) -> int:
    """Return the number of sentences; parts without a letter or digit are none."""
    return sum(any(map(str.isalnum, part)) for part in _ENDS[language].split(text))
