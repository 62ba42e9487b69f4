"""Tell whether a dialogue ends with a question about the user's own emotions, or give it one."""

import hashlib
import re
from typing import Literal, NamedTuple

from ieat.prompts.library import TemplateFile
from ieat.schemas.dialogue import Language

AskedTask = Literal["t1", "t2", "t4"]
"""Tasks that the list has questions for."""

_ASKS = {
    Language.EN: re.compile(
        r"\?|^\s*(so |and |now |well )*(what|how|why|which|can|could|would|will|do|did|tell|sum|"
        r"describe|explain|help)\b|\b(can|could|would) you\b|\btell me\b|\bsummari[sz]e\b"
        r"|\bsum up\b|\bwhat do you think\b",
        re.IGNORECASE,
    ),
    Language.ZH: re.compile(
        r"[?？]|吗|呢\W*$|什么|为何|怎么|怎样|如何|哪些|哪种|哪里|能不能|可不可以|帮我|总结|分析|说说|梳理"
    ),
}
"""What a question has; where the corpus says that a dialogue's last turn asks, it is enough."""

_MY_FEELING = {
    Language.EN: re.compile(
        r"\b(my|i|i['’]m|i['’]ve|me)\b.*\b(feel|feeling|feelings|felt|emotion|emotions|emotional|"
        r"emotionally|mood|moods|upset|reaction|react)\b"
        r"|\b(feeling|feelings|emotion|emotions|emotional|mood|moods)\b.*\b(my|i|me)\b",
        re.IGNORECASE | re.DOTALL,
    ),
    Language.ZH: re.compile(
        r"我.*(情绪|心情|感受|感觉|心态)|(情绪|心情|感受|感觉|心态).*我", re.DOTALL
    ),
}
"""What a question about one's own emotions has."""

_CHANGE = {
    Language.EN: re.compile(
        r"\b(chang(e|es|ed|ing)|summari[sz]e|sum up|trajectory|went through|gone through|"
        r"go through|shift(s|ed)?|develop(ed)?|over time|one after the other|ups and downs)\b",
        re.IGNORECASE,
    ),
    Language.ZH: re.compile(r"变化|总结|经历了|起伏|转变|怎么变|过程|轨迹"),
}
"""What a question for T1 has besides."""

_REASON = {
    Language.EN: re.compile(
        r"\b(why|reasons?|causes?|caused|behind|underneath|come from|comes from|root|"
        r"what (made|makes))\b",
        re.IGNORECASE,
    ),
    Language.ZH: re.compile(r"为什么|为何|原因|怎么会|背后|根源|从哪里来|从何而来|是什么让"),
}
"""What a question for T2 has besides."""


class ListedQuestion(NamedTuple):
    """A question of the released list."""

    text: str
    """Its words."""
    question_id: str
    """List and place, as name@version.language/task/number."""


def asks_about_emotions(
    words: str, language: Language, task: Literal["t1", "t2"], *, is_said_to_ask: bool
) -> bool:
    """Tell whether a turn is a question for a task.

    HumDial's last turn asks by the corpus' own rule, so that it needs no more than the form of a
    question. Elsewhere it must ask about the speaker's own emotions, and for T1 about their change
    or for T2 about their reason: a question that is missed only costs a row its sound, and one
    that is wrongly taken would be answered beside the point.

    Args:
        words: What is said, without tags.
        language: Its language.
        task: The task.
        is_said_to_ask: Whether the corpus names the task for the dialogue.
    """
    if not _ASKS[language].search(words):
        return False
    if is_said_to_ask:
        return True
    needed = _CHANGE if task == "t1" else _REASON
    return bool(_MY_FEELING[language].search(words) and needed[language].search(words))


def choose_question(template: TemplateFile, task: AskedTask, row_id: str) -> ListedQuestion:
    """Return the question of a row: the same row always gets the same.

    Args:
        template: The list `questions` in the language of the dialogue.
        task: The task.
        row_id: Chooses among the questions.
    """
    listed = [line.removeprefix("- ") for line in template.sections[task].splitlines() if line]
    digest = hashlib.sha256(f"{row_id}/question".encode()).digest()
    number = int.from_bytes(digest[:8], "big") % len(listed)
    return ListedQuestion(listed[number], f"{template.prompt_id}/{task}/{number}")
