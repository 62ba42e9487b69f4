"""The files that say what a build is: build.json before it, resources.json and run.json after."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ieat.pipeline.failures import ConfigError
from ieat.pipeline.output.files import TEMPORARY, BuildFolder
from ieat.pipeline.output.group_records import GROUPS
from ieat.schemas.base import SCHEMA_VERSION
from ieat.schemas.build import ModelResource, PromptResource, Resources
from ieat.schemas.rows import TABLES

LAYOUT_VERSION = 1
"""Version of the folder's layout: which files there are, and where."""

BUILD = "build.json"
"""What makes a build this build; written first."""

RESOURCES = "resources.json"
"""Everything from outside that a build used."""

RUN = "run.json"
"""The last run: times, money, versions. The only file that differs between equal builds."""

ENDS_OF_A_RUN = ("manifest.json", "README.md", RUN)
"""Files that tell of a finished run; a run that begins takes them away."""


MAX_TOLD = 120
"""Longest pair of values that a message shows, characters."""


def open_build(out: str, identity: Mapping[str, Any]) -> BuildFolder:
    """Claim an output folder for a build, or go on with the build that is in it.

    Writes build.json before anything is asked or paid, removes files that an earlier run was
    still writing when it ended, and removes what told that an earlier run was finished.

    Args:
        out: Folder or fsspec URL.
        identity: What makes this build: engines, prompts, digest of the configuration. JSON.

    Raises:
        ConfigError: The folder holds another build, or files that are no build.
    """
    folder = BuildFolder(out)
    if folder.files.isfile(folder.root):
        raise ConfigError(f"{out} is a file; give --output a folder")
    wanted = {"layout_version": LAYOUT_VERSION, "schema_version": SCHEMA_VERSION, **identity}
    names = folder.names()
    if BUILD in names:
        _refuse_another_build(folder, wanted)
    elif any(not name.endswith(TEMPORARY) for name in names):
        raise ConfigError(
            f"{out} holds files that are no build of ieat, such as {names[0]}; "
            "give --output an empty or a new folder"
        )
    else:
        folder.write_json(BUILD, wanted)
    _clean(folder, names)
    return folder


def read_identity(folder: BuildFolder) -> dict[str, Any]:
    """Return what build.json says.

    Raises:
        ConfigError: The file is not there or not readable.
    """
    try:
        read = json.loads(folder.read_bytes(BUILD))
    except FileNotFoundError as error:
        raise ConfigError(
            f"{folder.out} holds no {BUILD}; name the folder that was given as --output"
        ) from error
    except ValueError as error:
        raise ConfigError(f"{folder.path(BUILD)} is no JSON; build into a new folder") from error
    if not isinstance(read, dict):
        raise ConfigError(f"{folder.path(BUILD)} is no JSON object; build into a new folder")
    return read


def write_resources(folder: BuildFolder, resources: Resources) -> None:
    """Write what a build used: models, corpora with their licenses, prompts."""
    folder.write_json(RESOURCES, resources.model_dump(mode="json"))


def read_resources(folder: BuildFolder) -> Resources:
    """Return what a build used; what build.json says of it where a run ended before telling more.

    Raises:
        ConfigError: The folder holds no build.
    """
    try:
        return Resources.model_validate_json(folder.read_bytes(RESOURCES))
    except (FileNotFoundError, ValueError):
        identity = read_identity(folder)
    return Resources(
        models=tuple(
            ModelResource(
                role=role.replace("_", " "), model_id=engine_id, license=None, source=None
            )
            for role, engine_id in (identity.get("engines") or {}).items()
            if engine_id is not None and engine_id != "gold"
        ),
        data=(),
        prompts=tuple(
            PromptResource(prompt_id=prompt_id, sha256=sha256)
            for prompt_id, sha256 in sorted((identity.get("prompts") or {}).items())
        ),
    )


def write_run(folder: BuildFolder, run: Mapping[str, Any]) -> None:
    """Write what is true of this run only: times, money, versions, commit."""
    folder.write_json(RUN, dict(run))


def _refuse_another_build(folder: BuildFolder, wanted: Mapping[str, Any]) -> None:
    there = dict(_flat(read_identity(folder)))
    ours = dict(_flat(json.loads(json.dumps(wanted))))
    differing = sorted(key for key in there.keys() | ours.keys() if there.get(key) != ours.get(key))
    if differing:
        told = "; ".join(_told(key, there.get(key), ours.get(key)) for key in differing)
        raise ConfigError(
            f"{folder.out} holds another build ({told}); "
            "give --output a new folder, or build with what is there"
        )


def _told(key: str, there: Any, ours: Any) -> str:
    """Name a key that differs, with its values where they are short enough to read."""
    values = f"{json.dumps(there)} there, {json.dumps(ours)} now"
    return f"{key}: {values}" if len(values) <= MAX_TOLD else f"{key} differs"


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested objects under dotted keys."""
    for key, part in value.items():
        if isinstance(part, Mapping) and part:
            yield from _flat(part, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", part


def _clean(folder: BuildFolder, names: list[str]) -> None:
    for name in names:
        # Only within our own folders: a person's file elsewhere may end like ours.
        is_ours = "/" not in name or name.split("/")[0] in (*TABLES, GROUPS)
        if name in ENDS_OF_A_RUN or (is_ours and name.endswith(TEMPORARY)):
            folder.remove(name)
