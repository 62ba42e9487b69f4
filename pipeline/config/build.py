"""Everything that makes a build this build, and how it is read."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from ieat.pipeline.config.aqa import AqaSettings
from ieat.pipeline.config.base import Settings
from ieat.pipeline.config.checks import CheckSettings
from ieat.pipeline.config.endpoints import (
    EndpointSettings,
    LanguageModelSettings,
    VoiceLabelerSettings,
)
from ieat.pipeline.config.files import describe_validation, read_keys
from ieat.pipeline.config.humdial_tables import HumdialTable, HumdialTableSettings
from ieat.pipeline.config.inputs import InputSettings
from ieat.pipeline.config.labels import LabelSettings
from ieat.pipeline.config.resources import ResourceSettings
from ieat.pipeline.config.splits import SplitSettings
from ieat.pipeline.config.teacher import TeacherSettings
from ieat.pipeline.config.verifier import VerifierSettings
from ieat.pipeline.failures import ConfigError
from ieat.prompts.library import JUDGE_NAMES, NAMES
from ieat.schemas.emotion import Emotion


class BuildConfig(Settings):
    """Everything that makes a build this build."""

    inputs: tuple[InputSettings, ...] = Field(min_length=1)
    """The corpora to read."""
    output: str = Field(min_length=1)
    """Folder or fsspec URL to write to."""
    recognizer: str = "moonshine"
    """`moonshine`, `gold`, or `openai:MODEL`."""
    labeler: Literal["llm", "linear", "gold"] = "linear"
    """Who labels emotions from the words."""
    attributor: Literal["llm", "extractive"] = "extractive"
    """Who finds causes."""
    response: Literal["corpus", "written"] = "corpus"
    """Where the answers come from."""
    language_model: str | None = None
    """`openai:MODEL`; needed by `labeler: llm`, `attributor: llm`, `response: written`, and by the
    tables `t1` and `t2` of `humdial_tables`."""
    language_model_settings: LanguageModelSettings = LanguageModelSettings()
    """How the language model is asked."""
    recognizer_settings: EndpointSettings = EndpointSettings()
    """How the recognizer's endpoint is asked."""
    voice_labeler: str | None = None
    """`openai-audio:MODEL`, which labels emotions from the sound of each turn alone; null does
    without."""
    voice_labeler_settings: VoiceLabelerSettings = VoiceLabelerSettings()
    """How the voice labeler's endpoint is asked."""
    verifier: str | None = None
    """`openai:MODEL`, which must find the emotion again from the cause that `attributor: llm`
    wrote, the words for feelings covered; null does without."""
    verifier_settings: VerifierSettings = VerifierSettings()
    """How the verifier's endpoint is asked."""
    teacher: str | None = None
    """`openai:MODEL`, the student's own language model, whose answers to what is said and felt are
    the targets of self-distillation; null does without."""
    teacher_settings: TeacherSettings = TeacherSettings()
    """How the teacher's endpoint is asked."""
    aqa: AqaSettings | None = None
    """A file of questions that are heard, for the table `aqa`: a path, or path, corpus, language,
    split and license; null does without."""
    labels: LabelSettings = LabelSettings()
    """How emotions are labeled."""
    humdial_tables: tuple[HumdialTable, ...] = ()
    """Tables of HumDial's tasks to write: `t1`, `t2`, `t3`, `t4`; the first two need a
    language_model."""
    humdial_settings: HumdialTableSettings = HumdialTableSettings()
    """How those tables are made."""
    splits: SplitSettings = SplitSettings()
    """Which dialogues go to which split."""
    near_duplicates: float | None = Field(default=None, ge=0.5, le=1)
    """Similarity of words (Jaccard, 0.8 is usual) from which the later of two dialogues is left
    out; null keeps all: the same words in another voice are another sound to learn from."""
    guard: str | None = None
    """File of `ieat guard build` with the fingerprints of test sets; dialogues that match fail
    unless their split is held out."""
    keep_targets: dict[Emotion, Annotated[float, Field(gt=0, le=1)]] = Field(default_factory=dict)
    """Share of the training targets of an emotion that are kept, such as `{neutral: 0.3}`; the
    hash of its id decides about each. The card tells how many each emotion has."""
    checks: CheckSettings = CheckSettings()
    """What rows are checked for, and which findings keep a row out."""
    user_speaker: str = "all"
    """Whose states are attributed and answered: `first`, `all`, `channel:N`, or a name."""
    one_question: bool = True
    """Whether label and cause of a turn without corpus label are asked in one question."""
    samples: int = Field(default=1, gt=0, le=100)
    """Answers to each question about emotions and causes: what most of them say counts, and how
    many do is kept; more than one needs a temperature above 0."""
    max_context_turns: int = Field(default=20, gt=0)
    """Most turns that a question or a row shows."""
    max_context_seconds: float = Field(default=120.0, gt=0)
    """Most seconds of earlier sound in a stage-2 row."""
    resources: ResourceSettings = ResourceSettings()
    """What the build may be made with."""
    prompts: dict[str, int | str] = Field(default_factory=dict)
    """Other templates than the default ones: name to a released version, or to the folder of an
    own template (CONTRIBUTING.md)."""
    store: str | None = None
    """Folder of the response store; null means `.ieat` beside the output."""
    replay: bool = False
    """Whether only stored answers are used and no engine is asked."""
    shards: int = Field(default=4, gt=0, le=99999)
    """Files per table and split."""
    stage2_audio: Literal["embed", "reference"] = "embed"
    """Whether stage-2 rows hold their clips or only say where they lie."""
    limit: int | None = Field(default=None, gt=0)
    """Most dialogues to read; null reads all."""
    max_usd: float | None = Field(default=None, gt=0)
    """Most US dollars that one run may spend; needs the prices of every engine that is asked."""
    max_tokens: int | None = Field(default=None, gt=0)
    """Most tokens of questions and answers that one run may use."""
    retry: tuple[str, ...] = ()
    """Codes of failures that are asked again: their stored answers are replaced."""
    max_failed_ratio: float = Field(default=0.5, gt=0, le=1)
    """Share of failed dialogues, after at least 50, at which the run stops."""
    in_flight: int = Field(default=32, gt=0)
    """Dialogues at work at once in each stage."""
    group_dialogues: int = Field(default=500, gt=0)
    """Dialogues that a run on this machine takes up together, in whole shards: what it holds in
    memory; a shard with more of them is taken up alone."""

    @field_validator("recognizer", "language_model")
    @classmethod
    def _names_a_model(cls, engine: str | None) -> str | None:
        if engine is None or engine in ("moonshine", "gold"):
            return engine
        kind, _, model = engine.partition(":")
        if kind != "openai" or not model:
            raise ValueError(f"{engine!r} is no engine; write openai:MODEL, moonshine or gold")
        return engine

    @field_validator("verifier")
    @classmethod
    def _names_a_verifier(cls, engine: str | None) -> str | None:
        kind, _, model = (engine or "").partition(":")
        if engine is not None and (kind != "openai" or not model):
            raise ValueError(f"{engine!r} is no verifier; write openai:MODEL")
        return engine

    @field_validator("voice_labeler")
    @classmethod
    def _names_a_model_that_hears(cls, engine: str | None) -> str | None:
        kind, _, model = (engine or "").partition(":")
        if engine is not None and (kind != "openai-audio" or not model):
            raise ValueError(f"{engine!r} is no voice labeler; write openai-audio:MODEL")
        return engine

    @field_validator("teacher")
    @classmethod
    def _names_a_model_that_teaches(cls, engine: str | None) -> str | None:
        kind, _, model = (engine or "").partition(":")
        if engine is not None and (kind != "openai" or not model):
            raise ValueError(f"{engine!r} is no teacher; write openai:MODEL")
        return engine

    @field_validator("aqa", mode="before")
    @classmethod
    def _may_be_a_path(cls, aqa: object) -> object:
        return {"path": aqa} if isinstance(aqa, str) else aqa

    @field_validator("prompts")
    @classmethod
    def _names_prompts(cls, prompts: dict[str, int | str]) -> dict[str, int | str]:
        known = [name for name in NAMES if name not in JUDGE_NAMES]
        unknown = sorted(set(prompts) - set(known))
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no prompt; there are {', '.join(known)}")
        return prompts

    @model_validator(mode="after")
    def _has_a_language_model_where_needed(self) -> "BuildConfig":
        needs = [
            f"{name}: {value}"
            for name, value in (
                ("labeler", self.labeler),
                ("attributor", self.attributor),
                ("response", self.response),
            )
            if value in ("llm", "written")
        ]
        needs += [
            f"humdial_tables: {table}" for table in self.humdial_tables if table in ("t1", "t2")
        ]
        if needs and self.language_model is None:
            raise ValueError(f"{', '.join(needs)} needs a language_model, such as openai:MODEL")
        if self.language_model in ("moonshine", "gold"):
            raise ValueError(f"{self.language_model} is no language model; write openai:MODEL")
        for name, engine, settings in (
            ("recognizer", self.recognizer, self.recognizer_settings),
            ("language_model", self.language_model, self.language_model_settings),
            ("voice_labeler", self.voice_labeler, self.voice_labeler_settings),
            ("verifier", self.verifier, self.verifier_settings),
            ("teacher", self.teacher, self.teacher_settings),
        ):
            is_asked = engine is not None and ":" in engine
            if self.max_usd is not None and is_asked and settings.prices is None:
                raise ValueError(
                    f"max_usd needs {name}_settings.prices: US dollars per million tokens of "
                    "input and output"
                )
        self._check_samples()
        self._check_verifier()
        fusion = self.labels.fusion
        if fusion != "text" and self.voice_labeler is None:
            raise ValueError(
                f"labels.fusion: {fusion} needs a voice_labeler, such as openai-audio:MODEL"
            )
        if fusion == "agree" and self.labeler == "gold":
            raise ValueError(
                "labels.fusion: agree needs labels from the words too; set labeler to llm or linear"
            )
        if self.splits.shares and "speaker" in self.splits.by:
            for number, given in enumerate(self.inputs):
                if given.speaker_scope is None and given.layout in ("manifest", "folder"):
                    raise ValueError(
                        f"splits.by: speaker needs inputs.{number}.speaker_scope: `corpus` where "
                        "a name means one person in all dialogues, `dialogue` for roles such as "
                        "left, user or A"
                    )
        if self.replay and self.retry:
            raise ValueError("retry asks again, and replay asks nobody; set one of them")
        if self.labels.emotion_map and self.labels.outside != "map":
            raise ValueError("labels.emotion_map is used with labels.outside: map only")
        return self

    def _check_samples(self) -> None:
        if self.samples == 1:
            return
        if "llm" not in (self.labeler, self.attributor):
            raise ValueError(
                f"samples: {self.samples} asks nobody; set labeler or attributor to llm"
            )
        if self.language_model_settings.temperature == 0:
            raise ValueError(
                f"samples: {self.samples} needs language_model_settings.temperature above 0, such "
                "as 0.7: at 0 every answer is the same"
            )

    def _check_verifier(self) -> None:
        if self.verifier is None:
            return
        if self.attributor != "llm":
            raise ValueError(
                f"verifier: {self.verifier} reads causes that a language model wrote; set "
                "attributor to llm"
            )
        if self.verifier == self.language_model and not self.verifier_settings.allow_self:
            raise ValueError(
                f"verifier: {self.verifier} wrote the causes itself; name another model, or set "
                "verifier_settings.allow_self to true"
            )

    @property
    def splits_file(self) -> str:
        """File that remembers the splits of groups."""
        return self.splits.file or f"{self.store_folder.rstrip('/')}/splits.json"

    @property
    def store_folder(self) -> str:
        """Folder of the response store."""
        return self.store or f"{self.output.rstrip('/')}.ieat"


