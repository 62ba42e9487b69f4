"""What a build says of itself: what makes it this build, and what it used."""

from typing import Any

import pyarrow.parquet as pq

from ieat.pipeline.config import BuildConfig, LanguageModelSettings
from ieat.pipeline.corpora.naming import name_corpus
from ieat.pipeline.corpora.places import find_place
from ieat.pipeline.failures import ConfigError
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.sink import read_manifest
from ieat.prompts.library import NAMES, PromptError, PromptLibrary
from ieat.schemas.build import DataResource, ModelResource, PromptResource, Resources

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
    "prompts",
}
"""Keys that change how or how far a build runs, or that are told in other words."""

OF_VOICES = ("fusion", "voice_weight", "conflict_confidence")
"""Keys of `labels` that do nothing without a voice labeler."""


def build_identity(config: BuildConfig, engine_ids: dict[str, str | None]) -> dict[str, Any]:
    """Return what build.json holds: a folder whose file differs holds another build.

    Raises:
        ConfigError: A template is missing or was edited after its release.
    """
    try:
        prompts = PromptLibrary(config.prompts).identities(_used_prompts(config))
    except PromptError as error:
        raise ConfigError(str(error)) from error
    told = config.model_dump(mode="json", exclude=NO_PART_OF_IT)
    identity = {
        "engines": engine_ids,
        "sampling": _sampling(config.language_model_settings) if config.language_model else None,
        "prompts": prompts,
        "config": told,
    }
    if config.voice_labeler is None:
        # A build without voices is the same build as before there were any.
        del told["voice_labeler"]
        for key in OF_VOICES:
            del told["labels"][key]
    else:
        settings = config.voice_labeler_settings
        identity["voice_sampling"] = _sampling(settings) | {"extra_body": settings.extra_body}
    return identity


def _sampling(settings: LanguageModelSettings) -> dict[str, Any]:
    return {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "max_tokens": settings.max_tokens,
        "seed": settings.seed,
    }


def _used_prompts(config: BuildConfig) -> tuple[str, ...]:
    """Return the names of the prompts that are part of a build."""
    return tuple(name for name in NAMES if name != "voice" or config.voice_labeler is not None)


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


LICENSES = {
    "moonshine": ("MIT", "moonshine-voice, Moonshine AI"),
    "linear": ("weights trained on GoEmotions, CC BY 4.0", "Demszky et al. 2020"),
    "extractive": ("Apache-2.0", "part of ieat"),
}
"""License and origin of the engines that come without a service, by the start of their id."""


def list_resources(
    folder: BuildFolder, config: BuildConfig, engine_ids: dict[str, str | None]
) -> Resources:
    """Return every model, corpus and prompt that a build used."""
    licenses: dict[str, set[str]] = {}
    for shard in read_manifest(folder).shards:
        if shard.table == "dialogues":
            with folder.files.open(folder.path(shard.file), "rb") as stream:
                table = pq.read_table(stream, columns=["corpus", "license"])
            for corpus, found in zip(
                table["corpus"].to_pylist(), table["license"].to_pylist(), strict=True
            ):
                licenses.setdefault(corpus, set()).update([found] if found else [])
    return Resources(
        models=tuple(
            ModelResource(
                role=role.replace("_", " "),
                model_id=engine_id,
                license=_origin(engine_id)[0],
                source=_origin(engine_id)[1],
            )
            for role, engine_id in engine_ids.items()
            if engine_id is not None and engine_id != "gold"
        ),
        data=tuple(
            DataResource(
                corpus=corpus,
                path=settings.path,
                licenses=tuple(sorted(licenses.get(corpus, ()))),
            )
            for settings in config.inputs
            for corpus in [name_corpus(settings, find_place(settings.path))]
        ),
        prompts=tuple(
            PromptResource(prompt_id=prompt_id, sha256=sha256)
            for prompt_id, sha256 in sorted(
                PromptLibrary(config.prompts).identities(_used_prompts(config)).items()
            )
        ),
    )


def _origin(engine_id: str) -> tuple[str | None, str | None]:
    name = engine_id.partition("@")[0].partition(":")[0]
    return LICENSES.get(name, (None, None))
