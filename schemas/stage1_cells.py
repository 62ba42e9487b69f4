"""Parts of stage-1 rows beside words and attributes."""

from typing import Literal

from ieat.schemas.base import Index, Value
from ieat.schemas.cells import TrainableCell
from ieat.schemas.distillation import DistillationContext
from ieat.schemas.emotion import Emotion
from ieat.schemas.engine import Message


class SamplingCell(Value):
    """How an answer was drawn."""

    temperature: float
    """Softmax temperature; 0 is greedy."""
    top_p: float | None
    """Nucleus probability; null leaves it to the server."""
    max_tokens: Index
    """Most tokens of an answer."""
    seed: int | None
    """Seed that was sent to the server; null when none was."""
    extra_body: str
    """Further fields of the request, as JSON; empty when there are none."""


class DistillationCell(Value):
    """Stage 1, self-distillation: the student hears what the teacher read, and answers alike."""

    task: Literal["distillation"] = "distillation"
    """Name of the task."""
    instruction: str
    """What the student is told beside the sound; names no emotion."""
    context: DistillationContext
    """Whether the teacher saw the turn alone or the turns before it too."""
    context_turns: tuple[Index, ...]
    """0-based turns that the teacher saw before this one, in order."""
    assistant_turns: tuple[Index, ...]
    """Those of `context_turns` that are the assistant's own words; the student hears the others."""
    teacher_messages: tuple[Message, ...]
    """What the teacher was asked; never shown to the student."""
    target_text: str
    """The teacher's answer: what the student learns to say."""
    emotion: Emotion | None
    """The emotion that the teacher was told; null when it is unknown."""
    events: tuple[str, ...]
    """The sounds besides speech that the teacher was told."""
    teacher_id: str
    """Engine that answered, with model and revision."""
    sampling: SamplingCell
    """How the answer was drawn."""
    stop_reason: str | None
    """Why the answer ended, in the server's own word; null when it says none."""
    early_stop: bool
    """Whether the answer was cut at the length limit: train on no end of text then."""
    trainable: TrainableCell
    """Whether the answer is fit to train on."""
    flags: tuple[str, ...]
    """What is odd about the answer, as codes (docs/codes.md)."""
