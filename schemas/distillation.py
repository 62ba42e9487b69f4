"""What a teacher answers to a turn: the target of a student that only hears it."""

from typing import Literal

from pydantic import Field

from ieat.schemas.base import Index, Value
from ieat.schemas.emotion import Emotion
from ieat.schemas.engine import Message, Sampling

DistillationContext = Literal["turn", "history"]


class Distillation(Value):
    """A turn as the teacher read it and as the student hears it, and the teacher's answer."""

    turn_index: Index
    """0-based turn that is answered."""
    instruction: str = Field(min_length=1)
    """What the student is told beside the sound; names no emotion."""
    context: DistillationContext
    """Whether the teacher saw the turn alone or the turns before it too."""
    context_turns: tuple[Index, ...]
    """0-based turns that the teacher saw before the answered one, in order."""
    assistant_turns: tuple[Index, ...]
    """Those of `context_turns` that were shown as the assistant's own words."""
    emotion: Emotion | None
    """The emotion that the teacher was told; null when it is unknown."""
    events: tuple[str, ...]
    """The sounds besides speech that the teacher was told."""
    messages: tuple[Message, ...] = Field(min_length=1)
    """What the teacher was asked, a re-ask included; the student sees none of it."""
    target: str = Field(min_length=1)
    """The teacher's answer."""
    teacher_id: str
    """Engine that answered, with model and revision."""
    sampling: Sampling
    """How the answer was drawn."""
    stop_reason: str | None
    """Why the answer ended, in the server's own word; null when it says none."""
    early_stop: bool
    """Whether the answer was cut at the length limit: the student learns no end of text."""
    prompt_id: str
    """Prompt that was asked, as name@version.language."""
    prompt_sha256: str
    """SHA-256 of the prompt's template."""
    response_keys: tuple[str, ...]
    """Keys of the stored answers, a re-ask last."""
    flags: tuple[str, ...] = ()
    """What is odd about the answer, as codes (docs/codes.md)."""
