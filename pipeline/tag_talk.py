"""Find talk of the tags that a teacher is shown; who only heard the person knows of none."""

import re

_ECHO = re.compile(
    r"[\[\]【】]|\b(emotion|mood|sounds?)\s*[:=]"
    r"|(情绪|情感|感受|声音|声响)\s*[:：=]",
    re.IGNORECASE,
)
_ENGLISH = re.compile(
    r"\b(in|inside|within|between) (the |those |these |your )?(square )?brackets?\b"
    r"|\b(bracketed|in parentheses)\b"
    r"|\b(you('re|’re| are| were)|it('s|’s| is| was)|this (is|was)|that (is|was)) "
    r"(marked|flagged|noted|listed|indicated|described|given|written) (as|down)\b"
    r"|\b(the |your )?(given|provided|indicated|listed|stated|detected|marked|noted) "
    r"(emotions?|feelings?|moods?|sounds?)\b"
    r"|\b(emotions?|feelings?|moods?|sounds?) (is|are|was|were) "
    r"(given|provided|indicated|listed|stated|detected|marked|noted)\b",
    re.IGNORECASE,
)
_CHINESE = re.compile(
    r"括号"
    r"|(情绪|情感|感受|声音|声响)(标记|提示|信息|一栏|显示)"
    r"|(标记|注明|标明|标示|写明)(为|着|的|了)"
    r"|(给出|给定|提供|标出|所示|所写)的(情绪|情感|感受|声音|声响)"
)


def find_tag_talk(text: str) -> str | None:
    """Return the first words that repeat or mention a tag, in either language; null for none."""
    for pattern in (_ECHO, _ENGLISH, _CHINESE):
        found = pattern.search(text)
        if found is not None:
            return found.group().strip()
    return None
