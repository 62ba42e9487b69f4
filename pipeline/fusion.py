"""Choose between what the words and what the voice say of an emotion."""

from ieat.pipeline.config import FusionPolicy
from ieat.schemas.emotion import EmotionLabel


def fuse(
    text: EmotionLabel | None,
    voice: EmotionLabel | None,
    policy: FusionPolicy,
    voice_weight: float,
) -> EmotionLabel | None:
    """Return the label that counts; null when the policy chooses none.

    `text` and `voice` take that source alone. `agree` takes what both name, and nothing where they
    differ or one is silent. `weighted` takes the one with more weight, the only one where the other
    is silent, and the words where both weigh the same. A label that abstains is silent.

    Args:
        text: The label from the words; null when there is none.
        voice: The label from the sound; null when there is none.
        policy: Which source counts.
        voice_weight: Weight of the voice's confidence where that of the words has 1; a label
            without a confidence has 1.
    """
    words = _naming(text)
    sound = _naming(voice)
    if policy == "text":
        return words
    if policy == "voice":
        return sound
    if words is None or sound is None:
        return None if policy == "agree" else words or sound
    # Two that name the same add up to it, whatever they weigh: the words stand for both.
    if words.emotion is sound.emotion:
        return words
    if policy == "agree":
        return None
    return sound if _confidence(sound) * voice_weight > _confidence(words) else words


def is_conflict(
    gold: EmotionLabel | None,
    text: EmotionLabel | None,
    voice: EmotionLabel | None,
    conflict_confidence: float,
) -> bool:
    """Tell whether two sources name different emotions.

    The voice contradicts another label only where both are sure enough.

    Args:
        gold: The corpus' label; null when there is none.
        text: The label from the words; null when there is none.
        voice: The label from the sound; null when there is none.
        conflict_confidence: Least confidence of a label that counts against the voice's or is the
            voice's; a label without a confidence is sure.
    """
    others = [label for label in map(_naming, (gold, text)) if label is not None]
    if len({label.emotion for label in others}) > 1:
        return True
    sound = _naming(voice)
    if sound is None or _confidence(sound) < conflict_confidence:
        return False
    return any(
        label.emotion is not sound.emotion and _confidence(label) >= conflict_confidence
        for label in others
    )


def _naming(label: EmotionLabel | None) -> EmotionLabel | None:
    """Return a label that names an emotion; null for one that abstains."""
    return label if label is not None and label.emotion is not None else None


def _confidence(label: EmotionLabel) -> float:
    return 1.0 if label.confidence is None else label.confidence
