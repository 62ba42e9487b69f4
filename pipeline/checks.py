"""What an answer may not say or cite; each check has a code."""

import re
import unicodedata
from collections.abc import Iterable

from ieat.pipeline.answers import QuoteForm, is_refusal
from ieat.pipeline.failures import UnusableAnswer
from ieat.pipeline.quotes import evidence_at, locate
from ieat.schemas.attribution import UNQUOTED_KINDS, CauseKind, Evidence
from ieat.schemas.dialogue import Language
from ieat.schemas.history import HeardTurn, History

MAX_SENTENCE = {Language.EN: 60, Language.ZH: 120}
"""Most words (English) or characters (Chinese) of an event or an appraisal."""
MAX_RESPONSE = {Language.EN: 100, Language.ZH: 180}
"""Most words (English) or characters (Chinese) of a spoken response."""

_LABEL = re.compile(
    r"\b(label(l?ed|l?ing|s)?|tag(ged|s)?|annotat(ed|ion|ions|or)|ground[- ]truth|emotion category)\b"
    r"|标签|标注|注释",
    re.IGNORECASE,
)
_SURROGATE = re.compile(
    r"\b(transcript(ion)?s?|the (given |provided )?(text|passage)|in the text|utterance \d+|turn \[?\d+\]?)\b"
    r"|文本|转写|文字记录|字幕|第\s*\[?\d+\]?\s*轮",
    re.IGNORECASE,
)
_SELF = re.compile(
    r"\b(as an? (ai|assistant|language model|bot)|language model|i am an? (ai|assistant)|i'm an? (ai|assistant)"
    r"|chatgpt|qwen|openai)\b|语言模型|人工智能|我是.{0,4}(助手|AI|机器人)",
    re.IGNORECASE,
)
_MARKUP = re.compile(
    r"</?think|```|^\s*([-*•]|\d+[.)、])\s|\*\*|^#+ |<\|", re.MULTILINE | re.IGNORECASE
)

_VOCAL_CLAIMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("sob", re.compile(r"\b(sob(s|bed|bing)?|weep(s|ing)?|wept|in tears|tearful(ly)?)\b|哽咽|抽泣|啜泣|哭腔|哭着|哭泣", re.I)),
    ("tremble", re.compile(
        r"\b(trembl(es?|ed|ing)|quiver(s|ed|ing)?|shak(y|ing) voice|voice (is |was )?(shak|crack|break)\w*)\b"
        r"|颤抖|发抖|声音发颤", re.I)),
    ("sigh", re.compile(r"\b(sigh(s|ed|ing)?)\b|叹气|叹息|叹了口气", re.I)),
    ("laugh", re.compile(r"\b(laugh(s|ed|ing|ter)?|chuckl(es?|ed|ing)|giggl(es?|ed|ing))\b|大笑|笑着说|笑声", re.I)),
    ("louder", re.compile(
        r"\b(shout(s|ed|ing)?|yell(s|ed|ing)?|scream(s|ed|ing)?|rais(es|ed|ing) (their|his|her) voice|loud(ly)? voice)\b"
        r"|大喊|大叫|吼|提高(了)?(嗓门|音量)", re.I)),
    ("quieter", re.compile(r"\b(whisper(s|ed|ing)?|murmur(s|ed|ing)?|mumbl(es?|ed|ing)|quiet(ly)? voice)\b|低语|小声|轻声|喃喃", re.I)),
    ("faster", re.compile(r"\b(hurried tone|speak(s|ing)? (fast|quickly)|rapid speech)\b|语速(很|变)?快|急促", re.I)),
)  # fmt: skip
_EVENT_STEMS = {
    "sob": ("sob", "cry", "weep", "tear", "哭", "哽咽", "抽泣"),
    "tremble": ("trembl", "quiver", "shak", "颤", "抖"),
    "sigh": ("sigh", "叹"),
    "laugh": ("laugh", "chuckl", "giggl", "笑"),
    "louder": ("shout", "yell", "scream", "喊", "叫", "吼"),
    "quieter": ("whisper", "murmur", "低语"),
    "faster": (),
}
"""Beginnings of the tags of non-speech sounds that hold each claim."""


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
    for claim, pattern in _VOCAL_CLAIMS:
        found = pattern.search(text)
        if found and not any(_holds(claim, pattern, turn) for turn in history.turns):
            raise UnusableAnswer("vocal_claim", f"claims {found.group()!r}, which nothing shows")


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


def _holds(claim: str, pattern: re.Pattern[str], turn: HeardTurn) -> bool:
    """Tell whether a turn's tags, measured voice or own words hold a claim about sound."""
    if turn.cues is not None and claim in turn.cues.words:
        return True
    if any(event.startswith(stem) for event in turn.events for stem in _EVENT_STEMS[claim]):
        return True
    return pattern.search(turn.clean) is not None


def is_in_language(text: str, language: Language) -> bool:
    """Tell by the share of scripts whether a text is in a language; names may be foreign."""
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
