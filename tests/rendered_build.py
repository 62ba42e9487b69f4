"""A small build with sound in both languages, fit for every think mode: for tests of renderings."""

import json
from pathlib import Path

from ieat.pipeline.config import BuildConfig
from tests.sounds import QUEEN
from tests.talk_build import build_config

SOUND = str(QUEEN / "and1" / "audio.flac")

TIMES = ((0.3, 3.8), (4.272, 7.25), (7.785, 12.279), (13.033, 15.332), (15.811, 18.423))
"""Start and end of the turns in the recording, seconds."""

ENGLISH = (
    ("bob", "You look pale"),
    ("ann", "My bag is gone"),
    ("bob", "Oh no"),
    ("ann", "They stole it"),
    ("bob", "I see"),
)
CHINESE = (
    ("小明", "我妈妈住院了"),
    ("小红", "怎么会这样"),
    ("小明", "钱包也被偷了"),
    ("小红", "太糟糕了"),
)

QUESTIONS = (
    {"key": "en1", "query": "Which city?", "answer": "Rome", "audio": SOUND, "language": "en"},
    {"key": "zh1", "query": "哪座城市？", "answer": "罗马", "audio": SOUND, "language": "zh"},
)


def manifest(talk: tuple[tuple[str, str], ...], name: str, language: str, split: str) -> str:
    """Return a dialogue of recorded turns as a line of a manifest."""
    turns = [
        {"speaker": speaker, "text": words, "audio": SOUND, "start": start, "end": end}
        for (speaker, words), (start, end) in zip(talk, TIMES, strict=False)
    ]
    return json.dumps(
        {"dialogue_id": name, "language": language, "split": split, "turns": turns},
        ensure_ascii=False,
    )


def recorded_build(folder: Path, base_url: str, **changes: object) -> BuildConfig:
    """Return the configuration of a build of four targets in English and three in Chinese.

    Both speakers of a dialogue are answered, so some rows begin with a reply. The Chinese rows are
    those of another split. A teacher answers each turn with the turns before, and there is a
    question in each language.
    """
    questions = folder / "quiz.jsonl"
    questions.write_text("\n".join(map(json.dumps, QUESTIONS)) + "\n", encoding="utf-8")
    lines = [
        manifest(ENGLISH, "en1", "en", "train"),
        manifest(CHINESE, "zh1", "zh", "dev"),
    ]
    values: dict[str, object] = {
        "user_speaker": "all",
        "labels": {"speakers": "all"},
        "teacher": "openai:student-7b",
        "teacher_settings": {"context": "history", "base_url": base_url},
        "aqa": str(questions),
        "shards": 1,
    }
    return build_config(folder, lines, base_url, **(values | changes))
