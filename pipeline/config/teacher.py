"""How the teacher of the self-distillation is asked."""

from typing import Any, Literal

from pydantic import Field

from ieat.pipeline.config.endpoints import LanguageModelSettings
from ieat.schemas.distillation import DistillationContext


class TeacherSettings(LanguageModelSettings):
    """How the teacher is asked; its defaults are greedy and without thinking."""

    max_tokens: int = Field(default=256, gt=0)
    """Most tokens of an answer; one that is cut there is kept, marked as `early_stop`."""
    thinking_off: Literal["qwen", "none"] = "qwen"
    """How thinking is switched off: `qwen` sends enable_thinking: false for the chat template,
    which vLLM, SGLang and llama.cpp hand on and templates without it ignore; `none` sends nothing,
    for models that do not think and servers that refuse unknown fields, as OpenAI's do."""
    context: DistillationContext = "turn"
    """What the teacher sees: the `turn` alone, or its `history` up to it."""

    @property
    def body(self) -> dict[str, Any]:
        """Further fields of the request, the switch of the thinking among them."""
        if self.thinking_off == "none":
            return self.extra_body
        given = self.extra_body.get("chat_template_kwargs")
        switched = {"enable_thinking": False} | (given if isinstance(given, dict) else {})
        return self.extra_body | {"chat_template_kwargs": switched}
