"""The conversation of a stage-2 row: listen, think, write, and the clips it refers to."""

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from ieat.pipeline.output.cells import has_sound
from ieat.schemas.cells import MessageCell
from ieat.schemas.dialogue import Language
from ieat.schemas.records import ComposedDialogue
from ieat.schemas.sample import Sample, Target

AUDIO_TAG = "<audio>"
"""Stands in a message where a clip is heard."""

WRITTEN_TAG = re.compile(r"<(\s*/?\s*audio\b[^<>]*)>", re.IGNORECASE)
"""Words that a trainer could take for the tag of a clip."""

SpokenRole = Literal["user", "assistant"]


class Conversation(NamedTuple):
    """Messages with the turns behind them."""

    messages: tuple[MessageCell, ...]
    """The messages to train on."""
    clip_turns: tuple[int, ...]
    """0-based turn of each `<audio>` tag, in order."""
    shown_turns: tuple[int, ...]
    """0-based turns that the messages show, the answer not among them."""
    flags: tuple[str, ...]
    """What is odd about the conversation, as codes."""


def context_turns(
    composed: ComposedDialogue, target: Target, max_turns: int, max_seconds: float
) -> tuple[int, ...]:
    """Return the turns before the target that a row shows: whole ones, the newest, in order.

    Turns without words are passed over. Only clips count against `max_seconds`: an earlier
    reply is shown as words and takes no sound.
    """
    chosen: list[int] = []
    seconds = 0.0
    for turn in range(target.user_turns[0] - 1, -1, -1):
        if not composed.transcript.utterances[turn].clean:
            continue
        sound = composed.sounds[turn] if _is_heard(composed, target, turn) else None
        seconds += sound.duration if sound else 0.0
        if len(chosen) == max_turns or seconds > max_seconds:
            break
        chosen.append(turn)
    return tuple(reversed(chosen))


def compose_conversation(
    composed: ComposedDialogue, sample: Sample, max_turns: int, max_seconds: float
) -> Conversation:
    """Return the messages of a target: its context, what is heard, thinking, response.

    The loss is that of think mode `explicit`: on the thinking and the response alone. Thinking
    of earlier targets is never shown.
    """
    target = sample.target
    context = context_turns(composed, target, max_turns, max_seconds)
    shown = (*context, *target.user_turns)
    spoken: list[tuple[SpokenRole, list[int]]] = []
    for turn in shown:
        role = _role_of(composed, target, turn)
        if spoken and spoken[-1][0] == role:
            spoken[-1][1].append(turn)
        else:
            spoken.append((role, [turn]))
    messages = [_spoken_message(composed, target, role, turns) for role, turns in spoken]
    messages += [
        MessageCell(
            role="assistant", kind="think", content=without_tags(sample.thinking.text), loss=True
        ),
        MessageCell(
            role="assistant", kind="write", content=without_tags(sample.response.text), loss=True
        ),
    ]
    return Conversation(
        messages=tuple(messages),
        clip_turns=tuple(turn for turn in shown if _is_heard(composed, target, turn)),
        shown_turns=shown,
        flags=tuple(_flags(composed, sample, shown, spoken[0][0])),
    )


def without_tags(words: str) -> str:
    """Return words in which nothing looks like the tag of a clip: `<audio>` is `(audio)`."""
    return WRITTEN_TAG.sub(r"(\1)", words)


def join_words(parts: Iterable[str], language: Language) -> str:
    """Join the words of neighboring turns as the language writes them."""
    return (" " if language is Language.EN else "").join(parts)


def _role_of(composed: ComposedDialogue, target: Target, turn: int) -> SpokenRole:
    speaker = composed.dialogue.turns[turn].speaker
    return "assistant" if speaker == target.answering_speaker else "user"


def _is_heard(composed: ComposedDialogue, target: Target, turn: int) -> bool:
    return has_sound(composed, turn) and _role_of(composed, target, turn) == "user"


def _spoken_message(
    composed: ComposedDialogue, target: Target, role: SpokenRole, turns: list[int]
) -> MessageCell:
    if role == "assistant":
        said = [composed.transcript.utterances[turn].clean for turn in turns]
        content = without_tags(join_words(said, composed.dialogue.language))
        return MessageCell(role="assistant", kind="write", content=content, loss=False)
    lines = [
        AUDIO_TAG
        if _is_heard(composed, target, turn)
        else without_tags(composed.transcript.utterances[turn].clean)
        for turn in turns
    ]
    return MessageCell(role="user", kind="listen", content="\n".join(lines), loss=False)


def _flags(
    composed: ComposedDialogue, sample: Sample, shown: tuple[int, ...], first: SpokenRole
) -> list[str]:
    target = sample.target
    flags = []
    if first == "assistant":
        flags.append("assistant_first")
    known = (target.user_speaker, target.answering_speaker)
    if any(composed.dialogue.turns[turn].speaker not in known for turn in shown):
        flags.append("third_speaker")
    words = [
        composed.transcript.utterances[turn].clean
        for turn in shown
        if not _is_heard(composed, target, turn)
    ]
    words += [sample.thinking.text, sample.response.text]
    if any(WRITTEN_TAG.search(text) for text in words):
        flags.append("audio_tag_in_words")
    return flags
