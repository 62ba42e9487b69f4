"""The one configuration of a build: a YAML file, flags of the same names, or Python."""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ieat.pipeline.failures import ConfigError
from ieat.prompts.library import NAMES
from ieat.schemas.emotion import Emotion

Layout = Literal["manifest", "folder", "call", "humdial"]
FusionPolicy = Literal["text", "voice", "agree", "weighted"]
AudioFormat = Literal["flac", "wav"]


class Settings(BaseModel):
    """Base of all configuration: frozen, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class FolderSettings(Settings):
    """How files of the layout `folder` are named."""

    pattern: str = r"(?:turn)?[_-]?(?P<index>\d+)[_-]?(?P<speaker>.*)"
    """Regular expression over the file's stem, with the groups `index` and `speaker`."""


class CallSettings(Settings):
    """How two-channel recordings are cut into turns."""

    speakers: tuple[str, ...] = ("left", "right")
    """Name of the speaker on each channel."""
    threshold: float = Field(default=0.5, gt=0, lt=1)
    """Voice probability at which speech begins; it ends 0.15 below."""
    min_speech: float = Field(default=0.25, gt=0)
    """Shortest stretch that counts as speech, seconds."""
    min_silence: float = Field(default=0.6, gt=0)
    """Silence of one speaker that ends a turn, seconds."""
    max_turn: float = Field(default=30.0, gt=1)
    """Longest turn, seconds; a longer one is cut at its longest pause."""
    pad: float = Field(default=0.1, ge=0)
    """Time kept on both sides of a cut, seconds."""


class HumdialSettings(Settings):
    """How the published HumDial trees are read."""

    tasks: dict[str, str] = Field(
        default={"task1": "T4", "task2": "T1", "task3": "T2", "task4": "T3"}
    )
    """Task of each file-name prefix; the default is the numbering of the distributed trees."""
    exclude: tuple[str, ...] = (
        "task2_3_zh_0015",
        "task2_4_zh_0015",
        "task2_5_zh_0015",
        "task2_4_en_0002_0014",
    )
    """Ids and prefixes of ids that are left out: the organizers' notice of 17 November 2025."""
    exclude_from: tuple[str, ...] = ("dev", "test")
    """Splits that `exclude` applies to."""


class InputSettings(Settings):
    """One input of a build."""

    path: str = Field(min_length=1)
    """File, folder or fsspec URL."""
    layout: Layout = "manifest"
    """How the corpus is laid out."""
    corpus: str | None = None
    """Name of the corpus, first part of every id; null takes the name of file or folder."""
    language: str | None = None
    """Language of dialogues that do not say it themselves."""
    split: str = "train"
    """Split of dialogues that do not say it themselves."""
    license: str | None = None
    """License of dialogues that do not say it themselves."""
    folder: FolderSettings = FolderSettings()
    """Settings of the layout `folder`."""
    call: CallSettings = CallSettings()
    """Settings of the layout `call`."""
    humdial: HumdialSettings = HumdialSettings()
    """Settings of the layout `humdial`."""


class Prices(Settings):
    """What an engine costs, US dollars per million tokens unless said otherwise."""

    input: float = Field(default=0.0, ge=0)
    """A million tokens of questions."""
    output: float = Field(default=0.0, ge=0)
    """A million tokens of answers."""
    cached_input: float | None = Field(default=None, ge=0)
    """A million tokens of questions that the server's prefix cache held; null means `input`."""
    reasoning: float | None = Field(default=None, ge=0)
    """A million tokens of a reasoning model's thinking; null means `output`."""
    audio_input: float | None = Field(default=None, ge=0)
    """A million tokens of sound in questions; null means `input`."""
    audio_minute: float = Field(default=0.0, ge=0)
    """A minute of sound, for recognizers that bill by time, US dollars."""


