"""Read the YAML file of a configuration, and say what is wrong with one."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ieat.pipeline.failures import ConfigError


def read_keys(file: Path, mend: str = "") -> dict[str, Any]:
    """Return the keys of a YAML file.

    Args:
        file: The file.
        mend: Ends the message where there is no such file, or no key in it.

    Raises:
        ConfigError: It cannot be read, or holds no keys.
    """
    try:
        read = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(
            f"cannot read the configuration {file}: {_describe_unreadable(error, mend)}"
        ) from error
    if not isinstance(read, dict):
        raise ConfigError(f"the configuration {file} holds no keys{mend}")
    return read


def _describe_unreadable(error: OSError | UnicodeDecodeError | yaml.YAMLError, mend: str) -> str:
    """Say in one line why a YAML file cannot be read."""
    if isinstance(error, OSError):
        return f"{error.strerror}{mend}"
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
