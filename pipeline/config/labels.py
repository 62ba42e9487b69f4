"""How emotions are labeled."""

from typing import Literal

from pydantic import Field

from ieat.pipeline.config.base import Settings
from ieat.schemas.emotion import Emotion

FusionPolicy = Literal["text", "voice", "agree", "weighted"]


class LabelSettings(Settings):
    """How emotion words of the corpus are taken, and which turns are labeled."""

    outside: Literal["drop", "map", "other"] = "other"
    """What becomes of a corpus word outside the seven: dropped, mapped, or kept as it is."""
    emotion_map: dict[str, Emotion] = Field(default_factory=dict)
    """Emotion of each corpus word, for `outside: map`."""
    speakers: Literal["attributed", "all"] = "attributed"
    """Whose turns are labeled."""
    also_gold: bool = False
    """Whether turns with a corpus label are labeled too, to measure agreement."""
    min_confidence: float = Field(default=0.6, ge=0, le=1)
    """Confidence under which a label from the words counts as abstained."""
    min_agreement: float = Field(default=0.5, ge=0, le=1)
    """With several `samples`: share of the answers under which the emotion that most of them name
    counts as abstained."""
    fusion: FusionPolicy = "text"
    """What counts where the corpus has no label: `text` or `voice` alone, `agree` for what both
    name, or `weighted` for the surer one."""
    voice_weight: float = Field(default=1.0, ge=0)
    """Weight of the voice's confidence for `fusion: weighted`, where that of the words has 1."""
    conflict_confidence: float = Field(default=0.5, ge=0, le=1)
    """Least confidence of both labels at which voice and words, or voice and corpus, conflict; a
    label without a confidence counts as sure."""
