"""Wordings by which a text betrays that a machine wrote it, or what it was written from.

People say "label", "turn" and "text" too: each pattern asks for the words around them, and a
dialogue that has such a word itself may be answered with it.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

_FELT = (
    r"happy|happiness|joy(?:ful)?|sad(?:ness)?|anger|angry|fear(?:ful)?|afraid|scared"
    r"|surprised?|disgust(?:ed)?|neutral"
)
_FELT_ZH = "高兴|开心|快乐|喜悦|悲伤|伤心|难过|愤怒|生气|恐惧|害怕|惊讶|吃惊|厌恶|中性|平静"


class Wording(NamedTuple):
    """One kind of wording."""

    pattern: re.Pattern[str]
    """What betrays it."""
    words: re.Pattern[str]
    """Its own words: a dialogue that says them may be answered with them."""

    def find(self, text: str, heard: Iterable[str] = ()) -> str | None:
        """Return the first such wording as it stands there, or null.

        Args:
            text: What is searched.
            heard: Words of the turns that the text may take up.
        """
        found = self.pattern.search(text)
        if found is None:
            return None
        said = found.group().lower()
        own = set(self.words.findall(said))
        for words in heard:
            lower = words.lower()
            if said in lower or own & set(self.words.findall(lower)):
                return None
        return found.group()


def _compile(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts), re.IGNORECASE | re.MULTILINE)


LABEL = Wording(
    _compile(
        r"\b(?:emotion(?:al)?|sentiment|mood|gold|given|provided)[ -]"
        r"(?:label|tag|categor|annotat)\w*",
        r"\b(?:ground[- ]truth|annotat(?:ed|ions?|ors?)|as (?:labell?ed|tagged))\b",
        r"\b(?:according to|per|based on) the (?:label|tag)s?\b",
        rf"\b(?:label|tag)(?:l?ed|ged|s)?\b[^.!?\n]{{0,30}}\b(?:{_FELT}|emotions?)\b",
        "(?:情绪|情感)(?:标签|标注|类别)|标签(?:显示|表明|标明|说|为|给出)|(?:根据|按照?)标签|标注|注释",
        rf"标签[^，。！？\s]{{0,8}}(?:{_FELT_ZH})",
    ),
    _compile(r"\b(?:label|tag|annot|ground)", "标签|标注|注释"),
)
"""Speaks of labels, tags or annotations, which no listener hears."""

SURROGATE = Wording(
    _compile(
        r"\b(?:in|from|per|based on|according to) the (?:given |provided |above )?"
        r"(?:text|transcript(?:ion)?s?|passage|utterances?)\b",
        r"\b(?:the|this) (?:text|passage|utterance) "
        r"(?:says?|said|states?|shows?|mentions?|indicates?|suggests?|reads?|describes?)\b",
        r"\b(?:the|this|given|provided|dialogue|conversation) transcript(?:ion)?s?\b",
        r"\b(?:given|provided) (?:text|passage)\b",
        r"\butterance \d+|\bturn \[\d+|\bin turn \d+|\bturn \d+ (?:says?|shows?|mentions?)\b",
        "文本(?:中|里|内容|显示|提到|提及|说|描述)|(?:根据|从|该|这段|上述|给定的?)文本",
        r"转写|文字记录|(?:根据|从)字幕|字幕(?:中|里|显示)",
        r"第\s*\[\d+\]?\s*轮|第\s*\d+\s*轮(?:对话|发言|中|里|说|提到)",
    ),
    _compile(r"\b(?:text|transcri|passage|utterance)", "文本|转写|文字记录|字幕"),
)
"""Speaks of a text that stands for the sound, which no listener sees."""

SELF = Wording(
    _compile(
        r"\bas an? (?:ai|(?:large )?language model|(?:chat)?bot"
        r"|(?:ai|virtual|digital) assistant)\b",
        r"\bas an assistant,",
        r"\bi(?: am|['’]m) (?:just |only )?an? (?:ai|(?:large )?language model|(?:chat)?bot"
        r"|(?:ai|virtual|digital|voice) assistant)\b",
        r"\bi(?: am|['’]m) (?:just |only )?an assistant"
        r"(?=\W*$|[,.!?]| (?:and|here|designed|made)\b)",
        r"\b(?:large language model|chatgpt|openai)\b",
        "作为(?:一个|一名|一款|你的|您的)?(?:ai|人工智能|(?:大?型?)语言模型|(?:智能|虚拟|语音)?助手|机器人)",
        "大型?语言模型|通义千问|文心一言",
        "我(?:只是|就是|是)(?:一个|一名|一款|个|名|你的|您的)?"
        "(?:ai|人工智能|语言模型|(?:智能|虚拟|语音)助手|(?:聊天)?机器人)",
        "我是(?:一个|你的|您的)助手",
    ),
    _compile(
        r"\b(?:ai|bot|assistant|language model|chatgpt|openai)\b", "人工智能|助手|机器人|语言模型"
    ),
)
"""Speaks of itself as a model or an assistant."""

META = Wording(
    _compile(
        r"\A\W*(?:(?:sure|okay|certainly|of course)\W+)?here(?:['’]s| is| are) [^.!?:\n]{0,60}"
        r"\b(?:response|reply|answer)s?\b[^.!?\n]{0,30}:",
        r"\A\W*(?:response|reply|answer|assistant|user)\s*[:：]",
        r"\bthe user(?:['’]s)?\b",
        "\\A\\W*(?:(?:好的|当然)\\W*)?(?:以下|下面|这)是.{0,12}(?:回复|回答|回应)\\s*[:：]",
        r"\A\W*(?:回复|回答|回应|助手|用户)\s*[:：]",
        "用户(?:的(?:情绪|感受|话)|说|表示|感到|现在|似乎|正)",
    ),
    _compile(r"\buser", "用户"),
)
"""Speaks of its task in place of doing it."""

MARKUP = re.compile(
    r"</?\s*(?:think|thinking|thought|reasoning)\b|<\s*think end|<\||```"
    r"|^\s*(?:[-*•]\s|\d+\s?(?:[.)]\s|[、）]))"
    r"|(?<![A-Za-z*])\*{1,2}(?=[^\s*])[^*\n]{1,80}\*{1,2}|^#+ "
    r"|\[[^\]\n]+\]\(http",
    re.MULTILINE | re.IGNORECASE,
)
"""Markup, lists, and tags of thinking: nothing that one can say."""

STAGE_DIRECTION = re.compile(r"\A\s*[(（\[【][^()（）\[\]【】]{1,24}[)）\]】]")
"""A direction before the words, such as "(softly)": a synthesizer would say it."""

THINK_TAG = re.compile(
    r"</?\s*(?:think|thinking|thought|reasoning)\b|<\s*think end|<\|", re.IGNORECASE
)
"""Tags that a renderer puts around thinking, and that thinking itself may not hold."""

SIGNS = frozenset("°©®™℃℉№")
"""Symbols that speech may hold; other symbols of their Unicode category are emoji."""

EMOTION_TAG = _compile(
    rf"[\[<(【（{{]\s*\|?\s*(?:emotion\s*[:：=]\s*)?(?:{_FELT}|{_FELT_ZH})\s*\|?\s*[\]>)】）}}]",
    rf"\b(?:emotion|mood|sentiment)\s*[:：=]\s*[\"'“]?(?:{_FELT})\b",
    rf"(?:情绪|情感)(?:标签)?\s*[:：=]\s*[\"'“]?(?:{_FELT_ZH})",
)
"""An emotion given away as data gives it: alone in brackets, or after its key."""

BARE_LABEL = re.compile(
    rf"\A\W*(?:(?:emotion|state)\s*[:：=]|(?:{_FELT})\s*(?:[.:：,;\-–—]|\n|\Z)"
    rf"|(?:情绪|情感|状态)\s*[:：=]|(?:{_FELT_ZH})\s*(?:[。：:，,；;\-–—]|\n|\Z))",
    re.IGNORECASE,
)
"""Thinking that opens with the bare label, as a classifier would."""
