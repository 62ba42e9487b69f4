"""The tables of HumDial's tasks."""

from typing import Literal

from pydantic import Field

from ieat.pipeline.config.base import Settings
from ieat.schemas.humdial_rows import T3Rule

HumdialTable = Literal["t1", "t2", "t3", "t4"]


class HumdialTableSettings(Settings):
    """How rows of HumDial's tasks are made, and what their answers must hold."""

    t1_question_emotion: bool = False
    """Whether the emotion of the turn that asks is part of T1's sequence; the organizers do not
    say."""
    t1_min_tied: float = Field(default=1.0, ge=0, le=1)
    """Least share of T1's emotions, neutral ones apart, that the answer ties to their event."""
    t2_min_arguments: int = Field(default=2, ge=1)
    """Fewest arguments of T2."""
    t2_min_tied: float = Field(default=0.5, ge=0, le=1)
    """Least share of T2's causes that the answer takes up."""
    t2_max_restated: float = Field(default=0.8, ge=0, le=1)
    """Share of T2's root cause that may stand in the quotes already."""
    t3_rule: T3Rule = "last_non_neutral"
    """Which target turn T3 takes: that of the README, or that of the official script."""
    min_turns: int = Field(default=2, ge=1)
    """Fewest turns of the user, the question apart, of which a look back is asked."""
    max_turns: int = Field(default=12, ge=1)
    """Most turns of the user, the question apart, of which a look back is asked."""
    max_tokens: int = Field(default=4096, gt=0)
    """Most tokens of a look back, in place of language_model_settings.max_tokens: it is longer
    than the other answers."""
    max_answer_words: int = Field(default=130, ge=1)
    """Most words of an answer of T1 or T2 in English."""
    max_answer_characters: int = Field(default=260, ge=1)
    """Most characters of an answer of T1 or T2 in Chinese."""
