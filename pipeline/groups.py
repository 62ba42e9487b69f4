"""Run a build shard group by shard group, so that its memory does not grow with the corpus.

A runner in this process keeps whole collections in memory. The corpora are read once, without
Beam, and kept on disk by shard; then the pipeline runs over as many whole shards at a time as
memory should hold. A group that is finished leaves a record and is not run again.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from ieat.pipeline.config import BuildConfig
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.group_records import (
    GROUPS,
    Group,
    GroupRecord,
    finished_records,
    read_record,
    remove_records,
)
from ieat.pipeline.output.sink import SinkSettings, shard_of, write_unreached
from ieat.pipeline.run_state import RunState
from ieat.pipeline.screening import SCREENING, Screened, describe_screening, is_screened, screen
from ieat.pipeline.spill import Spill, parse_spilled, spilled_lines
from ieat.pipeline.stages.read import STAGE, list_units, read_or_set_aside
from ieat.pipeline.steps import set_aside
from ieat.prompts.library import canonical_json
from ieat.schemas.build import UnbalancedBooksError
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.records import SetAside

WORK_FOLDER = "read"
"""Folder below the groups' records with what was read of the corpora."""

MUCH = 2
"""How many times the size of a group a single shard may have without a warning."""


@contextmanager
def work_folder(folder: BuildFolder) -> Iterator[Path]:
    """Open an empty local folder that is gone afterwards; a killed run's is emptied by the next."""
    if not isinstance(folder.files, LocalFileSystem):
        with tempfile.TemporaryDirectory(prefix="ieat-", ignore_cleanup_errors=True) as made:
            yield Path(made)
        return
    path = Path(folder.path(f"{GROUPS}/{WORK_FOLDER}"))
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def read_corpora(config: BuildConfig, state: RunState, folder: Path) -> Spill:
    """Read every dialogue once and keep it in its shard.

    Raises:
        ConfigError: An input holds nothing; says what was looked for.
    """
    spill = Spill(folder)
    for unit in list_units(config.inputs, config.limit):
        settings = config.inputs[unit.input_index]
        read = read_or_set_aside(unit, settings, state, config.user_speaker)
        # The shard of its rows and the one of its dead letter are the same.
        unit_id = read.dialogue_id or read.source
        spill.add(shard_of(unit_id, config.shards), read)
    spill.flush()
    return spill


def read_and_screen(
    config: BuildConfig, state: RunState, folder: Path, *, keeps_splits: bool = True
) -> Screened:
    """Read every dialogue, and decide what is decided over all of them.

    Args:
        config: What to build.
        state: Tells when to stop: nothing is decided then, as nothing of it runs.
        folder: An empty local folder.
        keeps_splits: Whether new splits are remembered.

    Raises:
        ConfigError: An input holds nothing, or splits cannot be kept.
    """
    spill = read_corpora(config, state, folder)
    if not is_screened(config) or state.stop_reason is not None:
        return Screened(spill, ())
    screened = folder / "screened"
    screened.mkdir()
    return screen(config, spill, state, screened, keeps_splits=keeps_splits)


def read_for_plan(config: BuildConfig, state: RunState) -> Iterator[Dialogue | SetAside]:
    """Yield what a build would run; what is decided over all dialogues is not remembered.

    Raises:
        ConfigError: As a build would.
    """
    if not is_screened(config):
        for unit in list_units(config.inputs, config.limit):
            settings = config.inputs[unit.input_index]
            yield read_or_set_aside(unit, settings, state, config.user_speaker)
        return
    with tempfile.TemporaryDirectory(prefix="ieat-", ignore_cleanup_errors=True) as made:
        spill, _ = read_and_screen(config, state, Path(made), keeps_splits=False)
        for line in spilled_lines(spill.files(tuple(range(config.shards)))):
            yield parse_spilled(line)


def make_groups(
    config: BuildConfig, identity: dict[str, Any], spill: Spill, state: RunState
) -> list[Group]:
    """Return the groups: neighboring shards, as many as hold `group_dialogues`, at least one."""
    most = config.group_dialogues
    _warn_of_large_shards(config, spill, state)
    groups: list[list[int]] = [[]]
    held = 0
    for shard in range(config.shards):
        count = spill.count(shard)
        if groups[-1] and held + count > most:
            groups.append([])
            held = 0
        groups[-1].append(shard)
        held += count
    given = _digest_of_settings(config, identity)
    return [
        Group(shards=tuple(shards), digest=_digest([given, *map(spill.digest, shards)]))
        for shards in groups
    ]


def run_groups(
    config: BuildConfig,
    identity: dict[str, Any],
    settings: SinkSettings,
    state: RunState,
    run: Callable[[Group, tuple[str, ...]], None],
) -> list[GroupRecord]:
    """Read the corpora, then run group by group; groups that an earlier run finished are kept.

    Args:
        config: What to build.
        identity: What makes this build.
        settings: How it is written.
        state: Tells when to stop; the groups after it are counted, not run.
        run: Runs the pipeline over one group, given the files of the group's dialogues.

    Returns:
        What became of every group.

    Raises:
        ConfigError: An input holds nothing; says what was looked for.
        UnbalancedBooksError: A group lost a dialogue that was read, or counted one twice.
    """
    folder = BuildFolder(settings.out)
    with work_folder(folder) as path:
        spill, left_out = read_and_screen(config, state, path)
        if config.near_duplicates is not None:
            folder.write_json(SCREENING, describe_screening(left_out))
        groups = make_groups(config, identity, spill, state)
        # What is asked again may lie in any group.
        kept = {} if config.retry else finished_records(folder, groups)
        remove_records(folder, kept.values())
        records = []
        for group in groups:
            files = spill.files(group.shards)
            if group in kept:
                records.append(kept[group])
            elif state.stop_reason is not None:
                aside = _not_reached(spilled_lines(files), config.user_speaker, state)
                records.append(write_unreached(settings, group, aside))
            else:
                run(group, files)
                records.append(read_record(folder, group))
    num_ran = sum(record.num_read for record in records)
    if num_ran != spill.num_records:
        raise UnbalancedBooksError(
            f"dialogues: the corpora gave {spill.num_records}, but {num_ran} ran in groups"
        )
    return records


def _not_reached(lines: Iterable[str], user_speaker: str, state: RunState) -> Iterator[SetAside]:
    """Yield how dialogues end that a stop keeps from running."""
    stop = state.stop_reason
    if stop is None:
        raise ValueError("dialogues are counted as not reached by a run that goes on")
    for line in lines:
        read = parse_spilled(line)
        if isinstance(read, Dialogue):
            read = set_aside(read, "not_reached", STAGE, stop.code, stop.message, user_speaker)
        yield read


def _warn_of_large_shards(config: BuildConfig, spill: Spill, state: RunState) -> None:
    """Tell of shards that memory may not hold; their number is never changed by itself."""
    counts = [spill.count(shard) for shard in range(config.shards)]
    if max(counts) > MUCH * config.group_dialogues:
        wanted = -(-sum(counts) // config.group_dialogues)
        state.warn(
            f"one shard holds {max(counts)} dialogues, all in memory at once; to need less, set "
            f"shards: {wanted} and a new output"
        )


def _digest_of_settings(config: BuildConfig, identity: dict[str, Any]) -> str:
    """Return a digest of all that rows depend on besides what was read."""
    return _digest(
        [
            canonical_json(
                {
                    "identity": identity,
                    "extra_body": config.language_model_settings.extra_body,
                    "replay": config.replay,
                    "store": config.store_folder,
                    "ieat": version("ieat"),
                }
            )
        ]
    )


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode(errors="backslashreplace")).hexdigest()
