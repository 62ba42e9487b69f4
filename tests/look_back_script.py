"""What the scripted endpoint answers when it is asked to look back over a dialogue."""

import re
from typing import Any

from tests.openai_server import Request

CHINESE = re.compile(r"[\u4e00-\u9fff]")
LINE = re.compile(r"^\[(\d+)\] (.*)$", re.MULTILINE)

WORDS_EN = {
    "happy": "happy", "sad": "sad", "anger": "angry", "fear": "fearful", "neutral": "neutral",
    "surprise": "surprised", "disgust": "disgusted",
}  # fmt: skip
WORDS_ZH = {
    "happy": "开心", "sad": "悲伤", "anger": "愤怒", "fear": "恐惧", "neutral": "平静",
    "surprise": "惊讶", "disgust": "厌恶",
}  # fmt: skip

SPOILED = {
    "synonymous": "t1_vocab_deviation",
    "adding": "t1_addition",
    "omitting": "t1_omission",
    "reversed": "t1_order",
    "untied": "t1_untied",
    "skipping": "t1_steps",
    "unchained": "t2_chain",
    "narrow": "t2_one_turn",
    "restating": "t2_restated",
    "baseless": "t2_untied",
}
"""Words of a dialogue that spoil the answer, and the code that it ends with.

With the word `once` in the dialogue too, the second answer is a good one.
"""

SYNONYMS = {"angry": "furious", "fearful": "scared", "sad": "miserable", "happy": "excited",
            "愤怒": "恼火", "恐惧": "惊恐", "悲伤": "沮丧", "开心": "兴奋"}  # fmt: skip


def look_back(request: Request, feelings: dict[str, str]) -> dict[str, Any]:
    """Return an answer made from the question alone.

    Args:
        request: The question.
        feelings: Emotion of a turn by what its words hold.
    """
    messages = request.body["messages"]
    is_chinese = CHINESE.search(messages[0]["content"]) is not None
    said, listed = _read(messages[1]["content"])
    path = [
        int(number) for number in re.findall(r"\[(\d+)\]", messages[1]["content"].splitlines()[-1])
    ]
    spoiled = next((word for word in SPOILED if any(word in words for words in said.values())), "")
    if len(messages) > 2 and any("once" in words for words in said.values()):
        spoiled = ""
    emotions = {
        turn: given
        if given in WORDS_EN
        else next((e for word, e in feelings.items() if word in said[turn]), "neutral")
        for turn, given in listed.items()
    }
    answer = {
        "steps": [
            {
                "turn": turn,
                "evidence": [{"turn": turn, "quote": said[turn]}],
                "event": f"对方说起：{said[turn]}"
                if is_chinese
                else f"They speak of it: {said[turn]}.",
                "emotion": emotion,
                "intensity": "high" if emotion in ("anger", "fear") else "low",
            }
            for turn, emotion in emotions.items()
        ],
        "causes": [
            {
                "evidence": [{"turn": turn, "quote": said[turn]}],
                "cause": f"起因是这件事：{said[turn]}"
                if is_chinese
                else f"This came first: {said[turn]}.",
            }
            for turn in path[:2]
        ],
        **_reasons(said, path, is_chinese),
        "trajectory_answer": _trajectory(said, emotions, path, is_chinese),
    }
    return answer | _spoil(spoiled, answer, said, path, is_chinese)


def _read(question: str) -> tuple[dict[int, str], dict[int, str]]:
    """Return the words of the turns, and the emotion or its lack of the listed ones."""
    parts = question.split("\n\n")
    said = {}
    for number, rest in LINE.findall(parts[1]):
        words = re.sub(r" \((sounds|voice): .*\)$", "", rest.partition(": ")[2])
        said[int(number)] = words
    listed = {
        int(number): re.sub(r" ?[(（].*", "", rest) for number, rest in LINE.findall(parts[3])
    }
    return said, listed


def _trajectory(
    said: dict[int, str], emotions: dict[int, str], path: list[int], is_chinese: bool
) -> str:
    parts: list[tuple[str, str]] = []
    for turn in path:
        if not parts or parts[-1][0] != emotions[turn]:
            parts.append((emotions[turn], said[turn].rstrip(".。!！?？")))
    if is_chinese:
        named = [f"说到{words}时你{WORDS_ZH[emotion]}" for emotion, words in parts]
        return f"一开始{'，接着'.join(named)}。"
    named = [f"{WORDS_EN[emotion]} as you spoke of it: {words}" for emotion, words in parts]
    return f"You were {', and then '.join(named)}."


def _reasons(said: dict[int, str], path: list[int], is_chinese: bool) -> dict[str, Any]:
    first, last = said[path[0]].rstrip(".。"), said[path[-1]].rstrip(".。")
    if is_chinese:
        chain = {
            "root_cause": "对方心底渴望被身边的人重视与保护。",
            "conclusion": "说到底，是珍视之物屡屡失去依靠。",
            "arguments": [f"先是{first}。", f"再到{last}。"],
            "takeaway": "不妨请亲友陪伴，慢慢找回依靠。",
        }
    else:
        chain = {
            "root_cause": "They need to be protected and valued by those nearby.",
            "conclusion": "What matters was left unprotected again and again.",
            "arguments": [f"It began with this: {first}.", f"It ended with this: {last}."],
            "takeaway": "Asking friends for company may help to rebuild trust.",
        }
    parts = [chain["conclusion"], *chain["arguments"], chain["takeaway"]]
    return chain | {"reasons_answer": ("" if is_chinese else " ").join(parts)}


def _spoil(
    how: str, answer: dict[str, Any], said: dict[int, str], path: list[int], is_chinese: bool
) -> dict[str, Any]:
    """Return the part of an answer that breaks one check."""
    told = answer["trajectory_answer"]
    names = WORDS_ZH if is_chinese else WORDS_EN
    of_path = [step["emotion"] for step in answer["steps"] if step["turn"] in path]
    if how == "synonymous":
        word = next(names[emotion] for emotion in of_path if names[emotion] in SYNONYMS)
        return {"trajectory_answer": told.replace(word, SYNONYMS[word])}
    if how == "adding":
        more = "其间还有一些焦虑。" if is_chinese else " There was some anxiety too."
        return {"trajectory_answer": told + more}
    if how == "omitting":
        return {"trajectory_answer": told.replace(names[of_path[-1]], "")}
    if how == "reversed":
        join = "，接着" if is_chinese else ", and then "
        return {"trajectory_answer": join.join(reversed(told.rstrip(".。").split(join)))}
    if how == "untied":
        order = [emotion for at, emotion in enumerate(of_path) if emotion not in of_path[:at]]
        join = "，" if is_chinese else ", then "
        return {"trajectory_answer": join.join(names[emotion] for emotion in order)}
    if how == "skipping":
        return {"steps": answer["steps"][:-1]}
    if how == "unchained":
        return {"arguments": answer["arguments"][:1]}
    if how == "narrow":
        return {"causes": answer["causes"][:1]}
    if how == "restating":
        return {"root_cause": said[path[0]]}
    if how == "baseless":
        vague = (
            ["凡是珍视的都会牵动人。", "无依无靠会越积越深。"]
            if is_chinese
            else ["Valued possessions weigh heavily.", "Unprotected hearts grow weary."]
        )
        spoken = ("" if is_chinese else " ").join(
            (answer["conclusion"], *vague, answer["takeaway"])
        )
        return {"arguments": vague, "reasons_answer": spoken}
    return {}
