"""What a benchmark found: figures with intervals, as JSON has them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ieat.pipeline.bench.bootstrap import (
    COVERAGE,
    Figure,
    Floats,
    Resamples,
    f1,
    macro_f1,
    precision,
    recall,
    weighted_f1,
)
from ieat.pipeline.bench.gold import GoldDialogue, GoldFile
from ieat.pipeline.bench.scores import (
    CauseScore,
    FoundEmotion,
    Place,
    SpokenDialogue,
    count_by_emotion,
    count_emotions,
    gold_slices,
)
from ieat.schemas.emotion import Emotion

MEASURES: Mapping[str, str] = {
    "turns": "cited turns against gold turns, summed over states",
    "tokens": "words (English) or characters (Chinese) inside quotes against those inside gold "
    "spans, by their place in the turn, summed over states",
    "spans": "quotes that hold exactly the tokens of a gold span, summed over states",
}
"""What is counted for causes: right, found and wanted of each make precision, recall and F1."""

FIGURES: Mapping[str, Figure] = {
    "precision": precision,
    "recall": recall,
    "f1": f1,
    "weighted_f1": weighted_f1,
}
"""Figures of a measure; `weighted_f1` is the mean over emotions, weighted by what is wanted."""

PLAIN_FIGURES = ("precision", "recall", "f1")
"""Figures of one emotion or one kind of cause."""


@dataclass(frozen=True)
class Answers:
    """One row of a report: an engine with its prompt, or a rule."""

    name: str
    """What it is called in the report."""
    engine_id: str | None = None
    """Engine with model and revision; null for a rule."""
    prompts: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the templates that were asked, by id."""


@dataclass(frozen=True)
class CauseAnswers(Answers):
    """Found causes, scored."""

    scores: Sequence[CauseScore] = ()


@dataclass(frozen=True)
class EmotionAnswers(Answers):
    """Found emotions."""

    found: Mapping[Place, FoundEmotion] = field(default_factory=dict)


Report = dict[str, Any]
"""A report as JSON has it."""


def report_causes(
    file: GoldFile,
    runs: Sequence[CauseAnswers],
    rules: Sequence[CauseAnswers],
    against: str,
    draws: Resamples,
) -> Report:
    """Return all figures of a benchmark of causes.

    Args:
        file: The benchmark.
        runs: What was measured; with several, each is also compared with the first.
        rules: What it is held against.
        against: Name of the rule that every run is compared with.
        draws: The resamples of all intervals.
    """
    size = len(file.dialogues)
    names = _spans_or_turns(file)
    rows = [*runs, *rules]
    counts = {
        row.name: {name: count_by_emotion(row.scores, name, size) for name in names} for row in rows
    }
    return {
        "benchmark": "causes",
        **_about(file),
        "states": sum(len(gold.scored_causes()) for gold in file.dialogues),
        "left_out": _left_out(file.dialogues),
        "measures": {name: MEASURES[name] for name in names},
        "rows": [
            _row(row)
            | {"failed": dict(Counter(score.code for score in row.scores if score.code))}
            | {
                name: {
                    figure: draws.interval(counts[row.name][name], of)._asdict()
                    for figure, of in FIGURES.items()
                }
                for name in names
            }
            | {
                "by_emotion": _by_emotion(row.scores, size, draws),
                "by_kind": _by_kind(row.scores, size, draws),
            }
            for row in rows
        ],
        "differences": [
            {"of": one, "against": other}
            | {
                f"{name}_f1": draws.difference(counts[one][name], counts[other][name], f1)._asdict()
                for name in names
            }
            for one, other in _pairs([run.name for run in runs], against)
        ],
        "answers": [
            {
                "dialogue": file.dialogues[score.place.dialogue].name,
                "turn": score.place.turn,
                "emotion": score.emotion.value,
                "kinds": list(score.kinds),
                "gold": list(_gold_turns(file, score.place)),
                "found": {row.name: list(row.scores[number].cited) for row in rows},
                "failed": {
                    run.name: run.scores[number].code for run in runs if run.scores[number].code
                },
            }
            for number, score in enumerate(rows[0].scores)
        ],
    }


