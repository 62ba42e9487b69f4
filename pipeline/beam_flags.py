"""Beam's own flags, checked before anything is opened."""

from collections.abc import Sequence
from typing import NoReturn

from apache_beam.options.pipeline_options import (
    DirectOptions,
    PipelineOptions,
    SetupOptions,
    StandardOptions,
    _BeamArgumentParser,
)
from apache_beam.runners.runner import create_runner

from ieat.pipeline.failures import ConfigError

LOCAL_RUNNER = "FnApiRunner"
"""Named, because DirectRunner tries to fetch another runner from the network first."""


class _Flags(_BeamArgumentParser):
    """Raises where argparse would print all of Beam's flags and end the process."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"Beam: {message}")


def beam_options(flags: Sequence[str]) -> PipelineOptions:
    """Return Beam's options, refusing what Beam does not know.

    Args:
        flags: What stood behind ` -- `; without a runner among them the local one is taken.

    Raises:
        ConfigError: A flag, its value or the runner is unknown to Beam.
    """
    parser = _Flags(add_help=False, allow_abbrev=False, conflict_handler="resolve")
    for kind in PipelineOptions.__subclasses__():
        kind._add_argparse_args(parser)
    unknown = parser.parse_known_args(list(flags))[1]
    if unknown:
        raise ConfigError(f"Beam does not know {', '.join(unknown)}")
    options = PipelineOptions(list(flags))
    runner = options.view_as(StandardOptions).runner
    if runner is None:
        options.view_as(StandardOptions).runner = LOCAL_RUNNER
    else:
        _refuse_unknown_runner(runner)
    options.view_as(SetupOptions).save_main_session = False
    return options


def runs_here(options: PipelineOptions) -> bool:
    """Tell whether a pipeline runs in this process, which then holds all that it has made."""
    mode = options.view_as(DirectOptions).direct_running_mode
    runner = options.view_as(StandardOptions).runner
    return (runner, mode) == (LOCAL_RUNNER, "in_memory")


def refuse_budget_elsewhere(
    options: PipelineOptions, max_usd: float | None, max_tokens: int | None
) -> None:
    """Refuse a budget that other processes would not know of.

    Raises:
        ConfigError: There is a budget, and the pipeline does not run in this process.
    """
    if runs_here(options) or (max_usd is None and max_tokens is None):
        return
    name = "max_tokens" if max_usd is None else "max_usd"
    raise ConfigError(
        f"{name} holds within one process; leave it out, or leave out the flags behind -- that "
        "run the pipeline elsewhere"
    )


def refuse_screening_elsewhere(options: PipelineOptions, *, is_screened: bool) -> None:
    """Refuse to decide over all dialogues where they never lie together.

    Raises:
        ConfigError: Something is decided so, and the pipeline does not run in this process.
    """
    if is_screened and not runs_here(options):
        raise ConfigError(
            "splits.shares and near_duplicates look at all dialogues before the first runs, in "
            "this process; leave them out, or leave out the flags behind -- that run the pipeline "
            "elsewhere"
        )


def _refuse_unknown_runner(name: str) -> None:
    try:
        create_runner(name)
    except (ValueError, ImportError, AttributeError, TypeError) as error:
        raise ConfigError(f"Beam cannot use the runner {name}: {error}") from error
