"""Checks of what a model is to read, think or say: one text in, its problems out."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from ieat.pipeline.answers import is_refusal
from ieat.pipeline.config import CheckSettings
from ieat.pipeline.languages import (
    count_sentences,
    count_words,
    is_foreign_speech,
    is_in_language,
)
from ieat.pipeline.wordings import (
    BARE_LABEL,
    EMOTION_TAG,
    LABEL,
    MARKUP,
    META,
    SELF,
    SIGNS,
    STAGE_DIRECTION,
    SURROGATE,
    THINK_TAG,
)
from ieat.schemas.dialogue import Language

MAX_CHARACTERS = 40
"""Characters per word beyond which a text is too long, whatever it says."""


class Problem(NamedTuple):
    """What a check finds."""

    code: str
    """What, as a code (docs/codes.md)."""
    message: str
    """What, as a part of a sentence."""


def find_in_response(
    text: str,
    language: Language,
    checks: CheckSettings,
    heard: Collection[str] = (),
    *,
    is_recorded: bool = False,
    is_report: bool = False,
) -> Iterator[Problem]:
    """Yield what keeps a text from being said as an answer.

    Args:
        text: The answer.
        language: The dialogue's language.
        checks: Limits.
        heard: Words of the turns before the answer, which it may take up.
        is_recorded: Whether somebody said it: people switch languages, models do not.
        is_report: Whether it answers a question about the dialogue, not somebody in it: it may
            speak of the user, and its length is for those to judge who asked.
    """
    if not text.strip():
        yield Problem("empty_answer", "a sentence is empty")
        return
    if len(text) > MAX_CHARACTERS * max_words(language, checks):
        # Megabytes would hold up everything else while they are searched.
        yield Problem("too_long", f"has {len(text)} characters")
        return
    for name, wording in (("itself", SELF), ("its task", META)):
        found = None if is_report and wording is META else wording.find(text, heard)
        if found is not None:
            yield Problem("self_reference", f"speaks about {name}: {found!r}")
    yield from find_unspeakable(text)
    if STAGE_DIRECTION.search(text):
        yield Problem("markup", "opens with a stage direction")
    if is_refusal(text):
        yield Problem("refusal", "the answer declines")
    yield from find_named_source(text, heard)
    is_foreign = (
        is_foreign_speech(text, language) if is_recorded else not is_in_language(text, language)
    )
    if is_foreign:
        yield Problem("wrong_language", f"is not in {language.value}")
    if not is_report:
        yield from find_length(text, language, checks)


def find_length(text: str, language: Language, checks: CheckSettings) -> Iterator[Problem]:
    """Yield whether an answer is too long to be said in one go."""
    limit, length = max_words(language, checks), count_words(text, language)
    if length > limit:
        unit = "words" if language is Language.EN else "characters"
        yield Problem(
            "too_long",
            f"has {length} {unit}, more than the {limit} of {checks.max_response_seconds:g} s",
        )
    sentences = count_sentences(text, language)
    if sentences > checks.max_sentences:
        yield Problem("too_long", f"has {sentences} sentences, more than {checks.max_sentences}")


def max_words(language: Language, checks: CheckSettings) -> int:
    """Return the most words (Chinese: characters) of a response."""
    rates = checks.words_per_second
    rate = rates.en if language is Language.EN else rates.zh
    return int(checks.max_response_seconds * rate)


def find_in_thinking(
    text: str, language: Language, heard: Collection[str] = (), quotes: Iterable[str] = ()
) -> Iterator[Problem]:
    """Yield what thinking must not say: it belongs to somebody who heard the dialogue.

    Args:
        text: The thinking.
        language: The dialogue's language.
        heard: Words of the turns up to the target, which it may take up.
        quotes: Evidence that it quotes; what others said is not looked at.
    """
    own = text
    for quote in sorted(set(quotes), key=len, reverse=True):
        # The template leaves out marks at a quote's end.
        own = own.replace(quote.rstrip(".,;。，；") or quote, " ")
    found = THINK_TAG.search(own)
    if found:
        yield Problem("markup", f"the thinking holds {found.group()!r}")
    found = BARE_LABEL.search(own)
    if found:
        yield Problem("label_named", f"the thinking opens with the bare label {found.group()!r}")
    yield from find_named_source(own, heard)
    if not is_in_language(own, language):
        yield Problem("wrong_language", f"the thinking is not in {language.value}")


def find_named_source(text: str, heard: Collection[str]) -> Iterator[Problem]:
    """Yield whether a text speaks of labels or of a transcript in place of what is heard."""
    for code, wording in (("label_named", LABEL), ("surrogate_leak", SURROGATE)):
        found = wording.find(text, heard)
        if found is not None:
            yield Problem(code, f"speaks of {found!r}")


def find_unspeakable(text: str) -> Iterator[Problem]:
    """Yield whether a text holds markup, a list, tags of thinking, or emoji."""
    if MARKUP.search(text):
        yield Problem("markup", "holds markup or a list")
    if not text.isascii() and any(
        unicodedata.category(character) == "So" and character not in SIGNS for character in text
    ):
        yield Problem("markup", "holds emoji")


def find_shown_emotion(text: str, labels: Iterable[str] = ()) -> Iterator[Problem]:
    """Yield whether a text that a model reads gives an emotion away as data.

    Args:
        text: A message of the system or of the user.
        labels: The corpus' own words for emotions, which may be others than the seven.
    """
    found = EMOTION_TAG.search(text)
    if found:
        yield Problem("emotion_shown", f"the student would read {found.group()!r}")
        return
    folded = text.lower()
    for label in sorted(set(labels)):
        if any(f"{opens}{label.lower()}{closes}" in folded for opens, closes in _BRACKETS):
            yield Problem("emotion_shown", f"the student would read the corpus' label {label!r}")
            return


_BRACKETS = (("[", "]"), ("(", ")"), ("<", ">"), ("【", "】"), ("（", "）"))


def restated_share(cause: str, quotes: Iterable[str], language: Language) -> float:
    """Return the share of a cause's content that its quotes hold already; 0 without either.

    Content is the words that are no function words, without inflection and cut to five letters so
    that the forms of a word meet; for Chinese the pairs of neighboring characters.
    """
    content = _content(cause, language)
    quoted: set[str] = set()
    for quote in quotes:
        quoted |= _content(quote, language)
    return len(content & quoted) / len(content) if content and quoted else 0.0


def _content(text: str, language: Language) -> set[str]:
    folded = unicodedata.normalize("NFKC", text).lower()
    if language is Language.EN:
        kept = "".join(c if c.isalnum() else "" if c in "'’" else " " for c in folded)
        return {
            _INFLECTION.sub("", word)[:5] for word in kept.split() if word not in _FUNCTION_WORDS
        }
    parts = "".join(c if c.isalnum() else " " for c in folded).split()
    return {part[at : at + 2] for part in parts for at in range(max(len(part) - 1, 1))}


_INFLECTION = re.compile(r"(?<=\w{3})(?:ing|ed|es|s)\Z")
_SMALL = (
    "a an the and or but if so as at by for from in into of off on onto out over to up with "
    "about after before than then that this these those there here it its is am are was were "
    "be been being do does did done have has had having will would shall should can could may "
    "might must i me my mine we us our ours you your yours he him his she her hers they them "
    "their theirs who whom whose which what when where why how not no nor too very just also "
    "only even still im ive id ill youre hes shes theyre theyve weve dont didnt doesnt isnt "
    "arent wasnt cant couldnt wont wouldnt say says said tell tells told"
)
"""English words that carry no content of a cause, without apostrophes."""

_FUNCTION_WORDS = frozenset(_SMALL.split())
