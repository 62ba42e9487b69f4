"""Imports run one way, and Beam's hints hold: read from the source files themselves."""

import ast
import importlib
import typing
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.pvalue import PCollection

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("pipeline", "prompts", "schemas")

MAY_IMPORT: dict[str, set[str]] = {
    "schemas": set(),
    "prompts": {"schemas"},
    "failures": set(),
    "ports": {"schemas"},
    "config": {"failures", "prompts", "schemas"},
    "languages": {"schemas"},
    "wordings": set(),
    "text_checks": {"answers", "config", "languages", "wordings", "schemas"},
    "audio": {"failures", "ports", "config", "schemas"},
    "corpora": {"failures", "ports", "config", "audio", "schemas"},
    "spending": {"failures", "config", "schemas"},
    # Keys hold the version of the decoder, and every paid answer is counted.
    "store": {"failures", "ports", "config", "audio", "spending", "schemas"},
    "fingerprints": {"ports"},
    "split_keys": {"fingerprints", "schemas"},
    "near_duplicates": {"fingerprints"},
    # Rows pass the same checks of wording as the answers that they are made of, and say what their
    # dialogues share with others (split_keys); cards count answers that are alike.
    "output": {
        *("failures", "ports", "config", "audio", "schemas", "prompts", "codes"),
        *("languages", "text_checks", "wordings", "split_keys"),
        *("fingerprints", "near_duplicates"),
        # Rows of HumDial's tasks name emotions by their vocabulary and take questions from a list.
        *("emotion_vocabulary", "humdial_tasks", "questions"),
    },
    "render": {"failures", "output", "schemas"},
}
"""Parts that may use only the named ones, besides themselves."""

MUST_NOT_IMPORT: dict[str, set[str]] = {
    "engines": {"cli", "main", "wiring", "stages", "steps", "output", "corpora"},
    "stages": {"cli", "main", "wiring", "engines", "store"},
    "steps": {"cli", "main", "wiring", "engines", "stages", "store", "output", "corpora", "audio"},
    "wiring": {"cli", "main"},
    "bench": {"cli", "main", "engines", "output"},
    "bench_commands": {"cli", "main", "engines", "wiring"},
    "main": {"cli", "engines"},
    "cli": {"engines"},
}
"""Parts that use others of their level, but none above them."""

WITHOUT_BEAM = {"schemas", "prompts", "engines", "corpora", "audio", "store", "render"}


def source_files() -> list[Path]:
    return [file for folder in FOLDERS for file in sorted((REPOSITORY / folder).rglob("*.py"))]


def part_of(module: str) -> str:
    """`ieat.pipeline.audio.decode` lies in `audio`, `ieat.schemas.rows` in `schemas`."""
    names = module.split(".")[1:]
    return names[1] if names[0] == "pipeline" and len(names) > 1 else names[0]


def module_of(file: Path) -> str:
    names = ("ieat", *file.relative_to(REPOSITORY).with_suffix("").parts)
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


def imports_of(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: import absolutely"
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)


def parts_imported_by(file: Path) -> set[str]:
    own = part_of(module_of(file))
    used = {part_of(name) for name in imports_of(file) if name.startswith("ieat.")}
    return used - {own, "pipeline"}


def test_there_are_files_to_look_at() -> None:
    assert len(source_files()) > 20


@pytest.mark.parametrize("file", source_files(), ids=lambda file: module_of(file))
def test_a_module_imports_only_what_lies_below_it(file: Path) -> None:
    part = part_of(module_of(file))
    used = parts_imported_by(file)
    if part in MAY_IMPORT:
        assert used <= MAY_IMPORT[part]
    assert not used & MUST_NOT_IMPORT.get(part, set())


def test_wiring_alone_imports_engines() -> None:
    importers = {
        part_of(module_of(file)) for file in source_files() if "engines" in parts_imported_by(file)
    }
    assert importers == {"wiring"}


def test_nothing_imports_the_command_line() -> None:
    assert not [module_of(file) for file in source_files() if "cli" in parts_imported_by(file)]


def test_beam_is_kept_out_of_what_has_nothing_to_do_with_it() -> None:
    importers = {
        part_of(module_of(file))
        for file in source_files()
        if any(name.startswith("apache_beam") for name in imports_of(file))
    }
    assert not importers & WITHOUT_BEAM


def test_no_module_turns_its_hints_into_strings() -> None:
    assert not [file for file in source_files() if "__future__.annotations" in imports_of(file)]


def transforms() -> list[type[beam.PTransform]]:
    """Every PTransform that is defined in the pipeline."""
    found = []
    for file in sorted((REPOSITORY / "pipeline").rglob("*.py")):
        if any(name.startswith("apache_beam") for name in imports_of(file)):
            module = importlib.import_module(module_of(file))
            found += [
                kind
                for kind in vars(module).values()
                if isinstance(kind, type)
                and issubclass(kind, beam.PTransform)
                and kind.__module__ == module.__name__
            ]
    return found


@pytest.mark.parametrize("transform", transforms(), ids=lambda kind: kind.__name__)
def test_no_transform_is_a_frozen_dataclass(transform: type[beam.PTransform]) -> None:
    parameters = getattr(transform, "__dataclass_params__", None)
    assert parameters is None or not parameters.frozen


def stages() -> list[type[beam.PTransform]]:
    return [kind for kind in transforms() if kind.__module__.startswith("ieat.pipeline.stages.")]


def test_there_are_stages_to_look_at() -> None:
    assert len(stages()) >= 4


@pytest.mark.parametrize("stage", stages(), ids=lambda kind: kind.__name__)
def test_every_stage_has_concrete_hints(stage: type[beam.PTransform]) -> None:
    hints = typing.get_type_hints(stage.expand)
    assert len(hints) >= 2
    for name, hint in hints.items():
        assert hint not in (typing.Any, PCollection), name
        assert typing.Any not in typing.get_args(hint), name
