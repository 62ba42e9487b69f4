"""One benchmark from its file to its report."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from ieat.pipeline.bench.bootstrap import RESAMPLES, SEED, Resamples
from ieat.pipeline.bench.choosing import (
    Measured,
    asked_prompts,
    configure,
    each_prompt,
    prompt_hashes,
)
from ieat.pipeline.bench.gold import GoldFile
from ieat.pipeline.bench.reading import read_gold
from ieat.pipeline.bench.report import (
    CauseAnswers,
    EmotionAnswers,
    Report,
    report_causes,
    report_emotions,
)
from ieat.pipeline.bench.rules import (
    BOTH,
    CAUSE_RULES,
    MAJORITY,
    cite_by_rule,
    most_frequent_emotion,
)
from ieat.pipeline.bench.running import found_causes, found_emotions, run_causes, run_emotions
from ieat.pipeline.bench.scores import score_causes
from ieat.pipeline.config import BuildConfig
from ieat.pipeline.failures import ConfigError
from ieat.pipeline.run_report import describe_asked
from ieat.pipeline.spending.ledger import Budget, Ledger, sum_spent
from ieat.schemas.dialogue import Language


@dataclass(frozen=True)
class Wanted:
    """What a benchmark is to measure, and how."""

    file: Path
    """The benchmark file."""
    config_file: Path | None = None
    """YAML file of a build; null takes flags alone."""
    flags: Mapping[str, Any] | None = None
    """Keys of the configuration that go over the file."""
    base_url: str | None = None
    """Base URL of the endpoint; null leaves it."""
    prompts: tuple[str, ...] = ()
    """Versions of one prompt to compare."""
    limit: int | None = None
    """Most dialogues; null takes all."""
    language: Language = Language.EN
    """Language of dialogues that do not say it."""
    num_resamples: int | None = None
    """Bootstrap resamples; null means the default."""
    console: Console | None = None
    """Where progress is shown while a language model is asked; null shows none."""


def measure_causes(wanted: Wanted, *, is_labeled: bool = False) -> Report:
    """Have causes found, and hold them against gold ones and against rules.

    Args:
        wanted: What to measure.
        is_labeled: Whether emotions are labeled first, in place of the gold ones.

    Raises:
        ConfigError: A mistake in the file or the configuration.
        RunStopped: An engine is unavailable or the budget is used up.
    """
    bench = _Bench.begin(wanted, "causes", shows_emotions=not is_labeled)
    dialogues = bench.gold.dialogues
    if not any(gold.scored_causes() for gold in dialogues):
        raise ConfigError(f"{wanted.file}: holds no cause of an emotion")
    runs = []
    for name, (config, hashes) in bench.each.items():
        ran = run_causes(
            bench.gold, config, bench.ledger, shows_emotions=not is_labeled, console=bench.console
        )
        scores = score_causes(dialogues, found_causes(bench.gold, ran))
        runs.append(CauseAnswers(name or ran.engine_id, ran.engine_id, hashes, scores))
    rules = [
        CauseAnswers(name, scores=score_causes(dialogues, cite_by_rule(dialogues, rule)))
        for name, rule in CAUSE_RULES.items()
    ]
    report = report_causes(bench.gold, runs, rules, BOTH, bench.draws)
    return report | {"emotions": "labeled" if is_labeled else "gold"} | bench.end()


def measure_emotions(wanted: Wanted) -> Report:
    """Have emotions labeled, and hold them against gold ones and against the most frequent one.

    Raises:
        ConfigError: A mistake in the file or the configuration.
        RunStopped: An engine is unavailable or the budget is used up.
    """
    bench = _Bench.begin(wanted, "emotions", shows_emotions=False)
    dialogues = bench.gold.dialogues
    if not any(turn.emotion for gold in dialogues for turn in gold.turns):
        raise ConfigError(f"{wanted.file}: holds no turn with one of the seven emotions")
    runs = []
    for name, (config, hashes) in bench.each.items():
        ran = run_emotions(bench.gold, config, bench.ledger, console=bench.console)
        found = found_emotions(bench.gold, ran)
        runs.append(EmotionAnswers(name or ran.engine_id, ran.engine_id, hashes, found))
    rules = [EmotionAnswers(MAJORITY, found=most_frequent_emotion(dialogues))]
    return report_emotions(bench.gold, runs, rules, bench.draws) | bench.end()


@dataclass(frozen=True)
class _Bench:
    """What both benchmarks work with."""

    gold: GoldFile
    each: Mapping[str, tuple[BuildConfig, dict[str, str]]]
    """Configuration and hashes of prompts of each run, by its name in the report."""
    ledger: Ledger
    """Of all runs, so that one budget holds for them together."""
    draws: Resamples
    num_resamples: int
    console: Console | None

    @classmethod
    def begin(cls, wanted: Wanted, measured: Measured, *, shows_emotions: bool) -> "_Bench":
        """Read the file and settle what is asked, before anybody is.

        Raises:
            ConfigError: A mistake in either.
        """
        flags = dict(wanted.flags or {})
        if shows_emotions:
            flags["labeler"] = "gold"
        config = configure(wanted.config_file, flags, str(wanted.file), wanted.base_url)
        if not shows_emotions and config.labeler == "gold":
            raise ConfigError("labeler gold has nothing to measure; take llm or linear")
        gold = read_gold(
            wanted.file,
            language=wanted.language,
            emotion_map=config.labels.emotion_map,
            limit=wanted.limit,
        )
        asked = asked_prompts(config, measured, shows_emotions=shows_emotions)
        num_resamples = wanted.num_resamples or RESAMPLES
        return cls(
            gold=gold,
            each={
                name: (chosen, prompt_hashes(chosen, asked, gold))
                for name, chosen in each_prompt(config, wanted.prompts, asked).items()
            },
            ledger=Ledger(Budget(config.max_usd, config.max_tokens)),
            draws=Resamples(len(gold.dialogues), num_resamples),
            num_resamples=num_resamples,
            console=wanted.console if config.language_model else None,
        )

    def end(self) -> Report:
        """Return what a report says of how it was made."""
        spent = sum_spent(self.ledger.snapshot().values())
        return {
            "resamples": self.num_resamples,
            "seed": SEED,
            "asked": describe_asked(spent) or None,
        }
