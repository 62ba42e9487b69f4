"""Which configurations a benchmark runs: a build's, on words alone, once for each named prompt."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ieat.pipeline.bench.gold import GoldFile
from ieat.pipeline.config import BuildConfig, load_config
from ieat.pipeline.failures import ConfigError
from ieat.pipeline.wiring import asks_jointly
from ieat.prompts.library import PromptError, PromptLibrary

OUTPUT = "ieat-bench"
"""Where a build of the same name would write; the store of benchmarks lies beside it."""

Measured = Literal["causes", "emotions"]

THAT_MATTER = (
    "inputs",
    "output",
    "recognizer",
    "labeler",
    "attributor",
    "language_model",
    "language_model_settings",
    "one_question",
    "samples",
    "max_context_turns",
    "prompts",
    "store",
    "replay",
    "max_usd",
    "max_tokens",
    "in_flight",
)
"""Keys besides `labels` that change what is asked about words, or how; all others stay at their
defaults, so that a benchmark opens no engine that it does not measure."""

_PROMPT = re.compile(r"(?P<name>[a-z_]+)(?:@(?P<version>\d+)|=(?P<folder>.+))")


def configure(
    file: Path | None, flags: Mapping[str, Any], bench: str, base_url: str | None
) -> BuildConfig:
    """Return the configuration of a benchmark: that of a build, for dialogues of words.

    Args:
        file: YAML file of a build; its inputs, output, recognizer and voices do not matter here.
        flags: Keys of the configuration that go over the file.
        bench: The benchmark file.
        base_url: Base URL of the endpoint; null leaves it.

    Raises:
        ConfigError: Unknown keys, or values that do not fit.
    """
    config = load_config(
        file,
        {
            **flags,
            "inputs": [{"path": bench}],
            "output": OUTPUT,
            "recognizer": "gold",
            "response": "corpus",
            "user_speaker": "all",
        },
        base_url=base_url,
    )
    kept: dict[str, Any] = {name: getattr(config, name) for name in THAT_MATTER}
    # Nothing is spoken here, so voices have no say.
    kept["labels"] = config.labels.model_copy(
        update={"fusion": "text", "speakers": "attributed", "also_gold": False}
    )
    if "llm" not in (config.labeler, config.attributor):
        kept["language_model"] = None
    return BuildConfig.model_validate(kept)


def asked_prompts(
    config: BuildConfig, measured: Measured, *, shows_emotions: bool
) -> tuple[str, ...]:
    """Return the names of the prompts that a benchmark asks with a configuration."""
    labels = measured == "emotions" or not shows_emotions
    attributes = measured == "causes" and config.attributor == "llm"
    if labels and asks_jointly(config):
        return ("joint", "reask")
    names = []
    if labels and config.labeler == "llm":
        names.append("labeling")
    if attributes:
        names.append("attribution")
    return (*names, "reask") if names else ()


def each_prompt(
    config: BuildConfig, prompts: Sequence[str], asked: Sequence[str]
) -> dict[str, BuildConfig]:
    """Return a configuration for each version of a prompt, by the name of its row in the report.

    Args:
        config: The configuration; alone it is one row without a name.
        prompts: Versions of one prompt, as `name@version` or `name=FOLDER` of the user's own.
        asked: Names of the prompts that the benchmark asks.

    Raises:
        ConfigError: A prompt that is not asked, versions of several prompts, or one twice.
    """
    if not prompts:
        return {"": config}
    chosen: dict[str, BuildConfig] = {}
    names = set()
    for prompt in prompts:
        found = _PROMPT.fullmatch(prompt)
        if found is None:
            raise ConfigError(
                f"--prompt {prompt}: write a name and a version, such as attribution@2, or a name "
                "and the folder of your own, such as attribution=FOLDER"
            )
        name = found["name"]
        if name not in asked:
            raise ConfigError(
                f"--prompt {prompt}: this benchmark asks {_list(asked)}; what is asked follows "
                "from --labeler, --attributor and `one_question`"
            )
        if prompt in chosen:
            raise ConfigError(f"--prompt {prompt} is given twice")
        names.add(name)
        value: int | str = int(found["version"]) if found["version"] else found["folder"]
        chosen[prompt] = config.model_copy(update={"prompts": {**config.prompts, name: value}})
    if len(names) > 1:
        raise ConfigError(
            "--prompt compares versions of one prompt; name one here, and the others by "
            "`prompts` in the configuration"
        )
    return chosen


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "no prompt with these engines"


def prompt_hashes(config: BuildConfig, asked: Sequence[str], file: GoldFile) -> dict[str, str]:
    """Return the SHA-256 of the templates that are asked, by id, for the languages of a file.

    Raises:
        ConfigError: A template is missing or was edited after its release.
    """
    library = PromptLibrary(config.prompts)
    languages = sorted({gold.language for gold in file.dialogues})
    try:
        files = [library.template(name, language) for name in asked for language in languages]
    except PromptError as error:
        raise ConfigError(str(error)) from error
    return {found.prompt_id: found.sha256 for found in files}
