"""Two small dialogues with gold emotions and causes, written in each format of benchmark files."""

import json
from pathlib import Path
from typing import Any

TALKS: dict[str, list[tuple[str, str, str]]] = {
    "d1": [
        ("ann", "Guess what, I passed the driving test this morning!", "happiness"),
        ("bob", "Oh, really? Congratulations!", "excited"),
        ("ann", "My brother took the car without asking, though.", "angry"),
        ("bob", "When did he take it?", "neutral"),
    ],
    "d2": [
        ("ann", "The old cat died last night.", "sadness"),
        ("bob", "I am so sorry, you had her for fifteen years.", "sadness"),
    ],
}
"""Speaker, words and emotion word of each turn."""

PASSED, TOOK = "I passed the driving test", "My brother took the car without asking"
DIED, YEARS = "The old cat died", "you had her for fifteen years"

CAUSES: dict[tuple[str, int], list[tuple[int, str, str]]] = {
    ("d1", 0): [(0, PASSED, "no-context")],
    ("d1", 1): [(0, PASSED, "inter-personal")],
    ("d1", 2): [(2, TOOK, "no-context")],
    ("d2", 0): [(0, DIED, "no-context")],
    ("d2", 1): [(0, DIED, "inter-personal"), (1, YEARS, "no-context")],
}
"""Turn, span and kind of the causes of each emotional turn."""

BACKGROUND = ("d2", 1)
"""The state whose cause lies outside of the dialogue too, where a format can say so."""


def gold_of(words: str) -> list[tuple[int, str, str]]:
    """Return the causes of the turn with these words; empty when it has none."""
    for (name, turn), causes in CAUSES.items():
        if TALKS[name][turn][1] == words:
            return causes
    return []


def emotion_word(words: str) -> str:
    """Return the emotion word of the turn with these words."""
    return next(word for talk in TALKS.values() for _, said, word in talk if said == words)


def columns() -> list[dict[str, Any]]:
    """Return the lines of the project's own columns."""
    return [
        {
            "dialogue_id": name,
            "language": "en",
            "turns": [
                {"turn": turn, "speaker": speaker, "text": words, "emotion": word}
                for turn, (speaker, words, word) in enumerate(talk)
            ],
            "causes": [
                {
                    "turn": turn,
                    "cause_turns": [at for at, _, _ in causes],
                    "background": (name, turn) == BACKGROUND,
                    "spans": [span for _, span, _ in causes],
                    "type": [kind for _, _, kind in causes],
                }
                for (of, turn), causes in CAUSES.items()
                if of == name
            ],
        }
        for name, talk in TALKS.items()
    ]


def reccon() -> dict[str, Any]:
    """Return RECCON's JSON: turns count from 1, `b` stands for the background."""
    whole: dict[str, Any] = {}
    for name, talk in TALKS.items():
        turns: list[dict[str, Any]] = []
        for turn, (speaker, words, word) in enumerate(talk):
            said: dict[str, Any] = {
                "turn": turn + 1, "speaker": speaker, "utterance": words, "emotion": word
            }  # fmt: skip
            causes = CAUSES.get((name, turn), [])
            if causes:
                cited: list[int | str] = [at + 1 for at, _, _ in causes]
                said |= {
                    "expanded emotion cause evidence": cited
                    + (["b"] if (name, turn) == BACKGROUND else []),
                    "expanded emotion cause span": [span for _, span, _ in causes],
                    "type": [kind for _, _, kind in causes],
                }
            turns.append(said)
        whole[name] = [turns]
    return whole


def ecf() -> list[dict[str, Any]]:
    """Return the JSON of ECF and SemEval-2024 Task 3, which names no kinds and no background."""
    return [
        {
            "conversation_ID": name,
            "conversation": [
                {
                    "utterance_ID": turn + 1, "text": words, "speaker": speaker,
                    "emotion": word, "video_name": f"{name}utt{turn + 1}.mp4",
                }
                for turn, (speaker, words, word) in enumerate(talk)
            ],
            "emotion-cause_pairs": [
                [f"{turn + 1}_{talk[turn][2]}", f"{at + 1}_{span}"]
                for (of, turn), causes in CAUSES.items()
                if of == name
                for at, span, _ in causes
            ],
        }
        for name, talk in TALKS.items()
    ]  # fmt: skip


def write(folder: Path, form: str) -> Path:
    """Write the dialogues in a format: columns, reccon or ecf."""
    file = folder / f"{form}.json"
    if form == "columns":
        text = "\n".join(json.dumps(line, ensure_ascii=False) for line in columns()) + "\n"
    else:
        text = json.dumps({"reccon": reccon, "ecf": ecf}[form](), ensure_ascii=False, indent=1)
    file.write_text(text, encoding="utf-8")
    return file
