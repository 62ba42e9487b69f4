"""Words that name an emotion, and a text with all of them covered."""

import re

from ieat.schemas.emotion import Emotion

COVER = "[...]"
"""What stands in the place of a word that names an emotion."""

ENGLISH: dict[Emotion, str] = {
    Emotion.HAPPY: (
        "(?:un)?happ(?:y|ily|ier|iest|iness) joy(?:s|ful|fully|ous|ously)? glad(?:ly|ness)? "
        "delight(?:s|ed|ful)? (?:dis)?pleas(?:ed|ure) cheer(?:ful|fully|fulness|y) "
        "excit(?:ed|edly|ement|ing) thrill(?:ed|ing) elat(?:ed|ion) overjoyed "
        "ecsta(?:tic|sy) jubila(?:nt|tion) bliss(?:ful)? amus(?:ed|ement) proud(?:ly)? "
        "pride relie(?:ved|f) grateful gratitude content(?:ed|ment) "
        "(?:dis)?satisf(?:ied|action) hopeful"
    ),
    Emotion.SAD: (
        "sad(?:ly|ness|der|dened|dening)? sorrow(?:s|ful|fully)? grie(?:f|ve|ves|ved|ving) "
        "depress(?:ed|ing|ion) heart-?br(?:oken|eaking|eak) miserabl[ey] misery gloom(?:y)? "
        "melanchol(?:y|ic) mourn(?:s|ed|ing|ful)? upset(?:s|ting)? "
        "disappoint(?:ed|ing|ment) despair(?:s|ed|ing)? hopeless(?:ly|ness)? "
        "lonel(?:y|iness) dejected down-?hearted devastat(?:ed|ing) regret(?:s|ted|ful)? "
        "guilt(?:y)? ashamed shame"
    ),
    Emotion.ANGER: (
        "ang(?:er|ers|ered|ry|rily|rier) mad(?:ly|ness|dening)? fur(?:y|ious|iously) "
        "rag(?:e|es|ed|ing) enrag(?:ed|ing) outrag(?:e|ed|eous) annoy(?:s|ed|ing|ance)? "
        "irritat(?:es|ed|ing|ion) irritabl[ey] frustrat(?:es|ed|ing|ion) "
        "resent(?:s|ed|ful|ment)? indigna(?:nt|tion) offended livid hostil(?:e|ity) "
        "exasperat(?:ed|ing|ion) wrath"
    ),
    Emotion.FEAR: (
        "fear(?:s|ed|ful|fully|ing)? afraid scar(?:ed|es|y|ing) fright(?:ened|ening)? "
        "terrif(?:ied|ies|ying) terror anxi(?:ous|ously|ety) worr(?:y|ies|ied|ying) "
        "nervous(?:ly|ness)? panic(?:s|ked|king|ky)? dread(?:s|ed|ful|ing)? horrified "
        "horror uneas(?:y|e|iness) alarm(?:ed|ing) apprehensi(?:ve|on) insecure"
    ),
    Emotion.NEUTRAL: ("neutral(?:ly|ity)? calm(?:ly|ness|er)? indifferent"),
    Emotion.SURPRISE: (
        "surpris(?:e|es|ed|ing|ingly) astonish(?:ed|ing|ment) amaz(?:ed|ing|ement) "
        "shock(?:s|ed|ing)? startl(?:ed|es|ing) stunned astound(?:ed|ing) dumbfounded "
        r"taken\saback flabbergasted incredul(?:ous|ity)"
    ),
    Emotion.DISGUST: (
        "disgust(?:s|ed|ing)? revolt(?:ed|ing) revulsion repuls(?:ed|ive|ion) sickened "
        "nause(?:a|ous|ated|ating) loath(?:es?|ed|ing) abhor(?:s|red|rent)? "
        r"contempt(?:uous)? grossed\sout averse aversion"
    ),
}
"""Patterns of English words, whole words in any case, by the emotion that they name."""

CHINESE: dict[Emotion, str] = {
    Emotion.HAPPY: (
        "开心 高兴 快乐 喜悦 愉快 愉悦 欣喜 欢喜 欢乐 兴奋 激动 惊喜 幸福 满足 满意 欣慰 "
        "得意 自豪 骄傲 感激 庆幸 松了一口气 痛快 乐呵"
    ),
    Emotion.SAD: (
        "难过 伤心 悲伤 悲痛 悲哀 难受 沮丧 失落 忧伤 忧郁 抑郁 郁闷 痛苦 痛心 心碎 心酸 "
        "心痛 失望 绝望 委屈 孤独 孤单 哀伤 遗憾 后悔 内疚 愧疚 自责 消沉 低落 灰心"
    ),
    Emotion.ANGER: (
        "生气 愤怒 气愤 恼火 恼怒 愤恨 愤慨 发火 发怒 暴怒 怒火 怒气 怒 火大 窝火 烦躁 恼 "
        "怨恨 不满 不爽 不耐烦 气死 气坏 来气 厌烦 愤愤不平"
    ),
    Emotion.FEAR: (
        "害怕 恐惧 惧怕 恐慌 惊恐 惊慌 惊吓 担心 担忧 忧虑 焦虑 焦急 着急 紧张 不安 慌张 慌 "
        "胆怯 畏惧 恐怖 可怕 提心吊胆 怕 放心"
    ),
    Emotion.NEUTRAL: ("平静 冷静 镇定 中性 淡定 无所谓"),
    Emotion.SURPRISE: ("惊讶 吃惊 惊奇 惊诧 诧异 震惊 惊呆 惊愕 讶异 大吃一惊"),
    Emotion.DISGUST: ("厌恶 恶心 反感 讨厌 嫌弃 嫌恶 憎恶 憎恨 作呕 鄙视 鄙夷 反胃"),
}
"""Chinese words by the emotion that they name; a word that negates one before it is covered too."""


def _compile() -> re.Pattern[str]:
    english = "|".join(word for words in ENGLISH.values() for word in words.split())
    # The longer of two words that begin alike has to be tried first.
    chinese = "|".join(sorted(" ".join(CHINESE.values()).split(), key=len, reverse=True))
    return re.compile(rf"\b(?:{english})\b|不?(?:{chinese})", re.IGNORECASE)


_PATTERN = _compile()


def mask_label_words(text: str) -> str:
    """Return a text in which each word that names an emotion, in either language, is covered."""
    return _PATTERN.sub(COVER, text)
