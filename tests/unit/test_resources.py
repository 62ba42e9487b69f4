"""What a build may be made with is told before anything is asked, and what it used afterwards."""

import json
from pathlib import Path
from typing import Any

import pytest

from ieat.pipeline.config import BuildConfig, EndpointSettings, load_config
from ieat.pipeline.failures import ConfigError
from ieat.pipeline.identity import build_identity
from ieat.pipeline.main import build
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.plan import plan_build
from ieat.pipeline.resources import (
    VOICE_ACTIVITY,
    asked_models,
    is_commercial_host,
    list_libraries,
    list_resources,
    refuse_unwanted,
)
from ieat.schemas.build import DataResource, ModelResource
from tests.builders import composed
from tests.talk_build import talks
from tests.writing import write_build


def configured(
    folder: Path, base_url: str | None = "http://gpu:8000/v1", **changes: Any
) -> BuildConfig:
    talk = folder / "talks.jsonl"
    talk.write_text("\n".join(talks(1)) + "\n", encoding="utf-8")
    values: dict[str, Any] = {
        "inputs": [{"path": str(talk), "corpus": "corpus"}],
        "output": str(folder / "out"),
        "recognizer": "gold",
        "labeler": "llm",
        "attributor": "llm",
        "language_model": "openai:m",
        "resources": {"commercial_api": "refuse"},
    }
    return load_config(None, values | changes, base_url=base_url)


def note_hosts(config: BuildConfig, **hosts: str) -> None:
    store = Path(config.store_folder)
    store.mkdir(exist_ok=True)
    (store / "hosts.json").write_text(
        json.dumps({f"openai:{name}": url for name, url in hosts.items()})
    )


@pytest.mark.parametrize(
    ("url", "is_commercial"),
    [
        ("https://api.openai.com/v1", True),
        ("https://mine.openai.azure.com/openai", True),
        ("https://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1", True),
        ("https://dashscope.aliyuncs.com/compatible-mode/v1", True),
        ("https://API.DeepSeek.com./v1", True),
        ("http://gpu:8000/v1", False),
        ("http://localhost:8000/v1", False),
        ("http://127.0.0.1:8000/v1", False),
        ("http://10.3.2.1/v1", False),
        ("http://[::1]:8000/v1", False),
        ("http://vllm.team.svc.cluster.local/v1", False),
        ("https://notopenai.com/v1", None),
        ("https://ec2-3-4-5-6.compute.amazonaws.com/v1", None),
        ("http://8.8.8.8/v1", None),
    ],
)
def test_a_service_is_told_by_its_host_where_that_is_known(
    url: str, is_commercial: bool | None
) -> None:
    assert is_commercial_host(url) is is_commercial


def test_every_key_with_settings_of_an_endpoint_is_looked_at() -> None:
    settings = [
        name
        for name, field in BuildConfig.model_fields.items()
        if isinstance(field.get_default(call_default_factory=True), EndpointSettings)
    ]
    assert all(name.removesuffix("_settings") in BuildConfig.model_fields for name in settings)
    assert len(settings) >= 3


def test_models_that_are_asked_have_the_ids_of_their_engines(tmp_path: Path) -> None:
    config = configured(
        tmp_path,
        recognizer="openai:ear",
        voice_labeler="openai-audio:m",
        language_model_settings={"revision": "7"},
    )
    assert [(model.name, model.engine_id) for model in asked_models(config)] == [
        ("recognizer", "openai:ear"),
        ("language_model", "openai:m@7"),
        ("voice_labeler", "openai-audio:m"),
    ]


