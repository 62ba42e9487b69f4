"""An output folder holds one build; another one is refused before anything is paid."""

import json
from contextlib import suppress
from pathlib import Path

import pytest

from ieat.pipeline.failures import ConfigError
from ieat.pipeline.output.build_files import (
    open_build,
    read_resources,
    write_resources,
    write_run,
)
from ieat.pipeline.output.files import BuildFolder
from ieat.schemas.build import DataResource, ModelResource, PromptResource, Resources

IDENTITY = {"engines": {"recognizer": "gold", "labeler": None}, "config": {"shards": 4}}


def names(out: Path) -> list[str]:
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


def test_a_new_folder_gets_what_makes_the_build(tmp_path: Path) -> None:
    open_build(str(tmp_path / "out"), IDENTITY)
    assert json.loads((tmp_path / "out/build.json").read_text()) == {
        "layout_version": 1,
        "schema_version": 2,
        **IDENTITY,
    }


def test_the_same_build_goes_on_without_what_the_last_run_left_half_done(tmp_path: Path) -> None:
    folder = open_build(str(tmp_path), IDENTITY)
    for name in (
        "manifest.json",
        "README.md",
        "run.json",
        "run.json.0a.tmp",
        "stage1/train-00000-of-00004.parquet",
        "stage1/train-00001-of-00004.parquet.0a.tmp",
        "mine/notes.tmp",
    ):
        folder.write_text(name, "x")
    open_build(str(tmp_path), IDENTITY)
    assert names(tmp_path) == [
        "build.json",
        "mine/notes.tmp",
        "stage1/train-00000-of-00004.parquet",
    ]


def test_another_build_is_refused_with_the_keys_that_differ(tmp_path: Path) -> None:
    open_build(str(tmp_path), IDENTITY)
    other = {"engines": {"recognizer": "moonshine", "labeler": None}, "config": {"shards": 8}}
    with pytest.raises(ConfigError) as caught:
        open_build(str(tmp_path), other)
    assert str(caught.value) == (
        f"{tmp_path} holds another build (config.shards: 4 there, 8 now; "
        'engines.recognizer: "gold" there, "moonshine" now); '
        "give --output a new folder, or build with what is there"
    )


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("dear to me")
    with pytest.raises(ConfigError, match=r"no build of ieat, such as thesis\.txt"):
        open_build(str(tmp_path), IDENTITY)
    assert names(tmp_path) == ["thesis.txt"]


def test_a_broken_build_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "build.json").write_text("{")
    with pytest.raises(ConfigError, match="is no JSON"):
        open_build(str(tmp_path), IDENTITY)


def test_a_build_may_lie_on_any_file_system() -> None:
    folder = open_build("memory://somewhere/out", IDENTITY)
    assert folder.names() == ["build.json"]
    open_build("memory://somewhere/out", IDENTITY)


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    folder = BuildFolder(str(tmp_path))
    with suppress(KeyboardInterrupt), folder.write("a.txt") as file:
        file.write(b"hal")
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_resources_and_run_are_written_as_json(tmp_path: Path) -> None:
    folder = BuildFolder(str(tmp_path))
    resources = Resources(
        models=(
            ModelResource(role="recognizer", model_id="m@1", license="MIT", source="https://m"),
        ),
        data=(DataResource(corpus="c", path="c.jsonl", licenses=("CC0-1.0",)),),
        prompts=(PromptResource(prompt_id="thinking@1.en", sha256="a" * 64),),
    )
    write_resources(folder, resources)
    write_run(folder, {"seconds": 1.5})
    assert Resources.model_validate_json((tmp_path / "resources.json").read_text()) == resources
    assert "ours, not the one of the paper" in (tmp_path / "resources.json").read_text()
    assert json.loads((tmp_path / "run.json").read_text()) == {"seconds": 1.5}


def test_resources_of_a_run_that_ended_before_it_told_them_are_those_of_the_build(
    tmp_path: Path,
) -> None:
    identity = {
        "engines": {
            "recognizer": "gold",
            "voice_labeler": "openai-audio:m",
            "language_model": None,
        },
        "prompts": {"voice@1.en": "a" * 64},
    }
    folder = open_build(str(tmp_path), identity)
    assert read_resources(folder) == Resources(
        models=(
            ModelResource(
                role="voice labeler", model_id="openai-audio:m", license=None, source=None
            ),
        ),
        data=(),
        prompts=(PromptResource(prompt_id="voice@1.en", sha256="a" * 64),),
    )
