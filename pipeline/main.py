"""The whole pipeline on one screen, and what surrounds a run of it."""

import logging
import shlex
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from types import FrameType

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from rich.console import Console

from ieat.pipeline.aqa import tables_of, write_questions
from ieat.pipeline.beam_flags import (
    beam_options,
    refuse_budget_elsewhere,
    refuse_screening_elsewhere,
    runs_here,
)
from ieat.pipeline.coders import register_coders
from ieat.pipeline.config import BuildConfig
from ieat.pipeline.corpora.aqa import refuse_soundless
from ieat.pipeline.failures import unwritable
from ieat.pipeline.groups import run_groups
from ieat.pipeline.identity import (
    build_identity,
    not_configured,
)
from ieat.pipeline.output.build_files import open_build, write_resources, write_run
from ieat.pipeline.output.card import write_card
from ieat.pipeline.output.clips import read_clip
from ieat.pipeline.output.closing import Beside, close_build
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.group_records import Group, GroupRecord, read_record
from ieat.pipeline.output.sink import SinkSettings, WriteBuild
from ieat.pipeline.output.stage2_rows import RowSettings
from ieat.pipeline.progress import ProgressView
from ieat.pipeline.resources import list_resources
from ieat.pipeline.rules import (
    attribute_rules,
    compose_rules,
    distill_rules,
    humdial_row_settings,
    humdial_tables,
    label_rules,
    retrospect_rules,
)
from ieat.pipeline.run_report import describe_asked, describe_run
from ieat.pipeline.run_state import MIN_ENDED, RunState
from ieat.pipeline.screening import is_screened
from ieat.pipeline.spending.ledger import Budget, Ledger, Spent, sum_spent
from ieat.pipeline.stages.attribute import AttributeEmotions
from ieat.pipeline.stages.compose import ComposeSamples
from ieat.pipeline.stages.distill import DistillAnswers
from ieat.pipeline.stages.guard import (
    GIVEN,
    LOOKED_BACK,
    SAID,
    WRITTEN,
    GuardGiven,
    GuardLookBack,
    GuardSaid,
    GuardWritten,
)
from ieat.pipeline.stages.hear import HearTurns
from ieat.pipeline.stages.label import LabelEmotions
from ieat.pipeline.stages.read import (
    ListDialogues,
    ListSpilled,
    ReadDialogues,
    ReadSpilled,
    refuse_empty_inputs,
)
from ieat.pipeline.stages.retrospect import LookBackOver
from ieat.pipeline.stages.transcribe import Transcribe
from ieat.pipeline.steps import DeadLetters, EngineRoom, StepContext, Worker
from ieat.pipeline.store.withdrawn import read_withdrawn
from ieat.pipeline.wiring import Engines, engine_ids, engine_opener
from ieat.prompts.library import PromptLibrary
from ieat.schemas.build import Manifest, UnitCounts
from ieat.schemas.rows import CORE_TABLES

STAGES = ("hear", "transcribe", "label", "attribute", "compose", "distill", "retrospect")
GUARDED_STAGES = (
    GIVEN,
    "hear",
    "transcribe",
    SAID,
    "label",
    "attribute",
    "compose",
    WRITTEN,
    "distill",
    "retrospect",
    LOOKED_BACK,
)
"""The stages of a build that keeps test sets out."""
EXIT_CODES = {"engine_unavailable": 4, "too_many_failed": 5}
"""Exit code of each reason to stop; all others are limits or a person: 3."""


@dataclass(frozen=True)
class BuildReport:
    """How a build ended."""

    output: str
    manifest: Manifest
    seconds: float
    stop_code: str | None
    stop_message: str | None
    warnings: tuple[str, ...]
    ledger: Mapping[tuple[str, str], Spent] = field(default_factory=dict)
    """What was asked and what it cost, by stage and engine."""

    @property
    def spent(self) -> Spent:
        """What was asked and what it cost in all."""
        return sum_spent(self.ledger.values())

    @property
    def exit_code(self) -> int:
        """0 done, 3 stopped by a limit or a person, 4 engine unavailable, 5 too many failed."""
        return 0 if self.stop_code is None else EXIT_CODES.get(self.stop_code, 3)

    def describe(self) -> str:
        """Return the books as a few lines of text."""
        lines = []
        for name, counts in self.manifest.books.by_name.items():
            lines.append(
                f"{name:<10} read {counts.read}: written {counts.written}, "
                f"dead {counts.num_dead}, filtered {counts.num_filtered}, "
                f"not reached {counts.num_not_reached}"
            )
        if self.manifest.codes:
            codes = ", ".join(f"{code} {n}" for code, n in sorted(self.manifest.codes.items()))
            shown = shlex.quote(self.output)
            lines.append(f"{'failed':<10} {codes}; see: ieat show {shown} --failed")
        asked = describe_asked(self.spent)
        if asked:
            lines.append(f"{'asked':<10} {asked}")
        lines.append(f"{'written':<10} {self.output} in {self.seconds:.1f} s")
        lines += [f"{'note':<10} {warning}" for warning in self.warnings]
        if self.stop_code is not None:
            goes_on = self.manifest.books.dialogues.num_not_reached > 0
            end = "; the same command goes on" if goes_on else ""
            lines.append(f"{'stopped':<10} {self.stop_message}{end}")
        return "\n".join(lines)


