"""OSUM-EChat: its raw JSONL, a target a line, earlier turns numbered from the oldest.

The format is that of OSUM-EChat's README and loader (wenet/dataset/process/processor.py) and of the
HumDial baseline's README: `wav` is what the user says and `txt` the answer, `wav_1`, `txt_1`, ...
are the turns before; `extra.think_str` is the thinking, around which the loader itself writes
`<think>` and `<think end>`. The loader learns all of the answer, so `injected` cannot be expressed.
Tasks that answer in text alone take no turns before (`llmasr_model_instruct_version.py`), so rows
with such turns get the tasks that answer in text and speech. Those need speech tokens of
S3Tokenizer, which are left empty here, never invented.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ieat.pipeline.failures import ConfigError, Filtered
from ieat.pipeline.output.messages import AUDIO_TAG
from ieat.pipeline.render.exchange import Exchange, Said
from ieat.pipeline.render.format import Line, refuse_injected
from ieat.pipeline.render.modes import Modes
from ieat.pipeline.render.tags import PROFILES, Tags
from ieat.schemas.emotion import Emotion

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
            Filtered: The turn that is answered is no single clip, or the answer begins as a tag.
        """
        if exchange.response.startswith("<"):
            raise Filtered("tag_in_words", "the answer begins with <, which the loader cuts off")
        wav, before, is_whole = _turns(exchange, paths)
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
        line |= {"extra": extra, "task": TASKS[exchange.mode or "implicit", bool(before)]}
        used = (*(turn.wav for turn in before), wav)
        return Line(line, used, () if is_whole else ("turns_left_out",))

    def extra_files(self, files: Mapping[str, str]) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def notes(self, modes: Modes) -> tuple[str, ...]:
        """Return what has to be done before training."""
        return (
            "the loader drops lines with wav_1 until extra.speech_token is filled by S3Tokenizer",
            "start training in this folder, or render with its path as --audio-root",
        )


def _turns(exchange: Exchange, paths: tuple[str, ...]) -> tuple[str, list[_Heard], bool]:
    """Return the clip that is answered, the turns before, and whether these are all.

    Turns before are taken from the newest back to the first that is no single clip: a turn
    without sound, or of several clips, has no place in the format.
    """
    left = list(paths)
    *before, target = exchange.said
    if target.content != AUDIO_TAG:
        code = "several_clips" if target.content.count(AUDIO_TAG) > 1 else "text_in_turn"
        raise Filtered(code, "the turn that is answered is not one clip and nothing else")
    wav = left.pop()
    turns: list[_Heard] = []
    while len(before) >= 2 and before[-2] == Said("user", AUDIO_TAG):
        reply = before.pop()
        before.pop()
        turns.append(_Heard(left.pop(), reply.content))
    return wav, turns[::-1], not before
