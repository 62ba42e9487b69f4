"""Choose the thresholds of the extractive rules on a benchmark file, and test the choice.

    python -m tests.bench_extractive reccon_dailydialog_valid.jsonl

The thresholds are chosen on nine tenths of the dialogues and scored on the rest, in ten folds, for
twenty ways of folding. Nothing is fitted but two small integers, and nothing of the file is kept.
"""

import argparse
import sys
from collections import Counter
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ieat.pipeline.bench.bootstrap import Floats, Resamples, f1
from ieat.pipeline.bench.gold import GoldDialogue
from ieat.pipeline.bench.reading import read_gold
from ieat.pipeline.engines.extractive import REACTIONS, content_words

NUM_FOLDS = 10
NUM_FOLDINGS = 20


class Thresholds(NamedTuple):
    """What is chosen; null leaves a rule out."""

    reaction: int | None
    """Most content words, reactions not counted, of a turn that only reacts."""
    answer: int | None
    """Content words from which an answer to a question is its own cause."""


BOTH = Thresholds(None, None)
CHOICES = [Thresholds(*both) for both in product((None, 0, 1, 2, 3), (None, 4, 5, 6, 7, 8, 10))]


def cited(dialogue: GoldDialogue, turn: int, chosen: Thresholds) -> set[int]:
    """Return the turns that the rules cite."""
    if turn == 0:
        return {0}
    content = content_words(dialogue.turns[turn].text)
    if chosen.reaction is not None and len(content - REACTIONS) <= chosen.reaction:
        return {turn - 1}
    is_asked = dialogue.turns[turn - 1].text.rstrip(" \"'”’").endswith("?")
    if chosen.answer is not None and is_asked and len(content) >= chosen.answer:
        return {turn}
    return {turn, turn - 1}


def count(dialogues: tuple[GoldDialogue, ...], chosen: Thresholds) -> Floats:
    """Return right, found and wanted turns of each dialogue, shape (dialogues, 1, 3)."""
    counts = np.zeros((len(dialogues), 1, 3))
    for number, dialogue in enumerate(dialogues):
        for cause in dialogue.scored_causes():
            found, wanted = cited(dialogue, cause.turn_index, chosen), set(cause.cause_turns)
            counts[number, 0] += (len(found & wanted), len(found), len(wanted))
    return counts


def main() -> None:
    """Print the figures of all choices, and those of the choice that is not made on its test."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    dialogues = read_gold(parser.parse_args().file).dialogues
    counts = {chosen: count(dialogues, chosen) for chosen in CHOICES}
    draws = Resamples(len(dialogues))
    for chosen in CHOICES:
        value = draws.interval(counts[chosen], f1).value
        above = draws.difference(counts[chosen], counts[BOTH], f1)
        sys.stdout.write(
            f"reaction {chosen.reaction!s:>4} answer {chosen.answer!s:>4}: F1 {value:.3f}, "
            f"above both {above.value:+.3f} [{above.low:+.3f}, {above.high:+.3f}]\n"
        )
    values, lows, highs = [], [], []
    picked: Counter[Thresholds] = Counter()
    for seed in range(NUM_FOLDINGS):
        folds = np.array_split(np.random.default_rng(seed).permutation(len(dialogues)), NUM_FOLDS)
        tested = np.zeros_like(counts[BOTH])
        for fold in folds:
            rest = np.setdiff1d(np.arange(len(dialogues)), fold)
            best = max(CHOICES, key=lambda chosen: float(f1(counts[chosen][rest].sum(axis=0))))
            tested[fold] = counts[best][fold]
            picked[best] += 1
        above = draws.difference(tested, counts[BOTH], f1)
        values.append(float(f1(tested.sum(axis=0))))
        lows.append(above.low)
        highs.append(above.high)
    sys.stdout.write(
        f"\nchosen on other dialogues: F1 {np.mean(values):.3f} (from {min(values):.3f} to "
        f"{max(values):.3f}), above both [{np.mean(lows):+.3f}, {np.mean(highs):+.3f}] on average, "
        f"lowest end {min(lows):+.3f}\nmost often: {picked.most_common(3)}\n"
    )


if __name__ == "__main__":
    main()