class EndpointSettings(Settings):
    """How an OpenAI-compatible endpoint is asked."""

    base_url: str | None = None
    """Base URL; null means the environment's OPENAI_BASE_URL, else OpenAI."""
    revision: str | None = None
    """Revision of the model, part of every key; set it where the server does not."""
    api_key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; the key itself never stands in a config."""
    in_flight: int = Field(default=64, gt=0)
    """Most calls at once."""
    timeout: float = Field(default=120.0, gt=0)
    """Longest wait for one call, seconds."""
    max_attempts: int = Field(default=7, gt=0)
    """Calls before the engine counts as unavailable; seven wait half a minute in all."""
    max_wait: float = Field(default=60.0, gt=0)
    """Longest wait between two attempts, seconds."""
    requests_per_minute: float | None = Field(default=None, gt=0)
    """Most requests a minute, over all stages and processes of the machine; null means no limit
    of ours: what the server's answers say of its own is kept to in either case."""
    tokens_per_minute: float | None = Field(default=None, gt=0)
    """Most tokens a minute, likewise."""
    prices: Prices | None = None
    """What the model costs; needed by `max_usd`, and for money in plans and reports."""
    organization: str | None = None
    """OpenAI organization; null means the environment's OPENAI_ORG_ID."""
    project: str | None = None
    """OpenAI project; null means the environment's OPENAI_PROJECT_ID."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Further headers of each request; secrets belong in `headers_env`."""
    headers_env: dict[str, str] = Field(default_factory=dict)
    """Further headers whose values are in environment variables: header name to variable."""
    proxy: str | None = None
    """URL of an HTTP proxy; null means the environment's HTTP_PROXY, HTTPS_PROXY and NO_PROXY."""
    ca_file: str | None = None
    """PEM file of authorities to trust in place of the system's; null means the environment's
    SSL_CERT_FILE, else the system's."""
    client_cert: str | None = None
    """PEM file of a certificate to show to the server, with its key unless `client_key` has it."""
    client_key: str | None = None
    """PEM file of the certificate's key."""


class LanguageModelSettings(EndpointSettings):
    """How the language model is asked."""

    temperature: float = Field(default=0.0, ge=0)
    """Softmax temperature; 0 is greedy."""
    top_p: float | None = None
    """Nucleus probability; null leaves it to the server."""
    max_tokens: int = Field(default=1024, gt=0)
    """Most tokens of an answer."""
    seed: int | None = None
    """Seed sent to the server; null sends none."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Further fields of the request, such as vLLM's chat_template_kwargs; part of every key."""

    @field_validator("extra_body")
    @classmethod
    def _adds_to_the_question(cls, extra_body: dict[str, Any]) -> dict[str, Any]:
        for name in ("model", "messages", "response_format", "stream"):
            if name in extra_body:
                raise ValueError(f"extra_body may not hold {name}: the build sets it")
        return extra_body


class VoiceLabelerSettings(LanguageModelSettings):
    """How the voice labeler is asked."""

    max_tokens: int = Field(default=256, gt=0)
    """Most tokens of an answer."""
    audio_format: AudioFormat = "wav"
    """How sound is sent: every server takes `wav`, and `flac` is about half as large."""


