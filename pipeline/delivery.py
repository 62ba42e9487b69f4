"""What a delivery line must be: a line for a synthesizer that describes a voice, without words."""

import re

from ieat.pipeline.failures import UnusableAnswer
from ieat.pipeline.languages import count_words, is_chinese, is_in_language
from ieat.schemas.dialogue import Language

MAX_DELIVERY = {Language.EN: 45, Language.ZH: 80}
"""Most words (English) or characters (Chinese) of a delivery line; half of it is asked for."""
MIN_TRAITS = 2
"""Least different traits where none of the words for voices is there: a single one stands in many
other sentences too. So 2 of 669 turns of DailyDialog and CPED would pass for a delivery line."""
SHARED_RUN = {Language.EN: 4, Language.ZH: 5}
"""Words (English) or characters (Chinese) in a row that quote the response when both hold them."""

_VOICE = re.compile(
    r"\b(?:voice|vocal(?:ly)?|tones?|toned|pitch(?:ed)?|pac(?:e|ed|ing)|tempo|volume|intonation"
    r"|inflection|cadence|timbre)\b"
    r"|语气|语调|语速|语音|语势|声音|嗓音|声调|声线|音量|音调|音色|口吻|口气|腔调",
    re.IGNORECASE,
)
"""Words for voices: a line that holds one speaks of a voice."""
_TRAIT = re.compile(
    r"\b(?:rhythm|speed|speak(?:s|ing)?|spoken|slow(?:ly|er|ing)?|unhurried|quick(?:ly|er)?"
    r"|fast(?:er)?|brisk(?:ly)?|steady|steadily|even(?:ly)?|measured|soft(?:ly|er|ens?|ened)?"
    r"|gentle|gently|tender(?:ly)?|warm(?:ly|er|th)?|low(?:er|ered)?|bright(?:ly|er)?"
    r"|light(?:ly|er)?|firm(?:ly)?|calm(?:ly)?|quiet(?:ly|er)?|hushed|loud(?:ly|er)?|whisper\w*"
    r"|murmur\w*|breath(?:s|e|es|y|ing)?|inhal\w+|exhal\w+|paus(?:e|es|ed|ing)|beats?|silence"
    r"|sigh(?:s|ing)?|smil(?:e|es|ing)|lift(?:s|ed|ing)?|ris(?:e|es|ing)|fall(?:s|ing)?"
    r"|drop(?:s|ped|ping)?|emphasis|stress(?:ed)?|energetic|lively|flat|husky|hesitant(?:ly)?"
    r"|sincere(?:ly)?|trembling)\b"
    r"|节奏|停顿|停一|稍停|一停|停半拍|稍顿|一顿|短顿|留白|呼吸|吸气|吸一口气|呼气|换气|气息|轻声|低声"
    r"|小声|轻柔|柔和|温柔|温和|温暖|平稳|平和|平静|沉稳|稳重|真诚|关切|亲切|舒缓|缓慢|放慢|放缓|慢慢"
    r"|偏慢|稍慢|较慢|轻快|加快|偏快|稍快|明快|明亮|低沉|上扬|下沉|压低|放轻|坚定|有力|重音|尾音|轻轻"
    r"|笑意|叹",
    re.IGNORECASE,
)
"""Traits that a voice may have, and much else too."""
_QUOTATION = re.compile(r"[\"“”„«»「」『』《》]|(?:^|(?<=\s))['‘][^'’]+['’](?=[\s.,;:!?]|$)")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def check_delivery(delivery: str, response: str, language: Language) -> str:
    """Return a delivery line on one line.

    Args:
        delivery: How the response is to be spoken.
        response: The words that are spoken.
        language: Language of the dialogue, in which both are written.

    Raises:
        UnusableAnswer: no_delivery: it is empty, too long or in another language, describes no
            voice, or holds words of the response.
    """
    line = " ".join(delivery.split())
    problem = _find_problem(line, response, language)
    if problem is not None:
        raise UnusableAnswer("no_delivery", f"the delivery line {problem}")
    return line


def _find_problem(line: str, response: str, language: Language) -> str | None:
    if not line:
        return "is empty"
    length = count_words(line, language)
    if length > MAX_DELIVERY[language] or len(line) > 10 * MAX_DELIVERY[language]:
        return f"has {length} words or characters, more than {MAX_DELIVERY[language]}"
    if not is_in_language(line, language):
        return f"is not in {language.value}"
    if _QUOTATION.search(line):
        return "holds a quotation"
    traits = {found.lower() for found in _TRAIT.findall(line)}
    if _VOICE.search(line) is None and len(traits) < MIN_TRAITS:
        return "describes no voice"
    shared = _find_shared_run(line, response, language)
    return None if shared is None else f"holds words of the response: {shared!r}"


def _find_shared_run(line: str, response: str, language: Language) -> str | None:
    """Return words in a row that both texts hold; of a short response, all of it."""
    ours, spoken = _words(line), _words(response)
    size = min(SHARED_RUN[language], len(spoken))
    if not size:
        return None
    runs = {tuple(spoken[at : at + size]) for at in range(len(spoken) - size + 1)}
    for at in range(len(ours) - size + 1):
        run = tuple(ours[at : at + size])
        if run in runs:
            return ("" if language is Language.ZH else " ").join(run)
    return None


def _words(text: str) -> list[str]:
    """Return the words in lower case; each Chinese character is one."""
    found = []
    for word in _WORD.findall(text.lower()):
        found += list(word) if any(map(is_chinese, word)) else [word]
    return found