def assemble(
    pipeline: beam.Pipeline,
    config: BuildConfig,
    room: EngineRoom[Engines],
    group: Group,
    files: tuple[str, ...] | None = None,
) -> None:
    """Lay out the stages from corpora to tables.

    Args:
        pipeline: The pipeline.
        config: What to build.
        room: Where the worker is met.
        group: The shards to write.
        files: Where the dialogues of these shards are kept; null reads the corpora.
    """
    dead = DeadLetters()
    context = StepContext(room, dead, config.in_flight)
    if files is None:
        units = pipeline | "List dialogues" >> ListDialogues(config.inputs, config.limit)
        read = units | "Read dialogues" >> ReadDialogues(config.inputs, room, dead)
    else:
        units = pipeline | "List dialogues" >> ListSpilled(files)
        read = units | "Read dialogues" >> ReadSpilled(config.user_speaker, dead)
    is_guarded = config.guard is not None
    given = read | "Guard" >> GuardGiven(context) if is_guarded else read
    said = given | "Hear turns" >> HearTurns(context) | "Transcribe" >> Transcribe(context)
    if is_guarded:
        said = said | "Guard words" >> GuardSaid(context)
    composed = (
        said
        | "Label emotions" >> LabelEmotions(label_rules(config), context)
        | "Attribute emotions" >> AttributeEmotions(attribute_rules(config), context)
        | "Compose samples" >> ComposeSamples(compose_rules(config), context)
    )
    if is_guarded:
        composed = composed | "Guard answers" >> GuardWritten(context)
    done = (
        composed
        | "Distill answers" >> DistillAnswers(distill_rules(config), context)
        | "Look back" >> LookBackOver(retrospect_rules(config), context)
    )
    if is_guarded:
        done = done | "Guard look back" >> GuardLookBack(context)
    settings = _sink_settings(config)
    done | "Write build" >> WriteBuild(settings, group, read_clip, dead.all(), units)


def build(
    config: BuildConfig,
    *,
    beam_flags: Sequence[str] = (),
    console: Console | None = None,
) -> BuildReport:
    """Build a data set.

    Args:
        config: What to build.
        beam_flags: Flags of Beam; without a runner among them the build runs in this process.
        console: Where progress is shown; null shows none.

    Raises:
        ConfigError: A mistake in configuration or input, found before anything is paid for.
        EngineUnavailable: An engine cannot even be opened.
    """
    options = beam_options(beam_flags)
    refuse_budget_elsewhere(options, config.max_usd, config.max_tokens)
    refuse_screening_elsewhere(options, is_screened=is_screened(config))
    register_coders()
    # An empty input is told before the output folder is touched.
    refuse_empty_inputs(config.inputs)
    if config.aqa is not None:
        refuse_soundless(config.aqa)
    room = EngineRoom(
        engine_opener(config),
        partial(_open_state, config),
        config.user_speaker,
    )
    worker = room.enter()
    began = time.monotonic()
    started = datetime.now(timezone.utc)
    try:
        ids = engine_ids(worker.engines)
        folder = _open_folder(config, ids)
        with (
            _stopping_on_signals(worker.state),
            _showing(worker.state, console),
            _quiet_beam(),
        ):
            records = _run(config, ids, options, room, worker.state)
            beside = _write_beside(config, worker)
        manifest = close_build(
            _sink_settings(config),
            records,
            keeps_records=_may_go_on(worker.state),
            beside=beside,
        )
        judge(manifest.books.dialogues, config.max_failed_ratio, worker.state)
    finally:
        worker.close()
    stop = worker.state.stop_reason
    report = BuildReport(
        output=config.output,
        manifest=manifest,
        seconds=time.monotonic() - began,
        stop_code=stop.code if stop else None,
        stop_message=stop.message if stop else None,
        warnings=tuple(worker.state.warnings),
        ledger=worker.state.ledger.snapshot(),
    )
    write_resources(folder, list_resources(folder, config, ids))
    num_dialogues = manifest.books.dialogues.written
    write_run(folder, describe_run(worker.state, started, report.seconds, num_dialogues))
    write_card(folder)
    return report


