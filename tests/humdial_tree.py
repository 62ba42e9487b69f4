"""Small trees made to the published layouts of HumDial: train and test, both languages."""

import json
from collections.abc import Sequence
from pathlib import Path

from tests.sounds import speech, write

Said = Sequence[tuple[str, str | None, str | None]]
"""Words, emotion and answer of each turn of theirs."""

STOLEN: Said = (
    ("My bag is gone, I cannot find it", "fear", "Where did you see it last?"),
    ("I sat down and looked again, it may turn up", "neutral", "That sounds sensible."),
    ("Somebody stole it from my car!", "anger", "That is awful."),
    ("Can you sum up how my mood changed?", "neutral", "You felt surprise and excitement."),
)
HOSPITAL: Said = (
    ("今天本来只是去上班，路上挺顺的", "neutral", "听起来还不错。"),
    ("我妈突然住院了，我在走廊里坐了一夜", "sad", "你一定很累。"),
    ("护士把我的药弄错了，还不肯道歉", "anger", "这确实不应该。"),
    ("你能总结一下我的情绪变化吗", "neutral", None),
)
WHY: Said = (
    ("They moved my desk without asking", "surprise", "When was that?"),
    ("Nobody in the team spoke to me about it", "sad", None),
    ("So why do I feel so bad about a desk?", "neutral", None),
)


def write_dialogue(
    folder: Path, stem: str, dialogue_id: str, said: Said, *, with_audio: bool = True
) -> None:
    """Add a dialogue to `folder/stem.jsonl`, with its sound in a folder of its own."""
    turns = []
    for number, (words, emotion, answer) in enumerate(said, start=1):
        turn: dict[str, object] = {"turn_id": number, "text": words, "emotion": emotion}
        if with_audio:
            path = f"{stem}/{dialogue_id}/turn_{number}.wav"
            write(folder / path, speech()[8_000 : 8_000 + 1_600 * (10 + number)])
            turn["split_audio_file"] = path
        if answer is not None:
            turn["response_text"] = answer
        turns.append(turn)
    _add(folder / f"{stem}.jsonl", {"dialogue_id": dialogue_id, "turns": turns})


def write_test_dialogue(root: Path, language: str, task: str, number: str, num_turns: int) -> None:
    """Add a dialogue of the test tree: sound alone, no words, no emotions."""
    folder = root / "HD-Track1-Test" / language
    dialogue_id = f"{language}_{number}"
    for turn in range(1, num_turns + 1):
        clip = speech()[8_000 : 8_000 + 1_600 * (10 + turn)]
        write(folder / f"HD-Track1-{task}" / f"{dialogue_id}_{turn}.wav", clip)
    turns = [{"turn_id": turn} for turn in range(1, num_turns + 1)]
    _add(folder / f"HD-Track1-{task}.jsonl", {"dialogue_id": dialogue_id, "turns": turns})


def _add(file: Path, row: dict[str, object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(row, ensure_ascii=False) + "\n")
