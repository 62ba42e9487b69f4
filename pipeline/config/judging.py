"""How the answers of a finished build are judged."""

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator

from ieat.pipeline.config.base import Settings
from ieat.pipeline.config.endpoints import LanguageModelSettings
from ieat.pipeline.config.files import describe_validation, read_keys
from ieat.pipeline.failures import ConfigError
from ieat.schemas.score_rows import JudgedTask


class JudgeSettings(LanguageModelSettings):
    """How the judge is asked; the defaults are those of HumDial's scorers, but for the length.

    They also set `top_k` to 20, which not every server knows: `extra_body: {top_k: 20}`.
    """

    temperature: float = Field(default=0.6, ge=0)
    """Softmax temperature; 0 is greedy."""
    top_p: float | None = 0.95
    """Nucleus probability; null leaves it to the server."""
    max_tokens: int = Field(default=4096, gt=0)
    """Most tokens of an answer, thinking of a reasoning model included."""
    seed: int | None = 1234
    """Seed sent to the server; null sends none."""


class JudgeConfig(Settings):
    """What is judged, by whom, and by which rubric."""

    output: str = Field(min_length=1)
    """Folder or fsspec URL of the build."""
    task: JudgedTask
    """Task that is judged: `t1`, `t2` or `t3`."""
    judge: str
    """`openai:MODEL`."""
    judge_settings: JudgeSettings = JudgeSettings()
    """How the judge is asked."""
    rubric: str | None = None
    """File with a rubric of the user's own, such as the official one; null takes ours."""
    allow_self: bool = False
    """Whether the judge may be a model that wrote what is judged."""
    store: str | None = None
    """Folder of the response store; null means `.ieat` beside the build."""
    replay: bool = False
    """Whether only stored answers are used and no engine is asked."""
    limit: int | None = Field(default=None, gt=0)
    """Most rows to judge; null judges all."""
    max_usd: float | None = Field(default=None, gt=0)
    """Most US dollars that one run may spend; needs `judge_settings.prices`."""
    max_tokens: int | None = Field(default=None, gt=0)
    """Most tokens of questions and answers that one run may use."""

    @field_validator("judge")
    @classmethod
    def _names_a_model(cls, judge: str) -> str:
        kind, _, model = judge.partition(":")
        if kind != "openai" or not model:
            raise ValueError(f"{judge!r} is no judge; write openai:MODEL")
        return judge

    @model_validator(mode="after")
    def _has_prices_for_a_budget(self) -> "JudgeConfig":
        if self.max_usd is not None and self.judge_settings.prices is None:
            raise ValueError(
                "max_usd needs judge_settings.prices: US dollars per million tokens of input and "
                "output"
            )
        return self

    @property
    def store_folder(self) -> str:
        """Folder of the response store."""
        return self.store or f"{self.output.rstrip('/')}.ieat"


def load_judge_config(
    file: Path | None, flags: dict[str, Any], *, base_url: str | None = None
) -> JudgeConfig:
    """Read a YAML file, put flags over it, and check both together.

    Args:
        file: The YAML file; null takes flags alone.
        flags: Keys of `JudgeConfig`; those that are null are left out.
        base_url: Base URL of the judge; null leaves it.

    Raises:
        ConfigError: A file that cannot be read, an unknown key, a value that does not fit.
    """
    values = {} if file is None else read_keys(file)
    values |= {key: value for key, value in flags.items() if value is not None}
    given = values.get("judge_settings") or {}
    # What is no mapping is left as it is: the check below names it.
    if base_url is not None and isinstance(given, dict):
        values["judge_settings"] = {**given, "base_url": base_url}
    try:
        return JudgeConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError(describe_validation(error)) from error