class LabelSettings(Settings):
    """How emotion words of the corpus are taken, and which turns are labeled."""

    outside: Literal["drop", "map", "other"] = "other"
    """What becomes of a corpus word outside the seven: dropped, mapped, or kept as it is."""
    emotion_map: dict[str, Emotion] = Field(default_factory=dict)
    """Emotion of each corpus word, for `outside: map`."""
    speakers: Literal["attributed", "all"] = "attributed"
    """Whose turns are labeled."""
    also_gold: bool = False
    """Whether turns with a corpus label are labeled too, to measure agreement."""
    min_confidence: float = Field(default=0.6, ge=0, le=1)
    """Confidence under which a label from the words counts as abstained."""
    fusion: FusionPolicy = "text"
    """What counts where the corpus has no label: `text` or `voice` alone, `agree` for what both
    name, or `weighted` for the surer one."""
    voice_weight: float = Field(default=1.0, ge=0)
    """Weight of the voice's confidence for `fusion: weighted`, where that of the words has 1."""
    conflict_confidence: float = Field(default=0.5, ge=0, le=1)
    """Least confidence of both labels at which voice and words, or voice and corpus, conflict; a
    label without a confidence counts as sure."""


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
    """`openai:MODEL`; needed by `labeler: llm`, `attributor: llm` and `response: written`."""
    language_model_settings: LanguageModelSettings = LanguageModelSettings()
    """How the language model is asked."""
    recognizer_settings: EndpointSettings = EndpointSettings()
    """How the recognizer's endpoint is asked."""
    voice_labeler: str | None = None
    """`openai-audio:MODEL`, which labels emotions from the sound of each turn alone; null does
    without."""
    voice_labeler_settings: VoiceLabelerSettings = VoiceLabelerSettings()
    """How the voice labeler's endpoint is asked."""
    labels: LabelSettings = LabelSettings()
    """How emotions are labeled."""
    user_speaker: str = "all"
    """Whose states are attributed and answered: `first`, `all`, `channel:N`, or a name."""
    one_question: bool = True
    """Whether label and cause of a turn without corpus label are asked in one question."""
    max_context_turns: int = Field(default=20, gt=0)
    """Most turns that a question or a row shows."""
    max_context_seconds: float = Field(default=120.0, gt=0)
    """Most seconds of earlier sound in a stage-2 row."""
    prompts: dict[str, str] = Field(default_factory=dict)
    """Own templates in place of the released ones: name to folder (CONTRIBUTING.md)."""
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
    group_dialogues: int = Field(default=1000, gt=0)
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

    @field_validator("voice_labeler")
    @classmethod
    def _names_a_model_that_hears(cls, engine: str | None) -> str | None:
        kind, _, model = (engine or "").partition(":")
        if engine is not None and (kind != "openai-audio" or not model):
            raise ValueError(f"{engine!r} is no voice labeler; write openai-audio:MODEL")
        return engine

    @field_validator("prompts")
    @classmethod
    def _names_prompts(cls, prompts: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(prompts) - set(NAMES))
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no prompt; there are {', '.join(NAMES)}")
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
        if needs and self.language_model is None:
            raise ValueError(f"{', '.join(needs)} needs a language_model, such as openai:MODEL")
        if self.language_model in ("moonshine", "gold"):
            raise ValueError(f"{self.language_model} is no language model; write openai:MODEL")
        for name, engine, settings in (
            ("recognizer", self.recognizer, self.recognizer_settings),
            ("language_model", self.language_model, self.language_model_settings),
            ("voice_labeler", self.voice_labeler, self.voice_labeler_settings),
        ):
            is_asked = engine is not None and ":" in engine
            if self.max_usd is not None and is_asked and settings.prices is None:
                raise ValueError(
                    f"max_usd needs {name}_settings.prices: US dollars per million tokens of "
                    "input and output"
                )
        fusion = self.labels.fusion
        if fusion != "text" and self.voice_labeler is None:
            raise ValueError(
                f"labels.fusion: {fusion} needs a voice_labeler, such as openai-audio:MODEL"
            )
        if fusion == "agree" and self.labeler == "gold":
            raise ValueError(
                "labels.fusion: agree needs labels from the words too; set labeler to llm or linear"
            )
        if self.replay and self.retry:
            raise ValueError("retry asks again, and replay asks nobody; set one of them")
        if self.labels.emotion_map and self.labels.outside != "map":
            raise ValueError("labels.emotion_map is used with labels.outside: map only")
        return self

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
        base_url: Base URL of all endpoints: language model, recognizer and voice labeler; null
            leaves it.

    Raises:
        ConfigError: A file that cannot be read, an unknown key, a value that does not fit.
    """
    values: dict[str, Any] = {}
    if file is not None:
        try:
            read = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigError(
                f"cannot read the configuration {file}: {_describe_unreadable(error)}"
            ) from error
        if not isinstance(read, dict):
            raise ConfigError(f"the configuration {file} holds no keys; `ieat init` writes one")
        values = read
    values |= {key: value for key, value in flags.items() if value is not None}
    if base_url is not None:
        for name in ("language_model_settings", "recognizer_settings", "voice_labeler_settings"):
            given = values.get(name) or {}
            # What is no mapping is left as it is: the check below names it.
            values[name] = {**given, "base_url": base_url} if isinstance(given, dict) else given
    try:
        return BuildConfig.model_validate(values)
    except ValidationError as error:
        lacks = [key for key in ("inputs", "output") if key not in values]
        mend = "; give --input and --output, or a file by --config" if lacks else ""
        raise ConfigError(describe_validation(error) + mend) from error


def _describe_unreadable(error: OSError | UnicodeDecodeError | yaml.YAMLError) -> str:
    """Say in one line why a YAML file cannot be read."""
    if isinstance(error, OSError):
        return f"{error.strerror}; `ieat init` writes one"
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return " ".join(str(error).split())


def describe_validation(error: ValidationError) -> str:
    """Say in one line a problem what is wrong and where, without input values."""
    problems = []
    errors = error.errors(include_url=False, include_input=False)
    places = [found["loc"] for found in errors]
    for found in errors:
        loc = found["loc"]
        # What broke a part of a list also makes pydantic count it as missing from the list.
        if found["type"] == "too_short" and any(
            place[: len(loc)] == loc and len(place) > len(loc) for place in places
        ):
            continue
        where = ".".join(str(part) for part in loc)
        what = found["msg"].removeprefix("Value error, ")
        if found["type"] == "extra_forbidden":
            what = "unknown key"
        elif found["type"] == "missing":
            what = "missing"
        problems.append(f"{where}: {what}" if where else what)
    return "; ".join(problems)