def load_config(
    file: Path | None, flags: dict[str, Any], *, base_url: str | None = None
) -> BuildConfig:
    """Read a YAML file, put flags over it, and check both together.

    Args:
        file: The YAML file; null takes flags alone.
        flags: Keys of `BuildConfig`; those that are null are left out.
        base_url: Base URL of all endpoints: language model, recognizer, voice labeler and verifier,
            and the teacher where it has none of its own; null leaves it.

    Raises:
        ConfigError: A file that cannot be read, an unknown key, a value that does not fit.
    """
    values: dict[str, Any] = {}
    if file is not None:
        values = read_keys(file, "; `ieat init` writes one")
    values |= {key: value for key, value in flags.items() if value is not None}
    if base_url is not None:
        for name in (
            "language_model_settings",
            "recognizer_settings",
            "voice_labeler_settings",
            "verifier_settings",
        ):
            given = values.get(name) or {}
            # What is no mapping is left as it is: the check below names it.
            values[name] = {**given, "base_url": base_url} if isinstance(given, dict) else given
        taught = values.get("teacher_settings") or {}
        if isinstance(taught, dict) and not taught.get("base_url"):
            values["teacher_settings"] = {**taught, "base_url": base_url}
    try:
        return BuildConfig.model_validate(values)
    except ValidationError as error:
        lacks = [key for key in ("inputs", "output") if key not in values]
        mend = "; give --input and --output, or a file by --config" if lacks else ""
        raise ConfigError(describe_validation(error) + mend) from error
