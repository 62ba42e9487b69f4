"""The rules that renderings are held to do refuse what trainers refuse, or learn it otherwise."""

from copy import deepcopy

import pytest

from tests.contract.trainer_rules import (
    read_as_hugging_face,
    read_as_llamafactory,
    read_as_osum,
    read_as_swift,
)

SWIFT = {
    "messages": [
        {"role": "user", "content": "<audio>"},
        {"role": "assistant", "content": "Yes", "loss": False},
        {"role": "user", "content": "<audio>"},
        {"role": "assistant", "content": "[why]", "loss": False},
        {"role": "assistant", "content": "Oh.", "loss": True},
    ],
    "audios": ["1.flac", "2.flac"],
}
DESCRIBED = {
    "formatting": "sharegpt",
    "columns": {"messages": "conversations", "audios": "audios"},
    "tags": {
        "role_tag": "from", "content_tag": "value", "user_tag": "human", "assistant_tag": "gpt",
        "system_tag": "system",
    },
}  # fmt: skip
SHAREGPT = {
    "conversations": [{"from": "human", "value": "<audio>"}, {"from": "gpt", "value": "Oh."}],
    "audios": ["1.flac"],
}
OSUM = {
    "key": "a",
    "wav": "2.flac",
    "txt": "Oh.",
    "wav_1": "1.flac",
    "txt_1": "Yes",
    "extra": {"think_str": "why", "speech_token": [], "speech_token_1": []},
    "task": "<S2TCHAT> <TEXT2TOKEN> <THINK>",
}
CHAT = {
    "messages": [
        {"role": "user", "content": [{"type": "audio", "audio": "1.flac"}], "loss": [False]},
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "[why]"}, {"type": "text", "text": "Oh."}],
            "loss": [False, True],
        },
    ]
}


def test_sound_lines_are_read():
    assert read_as_swift(SWIFT) == ("<audio>|Yes|<audio>|[why]", "Oh.", ["1.flac", "2.flac"])
    assert read_as_llamafactory(SHAREGPT, DESCRIBED) == ("<audio>", "Oh.", ["1.flac"])
    assert read_as_osum(OSUM) == (
        "<audio>|Yes|<audio>", "<think>why<think end>Oh.", ["1.flac", "2.flac"]
    )  # fmt: skip
    assert read_as_hugging_face(CHAT) == (
        "<|user|>[sound 1.flac]<|end|><|assistant|>[why]", "Oh.<|end|>", ["1.flac"]
    )  # fmt: skip


def changed(line, *path, to):
    """Return a line in which one place holds something else."""
    copy = deepcopy(line)
    place = copy
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return copy


@pytest.mark.parametrize(
    "line",
    [
        changed(SWIFT, "audios", to=["1.flac"]),
        changed(SWIFT, "messages", 1, "role", to="user"),
        changed(SWIFT, "messages", 0, "role", to="assistant"),
        changed(SWIFT, "messages", 4, "loss", to=False),
        changed(SWIFT, "messages", 4, "kind", to="write"),
    ],
)
def test_ms_swift_refuses_or_learns_nothing_of(line):
    with pytest.raises(AssertionError):
        read_as_swift(line)


def test_ms_swift_learns_a_reply_that_does_not_say_otherwise():
    line = deepcopy(SWIFT)
    del line["messages"][1]["loss"]
    assert read_as_swift(line).learned == "YesOh."


@pytest.mark.parametrize(
    "line",
    [
        changed(SHAREGPT, "audios", to=[]),
        changed(SHAREGPT, "conversations", 0, "from", to="gpt"),
        changed(SHAREGPT, "conversations", 1, "value", to="<video>"),
        changed(SHAREGPT, "conversations", to=SHAREGPT["conversations"] * 2 + [{}]),
    ],
)
def test_llama_factory_refuses(line):
    with pytest.raises((AssertionError, KeyError)):
        read_as_llamafactory(line, DESCRIBED)


@pytest.mark.parametrize(
    "line",
    [
        changed(OSUM, "txt", to="<happy>Oh."),
        changed(OSUM, "task", to="<S2TCHAT> <THINKER>"),
        changed(OSUM, "task", to="<S2TCHAT> <TEXT2TOKEN> <HISTORY>"),
        changed(OSUM, "wav_3", to="0.flac"),
        changed(OSUM, "extra", "question", to=""),
    ],
)
def test_osum_refuses(line):
    with pytest.raises(AssertionError):
        read_as_osum(line)


@pytest.mark.parametrize(
    "line",
    [
        changed(CHAT, "messages", 1, "loss", to=[True, False]),
        changed(CHAT, "messages", 1, "loss", to=[True]),
        changed(CHAT, "messages", 0, "loss", to=[True]),
        changed(CHAT, "messages", 0, "role", to="assistant"),
        changed(CHAT, "messages", 0, "content", 0, "text", to=None),
    ],
)
def test_a_chat_template_or_its_mask_refuses(line):
    with pytest.raises(AssertionError):
        read_as_hugging_face(line)