def _run(
    config: BuildConfig,
    ids: dict[str, str | None],
    options: PipelineOptions,
    room: EngineRoom[Engines],
    state: RunState,
) -> list[GroupRecord]:
    """Run the pipeline: group by group in this process, once on any other runner."""
    settings = _sink_settings(config)

    def run(group: Group, files: tuple[str, ...] | None = None) -> None:
        with beam.Pipeline(options=options) as pipeline:
            assemble(pipeline, config, room, group, files)

    if runs_here(options):
        return run_groups(config, build_identity(config, ids), settings, state, run)
    whole = Group(shards=tuple(range(config.shards)))
    run(whole)
    return [read_record(BuildFolder(config.output), whole)]


def _write_beside(config: BuildConfig, worker: Worker[Engines]) -> Beside:
    """Write the tables that do not come from dialogues."""
    if config.aqa is None:
        return Beside()
    settings = _sink_settings(config)
    return write_questions(config.aqa, settings, worker.state, worker.engines.guard)


def _may_go_on(state: RunState) -> bool:
    """Tell whether the next run may skip what this one finished: not where much of it failed."""
    return state.stop_reason is not None and state.stop_reason.code != "too_many_failed"


def _open_state(config: BuildConfig) -> RunState:
    """Return the state of a run that begins; it is made where the engines are opened."""
    budget = Budget(config.max_usd, config.max_tokens)
    withdrawn = read_withdrawn(config.store_folder)
    stages = STAGES if config.guard is None else GUARDED_STAGES
    return RunState(stages, config.max_failed_ratio, Ledger(budget), withdrawn)


def _open_folder(config: BuildConfig, ids: dict[str, str | None]) -> BuildFolder:
    """Open the output folder.

    Raises:
        ConfigError: It holds something else, or cannot be written to.
    """
    try:
        return open_build(config.output, build_identity(config, ids))
    except (OSError, ValueError, ImportError) as error:
        raise unwritable(config.output, error) from error


def judge(dialogues: UnitCounts, max_failed_ratio: float, state: RunState) -> None:
    """Tell a run that failed wholesale by its books: dialogues also fail where they are read."""
    is_lost = dialogues.num_dead > 0 and dialogues.num_dead == dialogues.read
    has_sample = dialogues.read >= MIN_ENDED
    if is_lost or (has_sample and dialogues.num_dead > max_failed_ratio * dialogues.read):
        state.stop(
            "too_many_failed",
            f"{dialogues.num_dead} of {dialogues.read} dialogues failed; mend what "
            "`ieat show --failed` says",
        )


def _sink_settings(config: BuildConfig) -> SinkSettings:
    return SinkSettings(
        out=config.output,
        num_shards=config.shards,
        rows=RowSettings(
            max_context_turns=config.max_context_turns,
            max_context_seconds=config.max_context_seconds,
            stage2_audio=config.stage2_audio,
            must_agree=config.verifier is not None and config.verifier_settings.must_agree,
            humdial=humdial_row_settings(config),
            prompts=PromptLibrary(config.prompts),
        ),
        tables=(*CORE_TABLES, *humdial_tables(config)),
        not_configured=not_configured(config),
        checks=config.checks,
        tables_beside=tables_of(config.aqa),
    )


@contextmanager
def _stopping_on_signals(state: RunState) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM finish what is in flight; the second one ends at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if state.stop_reason is not None:
            raise KeyboardInterrupt
        state.stop("interrupted", f"stopped by {signal.Signals(number).name}")

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _showing(state: RunState, console: Console | None) -> Iterator[None]:
    if console is None:
        yield
        return
    with ProgressView(state.snapshot, console):
        yield


@contextmanager
def _quiet_beam() -> Iterator[None]:
    """Keep Beam's notes about packages that a local run does not need off the screen."""
    logger = logging.getLogger("apache_beam")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
