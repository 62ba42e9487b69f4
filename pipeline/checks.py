"""What an answer may not say or cite; each check has a code."""

import re
import unicodedata
from collections.abc import Iterable, Set

from rapidfuzz import fuzz

from ieat.pipeline.answers import QuoteForm, is_refusal
from ieat.pipeline.failures import UnusableAnswer
from ieat.pipeline.quotes import evidence_at, locate
from ieat.pipeline.vocal_claims import find_unheld_claim
from ieat.schemas.attribution import UNQUOTED_KINDS, CauseKind, Evidence
from ieat.schemas.dialogue import Language
from ieat.schemas.history import History

MAX_SENTENCE = {Language.EN: 60, Language.ZH: 120}
"""Most words (English) or characters (Chinese) of an event or an appraisal."""
MAX_RESPONSE = {Language.EN: 100, Language.ZH: 180}
"""Most words (English) or characters (Chinese) of a spoken response."""

MAX_CHARACTERS = 40
"""Characters per word beyond which a text is too long, whatever it says."""

MAX_LIKENESS = 80.0
"""Percent of likeness (normalized Indel) from which a sentence is a copy of an example's: other
words for two things of ten, or a new end, still are."""

_LABEL = re.compile(
    r"\b(label(l?ed|l?ing|s)?|tag(ged|s)?|annotat(ed|ion|ions|or)|ground[- ]truth"
    r"|emotion category)\b|标签|标注|注释",
    re.IGNORECASE,
)
_SURROGATE = re.compile(
    r"\b(transcript(ion)?s?|the (given |provided )?(text|passage)|in the text"
    r"|utterance \d+|turn \[?\d+\]?)\b"
    r"|文本|转写|文字记录|字幕|第\s*\[?\d+\]?\s*轮",
    re.IGNORECASE,
)
_SELF = re.compile(
    r"\b(as an? (ai|assistant|language model|bot)|language model"
    r"|i( am|'m|’m) an? (ai|assistant|bot)|chatgpt|qwen|openai)\b"
    r"|语言模型|人工智能|我是.{0,4}(助手|AI|机器人)",
    re.IGNORECASE,
)
_MARKUP = re.compile(
    r"</?think|```|^\s*([-*•]|\d+[.)、])\s|\*\*|^#+ |<\|", re.MULTILINE | re.IGNORECASE
)


def check_evidence(
    quotes: Iterable[QuoteForm], history: History, kind: CauseKind | None
) -> tuple[Evidence, ...]:
    """Return the quotes as evidence with offsets and sound.

    Raises:
        UnusableAnswer: evidence_missing, future_evidence, evidence_turn_unknown or
            span_not_verbatim.
    """
    evidence = []
    for quote in quotes:
        if quote.turn > history.last.turn_index:
            raise UnusableAnswer(
                "future_evidence", f"cites turn {quote.turn}, after turn {history.last.turn_index}"
            )
        turn = history.turn(quote.turn)
        if turn is None:
            raise UnusableAnswer("evidence_turn_unknown", f"cites turn {quote.turn}, not shown")
        offsets = locate(quote.quote, turn.clean)
        if offsets is None:
            raise UnusableAnswer(
                "span_not_verbatim", f"a quote does not stand in turn {quote.turn}"
            )
        evidence.append(evidence_at(turn, *offsets))
    if not evidence and kind not in UNQUOTED_KINDS:
        raise UnusableAnswer("evidence_missing", "there is no evidence")
    return tuple(dict.fromkeys(evidence))


def check_cause_text(text: str, history: History) -> None:
    """Check an event or an appraisal.

    Raises:
        UnusableAnswer: refusal, label_named, surrogate_leak, vocal_claim, wrong_language,
            too_long, markup or empty_answer.
    """
    _check_text(text, history, MAX_SENTENCE[history.language])
    claim = find_unheld_claim(text, history)
    if claim is not None:
        raise UnusableAnswer("vocal_claim", f"claims {claim!r}, which nothing shows")


def check_not_copied(text: str, examples: Set[str]) -> None:
    """Check that a sentence is not one of the examples in the prompt.

    Args:
        text: An event or an appraisal.
        examples: Sentences of the prompt's example answers.

    Raises:
        UnusableAnswer: example_copied.
    """
    said = _plain(text)
    for example in examples:
        shown = _plain(example)
        if shown and (fuzz.ratio(said, shown) >= MAX_LIKENESS or shown in said):
            raise UnusableAnswer("example_copied", f"repeats an example of the prompt: {example!r}")


def _plain(text: str) -> str:
    """Return letters, digits and single spaces only, lower case."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())


def check_response_text(text: str, history: History) -> None:
    """Check a written response.

    Raises:
        UnusableAnswer: refusal, self_reference, label_named, surrogate_leak, wrong_language,
            too_long, markup or empty_answer.
    """
    found = _SELF.search(text)
    if found and not any(_SELF.search(turn.clean) for turn in history.turns):
        raise UnusableAnswer("self_reference", f"speaks about itself: {found.group()!r}")
    if any(unicodedata.category(character) == "So" for character in text):
        raise UnusableAnswer("markup", "holds emoji")
    _check_text(text, history, MAX_RESPONSE[history.language])


def _check_text(text: str, history: History, limit: int) -> None:
    if not text.strip():
        raise UnusableAnswer("empty_answer", "a sentence is empty")
    if len(text) > MAX_CHARACTERS * limit:
        # Megabytes would hold up everything else while they are searched.
        raise UnusableAnswer("too_long", f"has {len(text)} characters")
    if is_refusal(text):
        raise UnusableAnswer("refusal", "the answer declines")
    if _MARKUP.search(text):
        raise UnusableAnswer("markup", "holds markup or a list")
    for code, pattern in (("label_named", _LABEL), ("surrogate_leak", _SURROGATE)):
        found = pattern.search(text)
        # A dialogue may be about record labels or price tags.
        if found and not any(found.group().lower() in turn.clean.lower() for turn in history.turns):
            raise UnusableAnswer(code, f"speaks of {found.group()!r}")
    if not is_in_language(text, history.language):
        raise UnusableAnswer("wrong_language", f"is not in {history.language.value}")
    length = count_words(text, history.language)
    if length > limit:
        raise UnusableAnswer("too_long", f"has {length} words or characters, more than {limit}")


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


def is_chinese(character: str) -> bool:
    """Tell whether a character is a Chinese one."""
    return unicodedata.name(character, "").startswith(("CJK UNIFIED", "CJK COMPATIBILITY IDEO"))


def count_words(text: str, language: Language) -> int:
    """Return the number of words, or for Chinese the number of letters and digits."""
    if language is Language.EN:
        return len(text.split())
    return sum(character.isalnum() for character in text)