def report_emotions(
    file: GoldFile,
    runs: Sequence[EmotionAnswers],
    rules: Sequence[EmotionAnswers],
    draws: Resamples,
) -> Report:
    """Return all figures of a benchmark of emotions; arguments as for causes."""
    rows = [*runs, *rules]
    counts = {row.name: count_emotions(file.dialogues, row.found) for row in rows}
    figures: dict[str, Figure] = {
        "accuracy": recall,
        "macro_f1": macro_f1,
        "precision_where_answered": precision,
    }
    return {
        "benchmark": "emotions",
        **_about(file),
        "labeled_turns": int(next(iter(counts.values()))[..., 2].sum()),
        "words_outside": _words_outside(file.dialogues),
        "measures": {
            "accuracy": "turns with the right emotion; no answer is wrong",
            "macro_f1": "mean of the F1 of the emotions that occur in the file",
            "precision_where_answered": "turns with the right emotion among those with an answer",
        },
        "rows": [
            _row(row)
            | {
                "failed": dict(Counter(given.code for given in row.found.values() if given.code)),
                "abstained": sum(
                    given.emotion is None and given.code is None for given in row.found.values()
                ),
            }
            | {name: draws.interval(counts[row.name], of)._asdict() for name, of in figures.items()}
            | {
                "by_emotion": {
                    emotion.value: _group(counts[row.name][:, [number], :], draws)
                    for number, emotion in enumerate(Emotion)
                    if counts[row.name][:, number, 2].any()
                }
            }
            for row in rows
        ],
        "differences": [
            {"of": one, "against": other}
            | {
                name: draws.difference(counts[one], counts[other], figures[name])._asdict()
                for name in ("accuracy", "macro_f1")
            }
            for one, other in _pairs([run.name for run in runs], rules[0].name)
        ],
        "answers": [
            {
                "dialogue": gold.name,
                "turn": index,
                "gold": turn.emotion.value,
                "found": {
                    row.name: None if given.emotion is None else given.emotion.value
                    for row in rows
                    for given in [row.found.get(Place(number, index), FoundEmotion())]
                },
            }
            for number, gold in enumerate(file.dialogues)
            for index, turn in enumerate(gold.turns)
            if turn.emotion is not None
        ],
    }


def _about(file: GoldFile) -> Report:
    return {
        "file": file.path,
        "sha256": file.sha256,
        "format": file.format,
        "coverage": COVERAGE,
        "dialogues": len(file.dialogues),
        "turns": sum(len(gold.turns) for gold in file.dialogues),
    }


def _row(row: Answers) -> Report:
    return {"name": row.name, "engine": row.engine_id, "prompts": dict(row.prompts)}


def _pairs(runs: Sequence[str], against: str) -> list[tuple[str, str]]:
    """Every run against the rule, and every further run against the first."""
    return [(run, against) for run in runs] + [(run, runs[0]) for run in runs[1:]]


def _spans_or_turns(file: GoldFile) -> list[str]:
    """Return what can be measured: a file may mark turns without words."""
    has_spans = any(cause.spans for gold in file.dialogues for cause in gold.scored_causes())
    return list(MEASURES) if has_spans else ["turns"]


def _left_out(dialogues: Sequence[GoldDialogue]) -> Report:
    """Count what the file holds and no figure can show, or no engine can reach."""
    causes = [(gold, cause) for gold in dialogues for cause in gold.causes]
    scored = [(gold, cause) for gold in dialogues for cause in gold.scored_causes()]
    lost = 0
    for gold in dialogues:
        spoken = SpokenDialogue(gold)
        lost += sum(gold_slices(cause, spoken)[1] for cause in gold.scored_causes())
    return {
        "causes_of_other_emotions": len(causes) - len(scored),
        "spans_not_in_their_turn": lost,
        "later_turns": sum(
            turn > cause.turn_index for _, cause in scored for turn in cause.cause_turns
        ),
        "background_causes": sum(cause.is_background for _, cause in scored),
    }


def _words_outside(dialogues: Sequence[GoldDialogue]) -> dict[str, int]:
    """Count the emotion words of a file that are none of the seven."""
    return dict(
        Counter(
            turn.word for gold in dialogues for turn in gold.turns if turn.word and not turn.emotion
        ).most_common()
    )


def _gold_turns(file: GoldFile, place: Place) -> tuple[int, ...]:
    causes = file.dialogues[place.dialogue].causes
    return next(cause.cause_turns for cause in causes if cause.turn_index == place.turn)


def _group(counts: Floats, draws: Resamples) -> Report:
    return {
        "num": int(counts[..., 2].sum()),
        **{name: draws.interval(counts, FIGURES[name])._asdict() for name in PLAIN_FIGURES},
    }


def _by_emotion(scores: Sequence[CauseScore], size: int, draws: Resamples) -> Report:
    counted = Counter(score.emotion for score in scores)
    return {
        emotion.value: {"states": counted[emotion]}
        | _turns_group([s for s in scores if s.emotion is emotion], size, draws)
        for emotion in Emotion
        if counted[emotion]
    }


def _by_kind(scores: Sequence[CauseScore], size: int, draws: Resamples) -> Report:
    """Return the figures by kind; a state of several kinds counts in each."""
    counted = Counter(kind for score in scores for kind in score.kinds)
    return {
        kind: {"states": num} | _turns_group([s for s in scores if kind in s.kinds], size, draws)
        for kind, num in counted.most_common()
    }


def _turns_group(scores: Sequence[CauseScore], size: int, draws: Resamples) -> Report:
    counts = count_by_emotion(scores, "turns", size)
    return {name: draws.interval(counts, FIGURES[name])._asdict() for name in PLAIN_FIGURES}
