"""What each code base makes of a line, written anew from its documentation and its code.

Nothing here knows how lines are rendered. Each function reads a line as the named code does, and
fails where that code would fail, drop the line, or warn that it is abnormal.

ms-swift 4.6.0: docs Customization/Custom-dataset; `RowPreprocessor._check_messages`,
  `Template._swift_prepare_inputs`, `Template._get_std_messages`, `LossScale`.
LLaMA-Factory 0.9.5: data/README.md; `SharegptDatasetConverter`, `MMPlugin._validate_messages`,
  `SupervisedDatasetProcessor` with `mask_history`.
OSUM-EChat at 28b97c7: README; wenet/dataset/process/processor.py, `parse_raw` and `tokenize`.
Transformers: docs Multimodal chat templates; TRL 1.16.0: docs Dataset formats.
"""

import re
from typing import Any, NamedTuple

import jinja2

AUDIO = "<audio>"

CHAT_TEMPLATE = jinja2.Environment(autoescape=False).from_string(
    "{% for message in messages %}"
    "{{ raise_unless_alternating(messages) if loop.first }}"
    "<|{{ message.role }}|>"
    "{% for part in message.content %}"
    "{% if part.type == 'audio' %}[sound {{ part.audio }}]{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}<|end|>"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
"""A chat template as models have: a list of parts a message, roles that must alternate."""


class Processor:
    """Applies the chat template as Transformers' processors do."""

    def apply_chat_template(
        self,
        messages: list[dict[str, Any]],
        *,
        tokenize: bool,
        add_generation_prompt: bool = False,
        continue_final_message: bool = False,
    ) -> str:
        """Render messages as text; a message to continue has no end."""
        assert not tokenize
        text = CHAT_TEMPLATE.render(
            messages=messages,
            add_generation_prompt=add_generation_prompt,
            raise_unless_alternating=_raise_unless_alternating,
        )
        return text.removesuffix("<|end|>") if continue_final_message else text


class Learned(NamedTuple):
    """What a trainer makes of a line."""

    context: str
    """Everything that has no loss, messages joined by |."""
    learned: str
    """What has loss."""
    audios: list[str]
    """Files that are heard, in order."""


def read_as_swift(line: dict[str, Any]) -> Learned:
    """Read a line as ms-swift does with its default loss scale, from 4.3.0 on."""
    messages = line["messages"]
    for message in messages:
        assert set(message) <= {"role", "content", "loss"}
        assert message["role"] in {"system", "user", "assistant"}
        assert isinstance(message["content"], str)
    assert sum(message["content"].count(AUDIO) for message in messages) == len(line["audios"])
    turns: list[tuple[str, list[tuple[str, bool | None]]]] = []
    for message in messages:
        part = (message["content"], message.get("loss"))
        if turns and turns[-1][0] == message["role"]:
            # Parts of one turn keep their loss only where they are the assistant's.
            assert message["role"] == "assistant"
            turns[-1][1].append(part)
        else:
            turns.append((message["role"], [part]))
    if turns[0][0] == "system":
        turns.pop(0)
    assert [role for role, _ in turns] == ["user", "assistant"] * (len(turns) // 2)
    context, learned = [], []
    for role, parts in turns:
        for text, loss in parts:
            # A message of the assistant without a loss of its own is learned.
            is_learned = role == "assistant" and loss is not False
            (learned if is_learned else context).append(text)
    assert turns[-1][1][-1][1] is True, "the end of the answer is learned with its last part"
    return Learned("|".join(context), "".join(learned), line["audios"])


def read_as_llamafactory(line: dict[str, Any], described: dict[str, Any]) -> Learned:
    """Read a line as LLaMA-Factory does, by its entry in dataset_info.json, with mask_history."""
    assert described["formatting"] == "sharegpt"
    tags, columns = described["tags"], described["columns"]
    messages = [
        (message[tags["role_tag"]], message[tags["content_tag"]])
        for message in line[columns["messages"]]
    ]
    if messages[0][0] == tags["system_tag"]:
        messages.pop(0)
    accepted = (tags["user_tag"], tags["assistant_tag"])
    for place, (role, _) in enumerate(messages):
        assert role == accepted[place % 2], "the converter drops an abnormal example"
    assert len(messages) % 2 == 0, "the converter drops an abnormal example"
    texts = [content for _, content in messages]
    audios = line[columns["audios"]]
    assert sum(text.count(AUDIO) for text in texts) == len(audios)
    assert not any("<image>" in text or "<video>" in text for text in texts)
    return Learned("|".join(texts[:-1]), texts[-1], audios)


def read_as_osum(line: dict[str, Any]) -> Learned:
    """Read a line as OSUM-EChat's raw loader does; speech tokens are asked for, not checked."""
    assert {"key", "wav", "txt", "task", "extra"} <= set(line)
    task, text, extra = line["task"], line["txt"].replace("\n", " "), line["extra"]
    assert "question" not in extra or extra["question"]
    # The loader takes a leading tag for the emotion of the answer, and cuts it off.
    assert not re.match(r"<[^<>]+>", text)
    if task in ("<S2TCHAT> <THINKER>", "<S2TCHAT> <TEXT2TOKEN> <THINK>"):
        text = f"<think>{extra['think_str']}<think end>{text}"
    else:
        assert task in ("<S2TCHAT>", "<S2TCHAT> <TEXT2TOKEN> <HISTORY>", "<TRANSCRIBE>")
        assert "think_str" not in extra
    if task == "<TRANSCRIBE>":
        text = text.lower()
    places = sorted(int(name.removeprefix("wav_")) for name in line if name.startswith("wav_"))
    assert places == list(range(1, len(places) + 1))
    assert {f"txt_{place}" for place in places} == {name for name in line if "txt_" in name}
    # Only tasks with speech tokens see the turns before, and they need a list of tokens.
    assert bool(places) == ("<TEXT2TOKEN>" in task)
    assert (extra.get("speech_token") == []) == bool(places)
    heard = [line[f"wav_{place}"] for place in places]
    replies = [line[f"txt_{place}"] for place in places]
    before = [part for pair in zip([AUDIO] * len(heard), replies, strict=True) for part in pair]
    return Learned("|".join([*before, AUDIO]), text, [*heard, line["wav"]])


def read_as_hugging_face(line: dict[str, Any]) -> Learned:
    """Render a line by a chat template; what is learned is its end, from the first loss on."""
    messages = line["messages"]
    audios = []
    for message in messages:
        assert len(message["content"]) == len(message["loss"]) > 0
        for part in message["content"]:
            kind = part["type"]
            assert set(part) == {"type", kind}
            assert kind in {"audio", "text"}
            if kind == "audio":
                assert message["role"] == "user"
                audios.append(part["audio"])
    *before, last = messages
    assert last["role"] == "assistant"
    assert not any(loss for message in before for loss in message["loss"])
    first = last["loss"].index(True)
    assert all(last["loss"][first:])
    whole = Processor().apply_chat_template(messages, tokenize=False)
    shown = {**last, "content": last["content"][:first]}
    prompt = Processor().apply_chat_template(
        [*before, shown], tokenize=False, continue_final_message=True
    )
    assert whole.startswith(prompt)
    return Learned(prompt, whole[len(prompt) :], audios)


def _raise_unless_alternating(messages: list[dict[str, Any]]) -> str:
    roles = [message["role"] for message in messages if message["role"] != "system"]
    assert roles == (["user", "assistant"] * len(roles))[: len(roles)]
    return ""
