"""OSUM-EChat: its raw JSONL, a target a line, earlier turns numbered from the oldest.

The format is that of OSUM-EChat's README and loader (wenet/dataset/process/processor.py) and of the
HumDial baseline's README: `wav` is what the user says and `txt` the answer, `wav_1`, `txt_1`, ...
are the turns before; `extra.think_str` is the thinking, around which the loader itself writes
`<think>` and `<think end>`. The loader learns all of the answer, so `injected` cannot be expressed.
Tasks that answer in text alone take no turns before (`llmasr_model_instruct_version.py`), so rows
with such turns get the tasks that answer in text and speech. Those need speech tokens of
S3Tokenizer, which are left empty here, never invented.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from ieat.pipeline.failures import ConfigError, Filtered
from ieat.pipeline.output.messages import AUDIO_TAG
from ieat.pipeline.output.reading import ThinkMode
from ieat.pipeline.render.exchange import Exchange, Said
from ieat.pipeline.render.format import Line, refuse_injected
from ieat.pipeline.render.modes import Modes
from ieat.pipeline.render.tags import PROFILES, Tags
from ieat.schemas.emotion import Emotion

PLAIN_TASKS = {
    "alignment": "<TRANSCRIBE>",
    "distillation": "<S2TCHAT>",
    "aqa": "<S2TCHAT>",
    "t1": "<S2TCHAT>",
    "t2": "<S2TCHAT>",
}
"""Task by that of the row, where there is no thinking and there are no turns before."""

TASKS = {
    ("explicit", False): "<S2TCHAT> <THINKER>",
    ("implicit", False): "<S2TCHAT>",
    ("explicit", True): "<S2TCHAT> <TEXT2TOKEN> <THINK>",
    ("implicit", True): "<S2TCHAT> <TEXT2TOKEN> <HISTORY>",
}
"""Task by think mode and whether there are turns before."""

UNKNOWN = "<UNK>"
"""Stands for an attribute that nobody knows."""

EMOTIONS = {emotion: f"<{emotion.value.upper()}>" for emotion in Emotion}
"""OSUM-EChat's tag of each of the user's emotions."""


class _Heard(NamedTuple):
    """A turn of the user that is one clip, and the reply to it."""

    wav: str
    txt: str


class Osum:
    """Writes OSUM-EChat's raw format."""

    name = "osum"
    default_tags = "osum"

    def refuse(self, modes: Modes, tags: Tags) -> None:
        """Refuse thinking in context, and tags other than the loader's own.

        Raises:
            ConfigError: One of both is wanted.
        """
        refuse_injected(modes, "OSUM-EChat")
        if tags != PROFILES["osum"]:
            raise ConfigError(
                f"--thinking-tags {tags.profile}: OSUM-EChat's loader writes the tags itself, "
                "<think> and <think end>; leave --thinking-tags out"
            )

    def line(self, exchange: Exchange, paths: tuple[str, ...]) -> Line:
        """Return one line.

        Raises:
            Filtered: The turn that is heard last is no single clip, the answer begins as a tag,
                or there is no such task.
        """
        if exchange.response.startswith("<"):
            raise Filtered("tag_in_words", "the answer begins with <, which the loader cuts off")
        wav, before, is_whole = _turns(exchange, paths)
        task = _task(exchange, has_before=bool(before))
        extra: dict[str, Any] = {
            "dataset": exchange.row_id.split("/")[0],
            "age": UNKNOWN,
            "gender": UNKNOWN,
            "q_emotion": EMOTIONS[exchange.emotion] if exchange.emotion else UNKNOWN,
        }
        if exchange.thinking is not None:
            extra["think_str"] = exchange.thinking
        if before:
            extra["speech_token"] = []
            extra |= {f"speech_token_{place}": [] for place in range(1, len(before) + 1)}
        line: dict[str, Any] = {"key": exchange.row_id, "wav": wav, "txt": exchange.response}
        for place, turn in enumerate(before, start=1):
            line |= {f"wav_{place}": turn.wav, f"txt_{place}": turn.txt}
        line |= {"extra": extra, "task": task}
        used = (*(turn.wav for turn in before), wav)
        return Line(line, used, () if is_whole else ("turns_left_out",))

    def extra_files(self, files: Mapping[str, str]) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def notes(self, modes: Collection[ThinkMode]) -> tuple[str, ...]:
        """Return what has to be done before training."""
        return (
            "the loader drops lines with wav_1 until extra.speech_token is filled by S3Tokenizer",
            "start training in this folder, or render with its path as --audio-root",
        )


def _task(exchange: Exchange, *, has_before: bool) -> str:
    """Return OSUM-EChat's task.

    Raises:
        Filtered: It has none: emotions alone are eaten by the loader, which takes a tag at the
            beginning of a text for that of a response.
    """
    if exchange.mode is not None or has_before:
        return TASKS[exchange.mode or "implicit", has_before]
    if exchange.task not in PLAIN_TASKS:
        raise Filtered("task_not_in_format", f"OSUM-EChat has no task for {exchange.task}")
    return PLAIN_TASKS[exchange.task]


def _turns(exchange: Exchange, paths: tuple[str, ...]) -> tuple[str, list[_Heard], bool]:
    """Return the clip that is answered, the turns before, and whether these are all.

    Turns before are taken from the newest back to the first that is no single clip: a turn
    without sound, or of several clips, has no place in the format. An instruction has none
    either: the loader has its own for each task.
    """
    left = list(paths)
    *before, target = exchange.said
    heard = target.content
    if exchange.instruction is not None:
        heard = heard.removesuffix(f"\n{exchange.instruction}")
    if heard != AUDIO_TAG:
        code = "several_clips" if heard.count(AUDIO_TAG) > 1 else "text_in_turn"
        raise Filtered(code, "the turn that is answered is not one clip and nothing else")
    wav = left.pop()
    turns: list[_Heard] = []
    while len(before) >= 2 and before[-2] == Said("user", AUDIO_TAG):
        reply = before.pop()
        before.pop()
        turns.append(_Heard(left.pop(), reply.content))
    return wav, turns[::-1], not before
