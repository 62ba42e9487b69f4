"""A small linear baseline that labels English turns from their words; no service, no key."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack  # type: ignore[import-untyped]
from sklearn.feature_extraction.text import HashingVectorizer

from ieat.pipeline.failures import ConfigError
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion, EmotionLabel, SoftLabels
from ieat.schemas.history import History

WEIGHTS = Path(__file__).with_name("weights") / "linear_en.npz"
WEIGHTS_SHA256 = "8cb45caa7f6deea2bb8bd96f2e1934aaf3612ed27a46c18f6b19c9046ac1364d"
"""SHA-256 of the shipped weights; `train_linear.py` prints the one of new weights."""

NUM_FEATURES_EACH = 2**16
"""Hashed features of the words, and as many of the characters."""

EMOTIONS: tuple[Emotion, ...] = (
    Emotion.ANGER,
    Emotion.DISGUST,
    Emotion.FEAR,
    Emotion.HAPPY,
    Emotion.NEUTRAL,
    Emotion.SAD,
    Emotion.SURPRISE,
)
"""Rows of the weights, in the label order of GoEmotions' Ekman files."""


class LinearWeights:
    """Logistic regression over hashed n-grams, quantized to 8 bits.

    Args:
        quantized: Shape (7, 2 * NUM_FEATURES_EACH), int8, one row per emotion.
        scales: Shape (7,), float32; a weight is `quantized * scale` of its row.
        bias: Shape (7,), float32.
    """

    def __init__(
        self,
        quantized: npt.NDArray[np.int8],
        scales: npt.NDArray[np.float32],
        bias: npt.NDArray[np.float32],
    ) -> None:
        self.quantized = quantized
        self.scales = scales
        self.bias = bias
        # Kept as one row per feature, so that a short text reads a few short rows.
        self._by_feature = np.ascontiguousarray(quantized.T.astype(np.float32) * scales)
        self._features = NgramFeatures()

    def probabilities(self, texts: list[str]) -> npt.NDArray[np.float64]:
        """Return the probability of each emotion, shape (num_texts, 7), rows summing to 1."""
        scores = self._features.of(texts) @ self._by_feature + self.bias
        scores = np.asarray(scores, dtype=np.float64)
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def save(self, file: Path) -> str:
        """Write the weights and return the SHA-256 of the file."""
        np.savez_compressed(file, quantized=self.quantized, scales=self.scales, bias=self.bias)
        return hashlib.sha256(file.read_bytes()).hexdigest()


class NgramFeatures:
    """Hashed n-grams of 1-2 words and of 2-4 characters within words."""

    def __init__(self) -> None:
        self._hashers: tuple[Any, Any] = (
            HashingVectorizer(
                n_features=NUM_FEATURES_EACH,
                ngram_range=(1, 2),
                token_pattern=r"(?u)\b\w+(?:'\w+)?\b|[!?]",
                dtype=np.float32,
            ),
            HashingVectorizer(
                n_features=NUM_FEATURES_EACH,
                ngram_range=(2, 4),
                analyzer="char_wb",
                dtype=np.float32,
            ),
        )

    def of(self, texts: list[str]) -> csr_matrix:
        """Return the features, sparse, shape (num_texts, 2 * NUM_FEATURES_EACH)."""
        plain = [text.replace("’", "'") for text in texts]
        return hstack([hasher.transform(plain) for hasher in self._hashers], format="csr")


def quantize(weights: npt.NDArray[np.float64], bias: npt.NDArray[np.float64]) -> LinearWeights:
    """Round weights to 8 bits, one scale per emotion.

    Args:
        weights: Shape (7, 2 * NUM_FEATURES_EACH).
        bias: Shape (7,).
    """
    scales = np.abs(weights).max(axis=1) / 127.0
    quantized = np.round(weights / scales[:, None]).astype(np.int8)
    return LinearWeights(quantized, scales.astype(np.float32), bias.astype(np.float32))


def load_weights(file: Path = WEIGHTS, sha256: str = WEIGHTS_SHA256) -> LinearWeights:
    """Read the shipped weights.

    Raises:
        ConfigError: The file is missing or is not the released one.
    """
    try:
        found = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError(
            f"cannot read the weights of the linear labeler ({file}): {error.strerror}; "
            "install ieat again, or take another labeler"
        ) from None
    if found != sha256:
        raise ConfigError(
            f"the weights of the linear labeler ({file}) are not the released ones: SHA-256 "
            f"{found[:12]}, wanted {sha256[:12]}; install ieat again, or take another labeler"
        )
    with np.load(file, allow_pickle=False) as arrays:
        return LinearWeights(arrays["quantized"], arrays["scales"], arrays["bias"])


class LinearLabeler:
    """Labels the last turn of a history from its own words; abstains on all but English.

    Args:
        min_confidence: Probability, 0 to 1, under which the labeler abstains.
    """

    def __init__(self, min_confidence: float = 0.6) -> None:
        self._weights = load_weights()
        self._min_confidence = min_confidence
        self.labeler_id = f"linear@{WEIGHTS_SHA256[:12]}"

    async def label(self, history: History) -> EmotionLabel:
        """Return the label; its emotion is null for Chinese and under the minimal confidence."""
        if history.language is not Language.EN:
            return EmotionLabel(source="text", labeler_id=self.labeler_id, emotion=None)
        # Under a millisecond: a thread of its own would cost more than the work.
        probabilities = self._weights.probabilities([history.last.clean])[0]
        best = int(probabilities.argmax())
        confidence = min(1.0, round(float(probabilities[best]), 6))
        return EmotionLabel(
            source="text",
            labeler_id=self.labeler_id,
            emotion=EMOTIONS[best] if confidence >= self._min_confidence else None,
            confidence=confidence,
            soft=SoftLabels(
                **{
                    emotion.value: min(1.0, round(float(share), 6))
                    for emotion, share in zip(EMOTIONS, probabilities, strict=True)
                }
            ),
        )
