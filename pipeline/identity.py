"""What makes a build this build and no other, and which stages it does without."""

from typing import Any

from ieat.pipeline.config import BuildConfig
from ieat.pipeline.failures import ConfigError
from ieat.prompts.library import PromptError, PromptLibrary

NO_PART_OF_IT = {
    "output",
    "store",
    "replay",
    "limit",
    "in_flight",
    "max_failed_ratio",
    "language_model_settings",
    "recognizer_settings",
    "prompts",
}
"""Keys that change how or how far a build runs, or that are told in other words."""


def build_identity(config: BuildConfig, engine_ids: dict[str, str | None]) -> dict[str, Any]:
    """Return what build.json holds: a folder whose file differs holds another build.

    Raises:
        ConfigError: A template is missing or was edited after its release.
    """
    try:
        prompts = PromptLibrary(config.prompts).identities()
    except PromptError as error:
        raise ConfigError(str(error)) from error
    settings = config.language_model_settings
    return {
        "engines": engine_ids,
        "sampling": {
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "max_tokens": settings.max_tokens,
            "seed": settings.seed,
        }
        if config.language_model
        else None,
        "prompts": prompts,
        "config": config.model_dump(mode="json", exclude=NO_PART_OF_IT),
    }


def not_configured(config: BuildConfig) -> tuple[str, ...]:
    """Return the optional stages that a build does without."""
    without = [
        ("labels from the words", config.labeler == "gold"),
        ("labels from the voice", True),
        ("causes by a language model", config.attributor != "llm"),
        ("written responses", config.response != "written"),
        ("self-distillation targets", True),
    ]
    return tuple(name for name, is_missing in without if is_missing)
