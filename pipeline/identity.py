"""What makes a build this build: what build.json holds."""

from itertools import product
from typing import Any

from ieat.pipeline.config import BuildConfig, LanguageModelSettings
from ieat.pipeline.failures import ConfigError
from ieat.pipeline.guard import hash_guard
from ieat.prompts.instructions import TASKS, phrasings
from ieat.prompts.library import JUDGE_NAMES, NAMES, PromptError, PromptLibrary
from ieat.schemas.dialogue import Language

NO_PART_OF_IT = {
    "output",
    "store",
    "replay",
    "limit",
    "in_flight",
    "group_dialogues",
    "max_usd",
    "max_tokens",
    "retry",
    "max_failed_ratio",
    "language_model_settings",
    "recognizer_settings",
    "voice_labeler_settings",
    "verifier_settings",
    "teacher_settings",
    "prompts",
    "resources",
    "humdial_settings",
    "guard",
}
"""Keys that change how or how far a build runs, or that are told in other words."""

OF_RESOURCES = ("synthesizer", "synthesizer_is_open")
"""Keys of `inputs` that say where speech comes from and change no row."""

OF_VOICES = ("fusion", "voice_weight", "conflict_confidence")
"""Keys of `labels` that do nothing without a voice labeler."""

OF_TEACHERS = ("distillation", "reask_plain")
"""Prompts that only a teacher is asked with."""


def build_identity(config: BuildConfig, engine_ids: dict[str, str | None]) -> dict[str, Any]:
    """Return what build.json holds: a folder whose file differs holds another build.

    Raises:
        ConfigError: A template is missing or was edited after its release, or the guard cannot
            be read.
    """
    library = PromptLibrary(config.prompts)
    try:
        prompts = library.identities(used_prompts(config))
        for language, task in product(Language, TASKS):
            phrasings(library.template("instructions", language), task)
    except PromptError as error:
        raise ConfigError(str(error)) from error
    told = config.model_dump(mode="json", exclude=NO_PART_OF_IT)
    for described in (*told["inputs"], *([told["aqa"]] if told["aqa"] else [])):
        for key in OF_RESOURCES:
            del described[key]
    # Where splits are remembered says nothing of them.
    del told["splits"]["file"]
    identity: dict[str, Any] = {
        "engines": engine_ids,
        "sampling": _sampling(config.language_model_settings) if config.language_model else None,
        "prompts": prompts,
        "config": told,
    }
    if config.samples == 1:
        # A build of single answers is the same build as before there were several.
        del told["samples"]
        del told["labels"]["min_agreement"]
    if config.humdial_tables:
        told["humdial_settings"] = config.humdial_settings.model_dump(mode="json")
    else:
        # A build without these tables is the same build as before there were any.
        del told["humdial_tables"]
    if config.guard is not None:
        identity["guard"] = hash_guard(config.guard)
    if not config.splits.shares:
        del told["splits"]
    if config.near_duplicates is None:
        del told["near_duplicates"]
    if config.voice_labeler is None:
        # A build without voices is the same build as before there were any.
        del told["voice_labeler"]
        for key in OF_VOICES:
            del told["labels"][key]
    else:
        settings = config.voice_labeler_settings
        identity["voice_sampling"] = _sampling(settings) | {"extra_body": settings.extra_body}
    if config.verifier is None:
        # Nor do builds without a verifier say anything of one.
        del told["verifier"]
    else:
        reading = config.verifier_settings
        identity["verification"] = _sampling(reading) | {
            "extra_body": reading.extra_body,
            "must_agree": reading.must_agree,
        }
    if config.aqa is None:
        del told["aqa"]
    if config.teacher is None:
        del told["teacher"]
    else:
        taught = config.teacher_settings
        identity["teacher_sampling"] = _sampling(taught) | {
            "extra_body": taught.body,
            "context": taught.context,
        }
    return identity


def _sampling(settings: LanguageModelSettings) -> dict[str, Any]:
    return {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "max_tokens": settings.max_tokens,
        "seed": settings.seed,
    }


def used_prompts(config: BuildConfig) -> tuple[str, ...]:
    """Return the names of the prompts that are part of a build."""
    without = set(JUDGE_NAMES)
    if config.voice_labeler is None:
        without.add("voice")
    if config.verifier is None:
        without.add("reprediction")
    if config.teacher is None:
        without.update(OF_TEACHERS)
    if not config.humdial_tables:
        without.add("questions")
    if not {"t1", "t2"} & set(config.humdial_tables):
        without |= {"retrospection", "retrospection_reask"}
    return tuple(name for name in NAMES if name not in without)


def not_configured(config: BuildConfig) -> tuple[str, ...]:
    """Return the optional stages that a build does without."""
    without = [
        ("labels from the words", config.labeler == "gold"),
        ("labels from the voice", config.voice_labeler is None),
        ("causes by a language model", config.attributor != "llm"),
        ("written responses", config.response != "written"),
        ("self-distillation targets", config.teacher is None),
        ("spoken questions", config.aqa is None),
    ]
    return tuple(name for name, is_missing in without if is_missing)
