"""Trains the linear labeler: `python -m ieat.pipeline.engines.train_linear FOLDER`."""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt
import typer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score

from ieat.pipeline.engines.linear import (
    EMOTIONS,
    WEIGHTS,
    LinearWeights,
    NgramFeatures,
    quantize,
)
from ieat.schemas.emotion import Emotion

DIALOGUE_WORDS = {
    "anger": Emotion.ANGER,
    "disgust": Emotion.DISGUST,
    "fear": Emotion.FEAR,
    "happiness": Emotion.HAPPY,
    "neutral": Emotion.NEUTRAL,
    "sadness": Emotion.SAD,
    "surprise": Emotion.SURPRISE,
}
"""Emotion words of DailyDialog."""


class Comment(NamedTuple):
    """One comment and the indices of its labels, one or more."""

    text: str
    labels: tuple[int, ...]


def read_comments(file: Path) -> list[Comment]:
    """Read a tab-separated file of text, label indices joined by commas, and id."""
    comments = []
    for line in file.read_text(encoding="utf-8").split("\n"):
        if line:
            text, labels, _ = line.rstrip("\r").rsplit("\t", 2)
            comments.append(Comment(text, tuple(int(label) for label in labels.split(","))))
    return comments


def train(comments: list[Comment], regularization: float) -> LinearWeights:
    """Fit a multinomial logistic regression.

    A comment with several labels counts once for each of them, with that share of its weight.

    Args:
        comments: What to learn from.
        regularization: Inverse strength of the L2 penalty; higher fits closer.
    """
    rows = [row for row, comment in enumerate(comments) for _ in comment.labels]
    labels = [label for comment in comments for label in comment.labels]
    shares = [1.0 / len(comment.labels) for comment in comments for _ in comment.labels]
    features = NgramFeatures().of([comment.text for comment in comments])[rows]
    model = LogisticRegression(C=regularization, max_iter=300, tol=1e-3)
    model.fit(features, labels, sample_weight=shares)
    return quantize(model.coef_, model.intercept_)


def scores(truth: list[int], predicted: npt.NDArray[np.int64]) -> str:
    """Return accuracy and macro-F1 over the seven emotions, and the majority's accuracy."""
    majority = Counter(truth).most_common(1)[0][1] / len(truth)
    macro = f1_score(
        truth, predicted, average="macro", labels=range(len(EMOTIONS)), zero_division=0
    )
    return (
        f"{len(truth)} texts, accuracy {accuracy_score(truth, predicted):.3f}, "
        f"macro-F1 {macro:.3f}, majority {majority:.3f}"
    )


SURE = 0.6
"""Confidence from which scores are printed apart; the default of `labels.min_confidence`."""


def evaluate(weights: LinearWeights, name: str, comments: list[Comment]) -> None:
    """Print the scores over comments with one label, then over all, where any label is right."""
    probabilities = weights.probabilities([comment.text for comment in comments])
    predicted = probabilities.argmax(axis=1)
    single = [row for row, comment in enumerate(comments) if len(comment.labels) == 1]
    truth = [comments[row].labels[0] for row in single]
    typer.echo(f"{name}, one label: {scores(truth, predicted[single])}")
    any_right = np.mean([predicted[row] in comments[row].labels for row in range(len(comments))])
    typer.echo(f"{name}, all {len(comments)}, any of its labels: accuracy {any_right:.3f}")
    sure = [place for place, row in enumerate(single) if probabilities[row].max() >= SURE]
    if sure:
        rows = [single[place] for place in sure]
        typer.echo(
            f"{name}, one label, confidence {SURE} and more "
            f"({len(sure) / len(single):.3f} of them): "
            f"{scores([truth[place] for place in sure], predicted[rows])}"
        )


def read_dialogues(file: Path) -> list[Comment]:
    """Read turns with a DailyDialog emotion from JSON lines of dialogues."""
    turns = []
    for line in file.read_text(encoding="utf-8").splitlines():
        for turn in json.loads(line)["turns"]:
            emotion = DIALOGUE_WORDS.get(turn["emotion"])
            if emotion is not None:
                turns.append(Comment(turn["text"], (EMOTIONS.index(emotion),)))
    return turns


def main(
    folder: Annotated[Path, typer.Argument(help="Folder with train.tsv, dev.tsv and test.tsv.")],
    dialogues: Annotated[
        Path | None, typer.Option(help="Dialogues as JSON lines to measure on as well.")
    ] = None,
    regularization: Annotated[float, typer.Option(help="Inverse strength of the penalty.")] = 1.0,
    output: Annotated[Path, typer.Option(help="Where the weights are written.")] = WEIGHTS,
) -> None:
    """Train, measure, write the weights, and print the SHA-256 to pin in linear.py."""
    weights = train(read_comments(folder / "train.tsv"), regularization)
    output.parent.mkdir(parents=True, exist_ok=True)
    sha256 = weights.save(output)
    for name in ("dev", "test"):
        evaluate(weights, name, read_comments(folder / f"{name}.tsv"))
    if dialogues is not None:
        evaluate(weights, dialogues.stem, read_dialogues(dialogues))
    typer.echo(f"{output}: {output.stat().st_size} bytes, SHA-256 {sha256}")


if __name__ == "__main__":
    typer.run(main)
