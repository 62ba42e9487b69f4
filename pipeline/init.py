"""Write a commented configuration from the fields of `BuildConfig` themselves."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from ieat.pipeline.config import BuildConfig, InputSettings
from ieat.pipeline.failures import ConfigError

_EXAMPLE = {"path": "dialogues.jsonl", "layout": "manifest"}


def write_config(file: Path) -> None:
    """Write the configuration with every key, its default and its sentence.

    Raises:
        ConfigError: The file is there already or cannot be written.
    """
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(render_config())
    except FileExistsError as error:
        raise ConfigError(f"{file} is there already; name another file") from error
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}") from error


def render_config() -> str:
    """Return the commented YAML; it is a valid configuration as it stands."""
    lines = [
        "# Configuration of `ieat build`. Every key but inputs and output may be left out.",
        "",
    ]
    for name, field in BuildConfig.model_fields.items():
        lines += _comment(field.description)
        if name == "inputs":
            lines += ["inputs:", f"  - path: {_EXAMPLE['path']}"]
            lines += _nested(InputSettings, 4, skip=("path",))
        elif name == "output":
            lines.append("output: out")
        else:
            lines += _entry(name, field.get_default(call_default_factory=True), 0)
        lines.append("")
    return "\n".join(lines)


def _nested(model: type[BaseModel], indent: int, skip: tuple[str, ...] = ()) -> list[str]:
    lines = []
    for name, field in model.model_fields.items():
        if name not in skip:
            lines += _comment(field.description, indent)
            lines += _entry(name, field.get_default(call_default_factory=True), indent)
    return lines


def _entry(name: str, value: Any, indent: int) -> list[str]:
    space = " " * indent
    if isinstance(value, BaseModel):
        return [f"{space}{name}:", *_nested(type(value), indent + 2)]
    plain = list(value) if isinstance(value, tuple) else value
    text = yaml.safe_dump(plain, default_flow_style=True, allow_unicode=True, width=10_000)
    return [f"{space}{name}: {text.strip().removesuffix('...').strip()}"]


def _comment(sentence: str | None, indent: int = 0) -> list[str]:
    return [f"{' ' * indent}# {' '.join((sentence or '').split())}"]
