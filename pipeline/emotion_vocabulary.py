"""The seven emotions as words of an answer, and finding emotion words in a text.

An answer of T1 names emotions by a closed vocabulary: the official rubric marks down a synonym
("excited" for happy) as a deviation, and any other feeling ("anxiety") as an addition.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion

WORDS: Mapping[Language, Mapping[Emotion, str]] = {
    Language.EN: {emotion: emotion.value for emotion in Emotion},
    Language.ZH: {
        Emotion.HAPPY: "开心",
        Emotion.SAD: "悲伤",
        Emotion.ANGER: "愤怒",
        Emotion.FEAR: "恐惧",
        Emotion.NEUTRAL: "平静",
        Emotion.SURPRISE: "惊讶",
        Emotion.DISGUST: "厌恶",
    },
}
"""How an answer names each emotion; English has the tags of HumDial themselves."""

ANCHORS = {Language.EN: "Emotion sequence: ", Language.ZH: "情绪序列: "}
"""Start of the line that gives the sequence alone."""

_FORMS: Mapping[Language, Mapping[Emotion, str]] = {
    Language.EN: {
        Emotion.HAPPY: "happy happiness happily happier",
        Emotion.SAD: "sad sadness sadly sadder",
        Emotion.ANGER: "anger angry angrily angered",
        Emotion.FEAR: "fear fears fearful feared",
        Emotion.NEUTRAL: "neutral neutrality",
        Emotion.SURPRISE: "surprise surprised surprising",
        Emotion.DISGUST: "disgust disgusted disgusting",
    },
    Language.ZH: {
        Emotion.HAPPY: "开心 高兴",
        Emotion.SAD: "悲伤 难过",
        Emotion.ANGER: "愤怒 生气",
        Emotion.FEAR: "恐惧 害怕",
        Emotion.NEUTRAL: "平静 中性",
        Emotion.SURPRISE: "惊讶",
        Emotion.DISGUST: "厌恶",
    },
}
"""Words of the closed vocabulary: the tag, its inflections, and in Chinese its plain names."""

_SYNONYMS: Mapping[Language, Mapping[Emotion, str]] = {
    Language.EN: {
        Emotion.HAPPY: "excited excitement joy joyful joyous glad delighted delight cheerful elated"
        " thrilled pleased ecstatic overjoyed",
        Emotion.SAD: "unhappy unhappiness sorrow sorrowful grief depressed depression heartbroken"
        " miserable disappointed disappointment upset dejected despair hopeless heartache",
        Emotion.ANGER: "furious fury rage enraged outrage outraged irritated irritation annoyed"
        " annoyance frustrated frustration resentful resentment indignant indignation",
        Emotion.FEAR: "afraid scared frightened terrified terror panic panicked dread alarmed",
        Emotion.NEUTRAL: "calm calmly calmness composed indifferent indifference",
        Emotion.SURPRISE: "astonished astonishment amazed amazement shocked shock startled stunned",
        Emotion.DISGUST: "revolted revulsion repulsed repulsion loathing contempt",
    },
    Language.ZH: {
        Emotion.HAPPY: "快乐 喜悦 兴奋 激动 欣喜 愉快 欢喜 喜出望外 欣慰",
        Emotion.SAD: "伤心 沮丧 失落 失望 忧伤 悲痛 低落 委屈 心酸 不开心 不高兴 绝望 消沉",
        Emotion.ANGER: "恼火 恼怒 气愤 火大 暴怒 不满 烦躁 愤慨",
        Emotion.FEAR: "惊恐 恐慌 惧怕 畏惧 胆怯",
        Emotion.NEUTRAL: "冷静 平和 淡定 平淡 镇定 中立 平稳",
        Emotion.SURPRISE: "吃惊 诧异 惊奇 震惊 惊喜",
        Emotion.DISGUST: "反感 恶心 讨厌 嫌弃",
    },
}
"""Words that mean about the same as an emotion and are not its name."""

_OTHERS: Mapping[Language, str] = {
    Language.EN: "anxiety anxious worry worried worries nervous nervousness stressed guilt guilty"
    " shame ashamed jealous jealousy envy envious lonely loneliness embarrassed embarrassment"
    " hopeful relief relieved grateful gratitude pride confused confusion regret overwhelmed"
    " helpless helplessness nostalgic bored boredom",
    Language.ZH: "焦虑 担心 担忧 紧张 不安 忧虑 羞愧 内疚 愧疚 自责 嫉妒 孤独 孤单 尴尬 无助 迷茫"
    " 困惑 后悔 无奈 压抑 感激 释然 放松 安心 自豪",
}
"""Feelings outside the seven."""

_NEGATED = {
    Language.EN: re.compile(r"\b(not|never|no longer|without|isn['’]t|wasn['’]t)\s+$", re.I),
    Language.ZH: re.compile(r"(不再|没有|并不|不)$"),
}


class Mention(NamedTuple):
    """An emotion word in a text."""

    word: str
    """The word as it is written there."""
    emotion: Emotion | None
    """The emotion that it means; null for a feeling outside the seven."""
    is_closed: bool
    """Whether it belongs to the closed vocabulary."""


def find_mentions(text: str, language: Language) -> tuple[Mention, ...]:
    """Return the emotion words of a text in order; those that are denied are left out."""
    meanings = _meanings(language)
    return tuple(
        Mention(found.group(), *meanings[found.group().lower()])
        for found in _pattern(language).finditer(text)
        if not _NEGATED[language].search(text[: found.start()])
    )


def anchor_line(sequence: Iterable[Emotion], language: Language) -> str:
    """Return a sequence of emotions as one line, such as `情绪序列: 愤怒 -> 平静`."""
    return ANCHORS[language] + " -> ".join(WORDS[language][emotion] for emotion in sequence)


def emotion_words(language: Language) -> frozenset[str]:
    """Return every word that names a feeling, in lower case."""
    return frozenset(_meanings(language))


@cache
def _meanings(language: Language) -> dict[str, tuple[Emotion | None, bool]]:
    meanings: dict[str, tuple[Emotion | None, bool]] = dict.fromkeys(
        _OTHERS[language].split(), (None, False)
    )
    for table, is_closed in ((_SYNONYMS, False), (_FORMS, True)):
        for emotion, words in table[language].items():
            meanings |= dict.fromkeys(words.split(), (emotion, is_closed))
    return meanings


@cache
def _pattern(language: Language) -> re.Pattern[str]:
    # The longest word first: 不开心 is no 开心.
    words = "|".join(sorted(_meanings(language), key=lambda word: (-len(word), word)))
    return re.compile(rf"\b(?:{words})\b" if language is Language.EN else words, re.IGNORECASE)
