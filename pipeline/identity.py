"""What makes a build this build: what build.json holds."""

from typing import Any

from ieat.pipeline.config import BuildConfig, LanguageModelSettings
from ieat.pipeline.failures import ConfigError
from ieat.prompts.library import NAMES, PromptError, PromptLibrary

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
    "prompts",
    "resources",
}
"""Keys that change how or how far a build runs, or that are told in other words."""

OF_RESOURCES = ("synthesizer", "synthesizer_is_open")
"""Keys of `inputs` that say where speech comes from and change no row."""

OF_VOICES = ("fusion", "voice_weight", "conflict_confidence")
"""Keys of `labels` that do nothing without a voice labeler."""


def build_identity(config: BuildConfig, engine_ids: dict[str, str | None]) -> dict[str, Any]:
    """Return what build.json holds: a folder whose file differs holds another build.

    Raises:
        ConfigError: A template is missing or was edited after its release.
    """
    try:
        prompts = PromptLibrary(config.prompts).identities(used_prompts(config))
    except PromptError as error:
        raise ConfigError(str(error)) from error
    told = config.model_dump(mode="json", exclude=NO_PART_OF_IT)
    for described in told["inputs"]:
        for key in OF_RESOURCES:
            del described[key]
    identity = {
        "engines": engine_ids,
        "sampling": _sampling(config.language_model_settings) if config.language_model else None,
        "prompts": prompts,
        "config": told,
    }
    if config.samples == 1:
        # A build of single answers is the same build as before there were several.
        del told["samples"]
        del told["labels"]["min_agreement"]
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
    unused = set()
    if config.voice_labeler is None:
        unused.add("voice")
    if config.verifier is None:
        unused.add("reprediction")
    return tuple(name for name in NAMES if name not in unused)


def not_configured(config: BuildConfig) -> tuple[str, ...]:
    """Return the optional stages that a build does without."""
    without = [
        ("labels from the words", config.labeler == "gold"),
        ("labels from the voice", config.voice_labeler is None),
        ("causes by a language model", config.attributor != "llm"),
        ("written responses", config.response != "written"),
        ("self-distillation targets", True),
    ]
    return tuple(name for name, is_missing in without if is_missing)