def test_a_commercial_service_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    config = configured(tmp_path, "https://api.openai.com/v1")
    for run in (build, plan_build):
        with pytest.raises(ConfigError) as caught:
            run(config)
        assert str(caught.value) == (
            "resources.commercial_api: refuse, but language_model openai:m is a commercial service "
            "at api.openai.com; ask your own server (language_model_settings.base_url), and keep "
            "its answers in another store"
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["talks.jsonl"]


def test_without_a_base_url_the_service_is_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured(tmp_path, None)
    with pytest.raises(ConfigError, match=r"commercial service at api\.openai\.com"):
        refuse_unwanted(config)
    with pytest.raises(ConfigError, match=r"commercial service at api\.openai\.com"):
        plan_build(config)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://gpu/v1")
    refuse_unwanted(config)
    assert plan_build(config).num_dialogues == 1


def test_a_host_that_nobody_knows_is_refused_until_it_is_declared(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        refuse_unwanted(configured(tmp_path, "https://llm.example.org/v1"))
    assert str(caught.value) == (
        "resources.commercial_api: refuse, and nothing tells whether language_model openai:m at "
        "llm.example.org is a commercial service; set language_model_settings.service: own where "
        "it is yours"
    )
    own = {"service": "own"}
    refuse_unwanted(configured(tmp_path, "https://llm.example.org/v1", language_model_settings=own))
    sold = {"service": "commercial"}
    with pytest.raises(ConfigError, match="is a commercial service at gpu"):
        refuse_unwanted(configured(tmp_path, language_model_settings=sold))


def test_answers_that_a_commercial_service_gave_before_are_refused_too(tmp_path: Path) -> None:
    config = configured(tmp_path)
    note_hosts(config, m="https://api.openai.com/v1")
    with pytest.raises(ConfigError, match=r"commercial service at api\.openai\.com"):
        refuse_unwanted(config)


def test_a_replay_asks_nobody_so_only_who_gave_the_answers_counts(tmp_path: Path) -> None:
    config = configured(tmp_path, None, replay=True)
    with pytest.raises(ConfigError, match=r"nothing tells whether .* at an unknown host"):
        refuse_unwanted(config)
    note_hosts(config, m="http://gpu/v1")
    refuse_unwanted(config)
    note_hosts(config, m="https://api.openai.com/v1")
    with pytest.raises(ConfigError, match=r"commercial service at api\.openai\.com"):
        refuse_unwanted(config)


def test_everything_is_allowed_unless_it_is_refused(tmp_path: Path) -> None:
    refuse_unwanted(configured(tmp_path, "https://api.openai.com/v1", resources={}))


@pytest.mark.parametrize(
    ("settings", "said"), [({}, "not declared open"), ({"model_is_open": False}, "closed")]
)
def test_a_model_that_is_not_open_is_refused(
    tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    gates = {"closed_models": "refuse"}
    with pytest.raises(ConfigError) as caught:
        refuse_unwanted(configured(tmp_path, resources=gates, language_model_settings=settings))
    assert str(caught.value) == (
        f"resources.closed_models: refuse, but language_model openai:m is {said}; take an open one "
        "and set language_model_settings.model_is_open: true"
    )
    is_open = {"model_is_open": True}
    refuse_unwanted(configured(tmp_path, resources=gates, language_model_settings=is_open))


def test_speech_of_a_synthesizer_that_is_not_open_is_refused(tmp_path: Path) -> None:
    gates = {"closed_synthesizers": "refuse"}
    spoken = {"path": str(tmp_path / "talks.jsonl"), "synthesizer": "Voice 9"}
    with pytest.raises(ConfigError) as caught:
        refuse_unwanted(configured(tmp_path, resources=gates, inputs=[spoken]))
    assert str(caught.value) == (
        "resources.closed_synthesizers: refuse, but inputs.0 was synthesized by Voice 9, which is "
        "not declared open; leave it out, or set inputs.0.synthesizer_is_open: true where that is "
        "so"
    )
    spoken["synthesizer_is_open"] = True  # type: ignore[assignment]
    refuse_unwanted(configured(tmp_path, resources=gates, inputs=[spoken]))


def test_questions_of_a_synthesizer_that_is_not_open_are_refused_like_dialogues(
    tmp_path: Path,
) -> None:
    gates = {"closed_synthesizers": "refuse"}
    asked = {"path": "quiz.jsonl", "synthesizer": "Voice 9"}
    with pytest.raises(ConfigError, match="but aqa was synthesized by Voice 9, which is not"):
        refuse_unwanted(configured(tmp_path, resources=gates, aqa=asked))
    is_open = asked | {"synthesizer_is_open": True}
    declared = configured(tmp_path, resources=gates, aqa=is_open)
    refuse_unwanted(declared)
    plain = configured(tmp_path, aqa="quiz.jsonl")
    assert build_identity(plain, {}) == build_identity(declared, {})


def test_what_is_declared_of_resources_does_not_make_another_build(tmp_path: Path) -> None:
    spoken = {"path": str(tmp_path / "talks.jsonl"), "corpus": "corpus"}
    plain = configured(tmp_path, resources={})
    declared = configured(
        tmp_path,
        inputs=[spoken | {"synthesizer": "Voice 9", "synthesizer_is_open": True}],
        language_model_settings={"model_license": "apache-2.0", "service": "own"},
    )
    assert build_identity(plain, {}) == build_identity(declared, {})


def test_resources_tell_host_license_and_openness_of_every_model(tmp_path: Path) -> None:
    config = configured(
        tmp_path,
        inputs=[
            {
                "path": str(tmp_path / "talks.jsonl"),
                "corpus": "corpus",
                "synthesizer": "Voice 9",
                "synthesizer_is_open": True,
            }
        ],
        language_model_settings={"model_license": "apache-2.0", "model_is_open": True},
    )
    write_build(config.output, [composed(with_audio=False)])
    ids = {
        "recognizer": "gold",
        "labeler": "linear@1",
        "attributor": "openai:m",
        "language_model": "openai:m",
    }
    found = list_resources(BuildFolder(config.output), config, ids)
    asked = {
        "model_id": "openai:m",
        "license": "apache-2.0",
        "source": None,
        "host": "gpu",
        "is_commercial": False,
        "is_open": True,
    }
    assert found.models == (
        ModelResource(
            role="labeler",
            model_id="linear@1",
            license="weights trained on GoEmotions, CC BY 4.0",
            source="Demszky et al. 2020",
            is_commercial=False,
            is_open=True,
        ),
        ModelResource(role="attributor", **asked),
        ModelResource(role="language model", **asked),
    )
    assert found.data == (
        DataResource(
            corpus="corpus",
            path=str(tmp_path / "talks.jsonl"),
            licenses=(),
            synthesizer="Voice 9",
            synthesizer_is_open=True,
        ),
    )
    assert (found.commercial_api, found.tts_open_source) == (False, True)


def test_the_model_that_finds_voices_is_listed_where_there_is_sound(tmp_path: Path) -> None:
    config = configured(tmp_path)
    write_build(config.output, [composed()], read=lambda span: b"")
    found = list_resources(BuildFolder(config.output), config, {"recognizer": "gold"})
    assert found.models == (VOICE_ACTIVITY,)


@pytest.mark.parametrize(
    ("base_url", "commercial_api"),
    [("https://api.openai.com/v1", True), ("https://llm.example.org/v1", None)],
)
def test_whether_a_commercial_service_had_a_part_is_told_or_left_open(
    tmp_path: Path, base_url: str, commercial_api: bool | None
) -> None:
    config = configured(tmp_path, base_url, resources={})
    write_build(config.output, [composed(with_audio=False)])
    found = list_resources(BuildFolder(config.output), config, {"labeler": "openai:m"})
    assert (found.commercial_api, found.tts_open_source) == (commercial_api, None)


def test_libraries_come_with_their_licenses() -> None:
    found = {library.name: library.license for library in list_libraries(embedded=False)}
    assert {"apache-beam", "openai", "pydantic", "rich"} <= set(found)
    assert "pytest" not in found
    assert "moonshine-voice" not in found
    assert found["pydantic"] == "MIT"
    assert [name for name, license in found.items() if not license] == []
    assert "moonshine-voice" in {library.name for library in list_libraries(embedded=True)}
