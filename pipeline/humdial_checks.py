"""What an answer of T1 or T2 must hold; each check has a code, and thresholds come with it."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby

from ieat.pipeline.emotion_vocabulary import WORDS, emotion_words, find_mentions
from ieat.pipeline.failures import UnusableAnswer
from ieat.pipeline.languages import is_chinese
from ieat.pipeline.quotes import locate
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion
from ieat.schemas.history import History

_QUOTED = re.compile(r"“([^“”]+)”|\"([^\"]+)\"|「([^「」]+)」")
_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)?", re.IGNORECASE)
_EMPTY = {
    Language.EN: (
        "about after again also although always around because become been before being both came"
        " come could does done down each else even ever every feel feeling feelings felt find first"
        " from give goes have having here into itself just know like made make many maybe more most"
        " much must never only other ours over people really said same shall should since some"
        " someone something still such sure take tell than that their them then there these they"
        " thing things think this those though through time told turned under until very want went"
        " were what when where which while will with within without would your yours yourself"
        " themselves theirs"
    ),
    Language.ZH: (
        "因为 所以 但是 可是 然后 后来 时候 觉得 感到 感觉 情绪 心情 现在 这个 那个 这样 那样 什么"
        " 怎么 自己 我们 他们 她们 你们 一个 一直 已经 还是 没有 不是 就是 可以 可能 知道 对方 用户"
        " 说话 起来 出来 的时 一下 开始 变得 转为 这件 件事 的事 事情 你的 我的 让你 让我 你在 我在"
    ),
}
"""English words and pairs of Chinese characters that tie an answer to nothing."""
_STEM = 4
"""Letters by which English words are compared, so that inflections are the same word."""


def check_trajectory_words(answer: str, sequence: Sequence[Emotion], history: History) -> None:
    """Check that an answer names exactly the emotions of the sequence, in order.

    What stands in quotation marks and is said in the dialogue is the speaker's own wording.

    Raises:
        UnusableAnswer: t1_addition, t1_vocab_deviation, t1_omission or t1_order.
    """
    mentions = find_mentions(_without_quotes(answer, history), history.language)
    names = WORDS[history.language]
    for mention in mentions:
        if mention.emotion not in sequence:
            raise UnusableAnswer("t1_addition", f"names {mention.word!r}, which is not in the path")
    for mention in mentions:
        if not mention.is_closed and mention.emotion is not None:
            raise UnusableAnswer(
                "t1_vocab_deviation", f"says {mention.word!r} for {names[mention.emotion]!r}"
            )
    named = [emotion for emotion, _ in groupby(mention.emotion for mention in mentions)]
    for emotion in dict.fromkeys(sequence):
        if named.count(emotion) < list(sequence).count(emotion):
            raise UnusableAnswer("t1_omission", f"leaves out {names[emotion]!r}")
    rest = iter(named)
    is_in_order = all(emotion in rest for emotion in sequence)
    if not is_in_order or list(dict.fromkeys(named)) != list(dict.fromkeys(sequence)):
        raise UnusableAnswer("t1_order", "names the emotions in another order than the path")


def check_trajectory_tied(
    answer: str,
    runs: Iterable[tuple[Emotion, Sequence[str]]],
    language: Language,
    least: float,
) -> None:
    """Check that the answer takes up what each emotion is tied to; neutral ones need nothing.

    Args:
        answer: The answer.
        runs: Emotions of the sequence, each with its events and quotes.
        language: Its language.
        least: Least share of the emotions that must be tied.

    Raises:
        UnusableAnswer: t1_untied.
    """
    felt = _telling((texts for emotion, texts in runs if emotion is not Emotion.NEUTRAL), language)
    tied = sum(any(is_tied(answer, text, language) for text in texts) for texts in felt)
    if tied < least * len(felt):
        raise UnusableAnswer("t1_untied", f"ties {tied} of {len(felt)} emotions to an event")


def check_reasons_evidence(evidence_turns: Iterable[int], num_possible: int) -> None:
    """Check that the causes quote at least two turns, where the dialogue has them.

    Raises:
        UnusableAnswer: t2_one_turn.
    """
    found = set(evidence_turns)
    if len(found) < min(2, num_possible):
        raise UnusableAnswer("t2_one_turn", f"quotes {len(found)} turn of {num_possible}")


def check_chain(
    answer: str,
    conclusion: str,
    arguments: Sequence[str],
    takeaway: str,
    language: Language,
    min_arguments: int,
) -> None:
    """Check that conclusion, arguments and takeaway are there, and in the answer.

    Raises:
        UnusableAnswer: t2_chain.
    """
    if len(arguments) < min_arguments:
        raise UnusableAnswer("t2_chain", f"has {len(arguments)} arguments, not {min_arguments}")
    if len({text.strip() for text in (conclusion, *arguments, takeaway)}) < len(arguments) + 2:
        raise UnusableAnswer("t2_chain", "says the same thing twice")
    for name, text in (("conclusion", conclusion), ("takeaway", takeaway)):
        if not is_tied(answer, text, language):
            raise UnusableAnswer("t2_chain", f"the answer lacks the {name}")
    if not any(is_tied(answer, text, language) for text in arguments):
        raise UnusableAnswer("t2_chain", "the answer lacks the arguments")


def check_reasons_tied(
    answer: str, causes: Sequence[Sequence[str]], language: Language, least: float
) -> None:
    """Check that the answer takes up the causes.

    Args:
        answer: The answer.
        causes: Wording and quotes of each cause.
        language: Its language.
        least: Least share of the causes that must be taken up.

    Raises:
        UnusableAnswer: t2_untied.
    """
    telling = _telling(causes, language)
    tied = sum(any(is_tied(answer, text, language) for text in texts) for texts in telling)
    if tied < least * len(telling):
        raise UnusableAnswer("t2_untied", f"takes up {tied} of {len(telling)} causes")


def check_root_cause(
    root_cause: str, quotes: Iterable[str], language: Language, most: float
) -> None:
    """Check that the root cause is more than what the user said.

    Raises:
        UnusableAnswer: t2_restated.
    """
    wanted = content_of(root_cause, language)
    said = {part for quote in quotes for part in content_of(quote, language)}
    if wanted and len(wanted & said) > most * len(wanted):
        raise UnusableAnswer("t2_restated", "the root cause says what the quotes say already")


def _telling(units: Iterable[Sequence[str]], language: Language) -> list[Sequence[str]]:
    """Return those with a word of content: to others, such as a bare "oh", nothing can be tied."""
    return [texts for texts in units if any(content_of(text, language) for text in texts)]


def is_tied(answer: str, text: str, language: Language) -> bool:
    """Tell whether two texts share a word of content; one without any is tied to nothing."""
    return bool(content_of(answer, language) & content_of(text, language))


def content_of(text: str, language: Language) -> frozenset[str]:
    """Return the words of content: stems in English, pairs of characters in Chinese.

    Names of feelings are left out: they tie an answer to no event.
    """
    empty = _empty_words(language)
    if language is Language.EN:
        words = (found.group().lower() for found in _WORD.finditer(text))
        return frozenset(
            word[:_STEM]
            for word in words
            if len(word) > 3 and word not in empty and word not in emotion_words(language)
        )
    for word in sorted(emotion_words(language), key=len, reverse=True):
        text = text.replace(word, " ")
    pairs = (text[at : at + 2] for at in range(len(text) - 1))
    return frozenset(pair for pair in pairs if all(map(is_chinese, pair)) and pair not in empty)


@cache
def _empty_words(language: Language) -> frozenset[str]:
    return frozenset(_EMPTY[language].split())


def _without_quotes(answer: str, history: History) -> str:
    """Return an answer without what it quotes from the dialogue."""

    def keep(found: re.Match[str]) -> str:
        quoted = next(part for part in found.groups() if part is not None)
        is_said = any(locate(quoted.strip(" .,。，"), turn.clean) for turn in history.turns)
        return " " if is_said else found.group()

    return _QUOTED.sub(keep, answer)
