"""Run the stages of a build on the dialogues of a benchmark file."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from rich.console import Console

from ieat.pipeline.bench.gold import GoldFile, as_dialogue
from ieat.pipeline.bench.scores import FoundCause, FoundEmotion, Place, Slice
from ieat.pipeline.config import BuildConfig
from ieat.pipeline.failures import RecordError, RunStopped
from ieat.pipeline.progress import ProgressView
from ieat.pipeline.rules import attribute_rules, label_rules
from ieat.pipeline.run_state import RunState
from ieat.pipeline.spending.ledger import Ledger
from ieat.pipeline.stages.attribute import attribute_emotions
from ieat.pipeline.stages.label import label_emotions
from ieat.pipeline.stages.transcribe import transcribe
from ieat.pipeline.steps import Worker
from ieat.pipeline.wiring import Engines, engine_opener
from ieat.schemas.attribution import Attribution
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.emotion import Emotion
from ieat.schemas.records import AttributedDialogue, Failure, HeardDialogue, LabeledDialogue

UNKNOWN = "state_unknown"
"""Code of a gold state that the labeler gives no emotion."""
NEUTRAL = "state_neutral"
"""Code of a gold state that the labeler takes for neutral: no cause is asked for."""

Made = AttributedDialogue | LabeledDialogue | RecordError
"""What becomes of a dialogue; one that fails is wholly missed."""


@dataclass(frozen=True)
class Ran:
    """What stages and engines made of a file."""

    engine_id: str
    """The engine that was measured, with model and revision."""
    made: tuple[Made, ...]
    """What became of each dialogue, in the order of the file."""


def run_causes(
    file: GoldFile,
    config: BuildConfig,
    ledger: Ledger,
    *,
    shows_emotions: bool,
    console: Console | None = None,
) -> Ran:
    """Have the causes of all gold states found.

    Args:
        file: The benchmark.
        config: Names the engines.
        ledger: Counts what is asked, and holds the budget.
        shows_emotions: Whether the gold emotions are given; else the configured labeler labels
            all turns first.
        console: Where progress is shown; null shows none.

    Raises:
        RunStopped: An engine is unavailable or the budget is used up; what was answered is stored.
        ConfigError: An engine cannot be opened.
    """
    rules = attribute_rules(config)

    async def attribute(dialogue: Dialogue, engines: Engines) -> AttributedDialogue:
        labeled = await _label(dialogue, engines, config)
        return await attribute_emotions(labeled, engines.attributor, rules)

    dialogues = [as_dialogue(gold, shows_emotions=shows_emotions) for gold in file.dialogues]
    stages = ("attribute",) if shows_emotions else ("label", "attribute")
    state = RunState(stages, 1.0, ledger)
    return _run(dialogues, config, state, attribute, lambda e: e.attributor.attributor_id, console)


def run_emotions(
    file: GoldFile, config: BuildConfig, ledger: Ledger, console: Console | None = None
) -> Ran:
    """Have the emotions of all turns labeled from their words.

    Raises:
        RunStopped: An engine is unavailable or the budget is used up; what was answered is stored.
        ConfigError: An engine cannot be opened.
    """

    async def label(dialogue: Dialogue, engines: Engines) -> LabeledDialogue:
        return await _label(dialogue, engines, config)

    def labeler(engines: Engines) -> str:
        return engines.labeler.labeler_id if engines.labeler else "gold"

    dialogues = [as_dialogue(gold, shows_emotions=False) for gold in file.dialogues]
    return _run(dialogues, config, RunState(("label",), 1.0, ledger), label, labeler, console)


async def _label(dialogue: Dialogue, engines: Engines, config: BuildConfig) -> LabeledDialogue:
    heard = HeardDialogue(dialogue=dialogue, sounds=(None,) * len(dialogue.turns))
    transcribed = await transcribe(heard, engines.recognizer)
    return await label_emotions(transcribed, engines.labeler, label_rules(config))


def _run(
    dialogues: Sequence[Dialogue],
    config: BuildConfig,
    state: RunState,
    work: Callable[[Dialogue, Engines], Awaitable[AttributedDialogue | LabeledDialogue]],
    engine_of: Callable[[Engines], str],
    console: Console | None,
) -> Ran:
    for _ in dialogues:
        state.read(is_failed=False)
    shown = nullcontext() if console is None else ProgressView(state.snapshot, console)
    with _with_store(config) as opened, shown:
        worker = Worker(engine_opener(opened), state)
        try:
            made = worker.wait_for(_work_all(dialogues, work, worker.engines, state, config))
            engine_id = engine_of(worker.engines)
        finally:
            worker.close()
    return Ran(engine_id, tuple(made))


async def _work_all(
    dialogues: Sequence[Dialogue],
    work: Callable[[Dialogue, Engines], Awaitable[AttributedDialogue | LabeledDialogue]],
    engines: Engines,
    state: RunState,
    config: BuildConfig,
) -> list[Made]:
    """Work on `in_flight` dialogues at once; all of them end, even when the run stops."""
    gate = asyncio.Semaphore(config.in_flight)

    async def one(dialogue: Dialogue) -> Made:
        async with gate:
            for stage in state.stages:
                state.begin(stage)
            made: Made
            try:
                made = await work(dialogue, engines)
            except RecordError as error:
                made = error
            except RunStopped as error:
                state.stop(error.code, error.message)
                raise
            finally:
                for stage in state.stages:
                    state.end(stage, is_failed=False)
            return made

    ended = await asyncio.gather(*map(one, dialogues), return_exceptions=True)
    made: list[Made] = []
    problems: list[BaseException] = []
    for end in ended:
        if isinstance(end, BaseException) and not isinstance(end, RecordError):
            problems.append(end)
        else:
            made.append(end)
    if problems:
        # What is no stop is a mistake in the code, and says more.
        raise next((p for p in problems if not isinstance(p, RunStopped)), problems[0])
    return made


@contextmanager
def _with_store(config: BuildConfig) -> Iterator[BuildConfig]:
    """Let a run that asks nobody leave no store behind."""
    if config.language_model is not None:
        yield config
        return
    with tempfile.TemporaryDirectory(prefix="ieat-bench-") as folder:
        yield config.model_copy(update={"store": folder})


def found_causes(file: GoldFile, ran: Ran) -> dict[Place, FoundCause]:
    """Return what was found for every scored state, with the reason where nothing was."""
    found = {}
    for number, (gold, made) in enumerate(zip(file.dialogues, ran.made, strict=True)):
        for cause in gold.scored_causes():
            found[Place(number, cause.turn_index)] = _found_cause(made, cause.turn_index)
    return found


def _found_cause(made: Made, turn: int) -> FoundCause:
    failure = _failure(made, turn)
    if failure is not None:
        return FoundCause(code=failure)
    if isinstance(made, AttributedDialogue):
        for attribution in made.attributions:
            if attribution.turn_index == turn:
                return FoundCause(_slices(attribution))
    return FoundCause(code=NEUTRAL if _chosen(made, turn) is Emotion.NEUTRAL else UNKNOWN)


def _slices(attribution: Attribution) -> tuple[Slice, ...]:
    return tuple(
        dict.fromkeys(
            Slice(shown.turn_index, shown.start, shown.end)
            for cause in attribution.causes
            for shown in cause.evidence
        )
    )


def found_emotions(file: GoldFile, ran: Ran) -> dict[Place, FoundEmotion]:
    """Return the emotion of every turn that has a gold one, with the reason where it failed."""
    return {
        Place(number, index): FoundEmotion(_chosen(made, index), _failure(made, index))
        for number, (gold, made) in enumerate(zip(file.dialogues, ran.made, strict=True))
        for index, turn in enumerate(gold.turns)
        if turn.emotion is not None
    }


def _failure(made: Made, turn: int) -> str | None:
    if isinstance(made, RecordError):
        return made.code
    failures: tuple[Failure, ...] = made.failures
    return next((failure.code for failure in failures if failure.turn_index == turn), None)


def _chosen(made: Made, turn: int) -> Emotion | None:
    if isinstance(made, RecordError):
        return None
    return next(
        (
            state.chosen
            for trajectory in made.trajectories
            for state in trajectory.states
            if state.turn_index == turn
        ),
        None,
    )
