"""Try a configuration on one dialogue: read it, ask each engine, write and remove one file."""

import math
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import fsspec

from ieat.pipeline.config import BuildConfig
from ieat.pipeline.failures import ConfigError, RecordError, unwritable
from ieat.pipeline.rules import attribute_rules, compose_rules, distill_rules, label_rules
from ieat.pipeline.run_report import describe_asked
from ieat.pipeline.run_state import RunState
from ieat.pipeline.spending.ledger import Spent, sum_spent
from ieat.pipeline.stages.attribute import attribute_emotions
from ieat.pipeline.stages.compose import compose_samples
from ieat.pipeline.stages.distill import distill
from ieat.pipeline.stages.hear import hear
from ieat.pipeline.stages.label import label_emotions
from ieat.pipeline.stages.read import list_units, read_unit
from ieat.pipeline.stages.transcribe import transcribe
from ieat.pipeline.steps import Worker
from ieat.pipeline.wiring import Engines, engine_opener
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.records import AttributedDialogue, Failure, LabeledDialogue

WANTED_RATE = 100.0
"""Questions a second that most endpoints can be asked, and that a build can keep up with."""
MAX_TRIED = 20
"""Dialogues that are tried before the input counts as unreadable."""


def check_build(config: BuildConfig) -> Iterator[str]:
    """Yield one line for each thing that works.

    The answers are kept in the store, so a later build does not pay for them again.

    Raises:
        ConfigError: Something does not work, and how to mend it.
        EngineUnavailable: An engine refuses or does not answer.
    """
    dialogue = _first_readable(config)
    yield f"read      {dialogue.dialogue_id}: {len(dialogue.turns)} turns ({dialogue.source})"
    worker = Worker(engine_opener(config), RunState(("check",), 1.0))
    try:
        tried = worker.wait_for(_ask_engines(config, _opening(dialogue), worker.engines))
        spent = worker.state.ledger.snapshot()
    finally:
        worker.close()
    yield from tried.lines
    asked = describe_asked(sum_spent(spent.values()))
    if asked:
        yield f"asked     {asked}"
    yield from _suggest(config, spent, tried.seconds)
    yield _write_and_remove(config.output)


class _Tried(NamedTuple):
    """What the engines gave."""

    lines: list[str]
    seconds: float
    """Time that the stages which ask a language model took."""


def _suggest(
    config: BuildConfig, spent: Mapping[tuple[str, str], Spent], seconds: float
) -> Iterator[str]:
    """Say how long an answer of the language model takes, and how many calls that is worth.

    The questions of a check go one after the other, so their time is that of single answers.
    """
    asked = sum_spent(
        found for (stage, _), found in spent.items() if stage in ("label", "attribute", "compose")
    )
    if not asked.answered:
        return
    latency = seconds / asked.answered
    settings = config.language_model_settings
    rate = settings.in_flight / latency
    line = (
        f"speed     {latency:.2f} s an answer: in_flight {settings.in_flight} asks about "
        f"{rate:.0f} questions a second"
    )
    allowed = settings.requests_per_minute
    if allowed is not None:
        enough = max(1, math.ceil(1.2 * latency * allowed / 60))
        line += f"; in_flight {enough} is enough for requests_per_minute {allowed:g}"
    elif rate < WANTED_RATE:
        line += f"; in_flight {math.ceil(WANTED_RATE * latency)} would ask about {WANTED_RATE:.0f}"
    yield line


def _first_readable(config: BuildConfig) -> Dialogue:
    first_problem: RecordError | None = None
    for unit in list_units(config.inputs, MAX_TRIED):
        try:
            return read_unit(unit, config.inputs[unit.input_index], config.user_speaker)
        except RecordError as problem:  # noqa: PERF203 - at most MAX_TRIED times
            first_problem = first_problem or problem
    raise ConfigError(
        f"none of the first {MAX_TRIED} dialogues can be read; the first: {first_problem}"
    )


def _opening(dialogue: Dialogue) -> Dialogue:
    """Return the dialogue up to the first change of speaker, so that there is a target."""
    speakers = [turn.speaker for turn in dialogue.turns]
    change = next((n for n, speaker in enumerate(speakers) if speaker != speakers[0]), 0)
    return dialogue.model_copy(update={"turns": dialogue.turns[: change + 1]})


async def _ask_engines(config: BuildConfig, dialogue: Dialogue, engines: Engines) -> _Tried:
    """Run the stages over the opening of a dialogue and say what each engine gave."""
    lines = []
    clock = time.monotonic()

    def took() -> str:
        nonlocal clock
        before, clock = clock, time.monotonic()
        return f"{clock - before:.2f} s"

    try:
        heard = await hear(dialogue, engines.examine)
        length = sum(sound.duration for sound in heard.sounds if sound)
        lines.append(f"heard     {length:.1f} s of sound ({took()})")
        transcribed = await transcribe(heard, engines.recognizer)
        words = transcribed.transcript.utterances[0].clean
        lines.append(f"words     {engines.recognizer.recognizer_id}: {words!r} ({took()})")
        began = time.monotonic()
        labeled = await label_emotions(
            transcribed, engines.labeler, label_rules(config), engines.voice_labeler
        )
        _refuse_failed(labeled.failures)
        states = [state for found in labeled.trajectories for state in found.states]
        emotion = states[0].chosen.value if states and states[0].chosen else "unknown"
        labeler = engines.labeler.labeler_id if engines.labeler else "gold"
        lines.append(f"emotion   {labeler}: {emotion} ({took()})")
        if engines.voice_labeler is not None:
            lines.append(f"voice     {engines.voice_labeler.labeler_id}: {_heard(labeled)}")
        attributed = await attribute_emotions(labeled, engines.attributor, attribute_rules(config))
        _refuse_failed(attributed.failures)
        if attributed.attributions:
            event = attributed.attributions[0].causes[0].event
            lines.append(f"cause     {engines.attributor.attributor_id}: {event} ({took()})")
            if engines.verifier is not None:
                lines.append(f"verifier  {engines.verifier.verifier_id}: {_read_back(attributed)}")
        else:
            lines.append("cause     not asked: the first state is neutral or unknown")
        composed = await compose_samples(attributed, engines.responder, compose_rules(config))
        _refuse_failed(composed.failures)
        if composed.samples:
            lines.append(f"response  {composed.samples[0].response.text} ({took()})")
        else:
            lines.append("response  not asked: the first turn is no target with a known state")
        seconds = time.monotonic() - began
        if engines.teacher is not None:
            took()
            distilled = await distill(composed, engines.teacher, distill_rules(config))
            _refuse_failed(distilled.failures)
            if distilled.distillations:
                target = distilled.distillations[0].target
                lines.append(f"teacher   {engines.teacher.teacher_id}: {target} ({took()})")
    except RecordError as error:
        raise ConfigError(f"{dialogue.dialogue_id}: {error.code}: {error.message}") from error
    return _Tried(lines, seconds)


def _heard(labeled: LabeledDialogue) -> str:
    """Say what was heard in the voice of the first turn."""
    states = [state for trajectory in labeled.trajectories for state in trajectory.states]
    if not states or states[0].voice is None:
        failed = bool(states) and "voice_failed" in states[0].flags
        return "the sound was refused or not answered in form" if failed else "no voice to label"
    emotion = states[0].voice.emotion
    events = [event.value for found in labeled.voice_events[:1] for event in found.events]
    return ", ".join([emotion.value if emotion else "unclear", *events])


def _read_back(attributed: AttributedDialogue) -> str:
    """Say what was found again from the first cause."""
    found = attributed.attributions[0].reprediction
    if found is None:
        return "no usable answer"
    emotion = found.emotion.value if found.emotion else "unclear"
    return f"{emotion}, as the cause explains" if found.agrees else f"{emotion}, which differs"


def _refuse_failed(failures: tuple[Failure, ...]) -> None:
    if failures:
        raise RecordError(failures[0].code, failures[0].message)


def _write_and_remove(output: str) -> str:
    """Write and remove a file beside the output, so that an empty output stays empty."""
    probe = f"{output.rstrip('/')}.ieat-check"
    try:
        with fsspec.open(probe, "wb", auto_mkdir=True) as out:
            out.write(b"ieat")
        system, path = fsspec.core.url_to_fs(probe)
        system.rm_file(path)
    except (OSError, ValueError, ImportError) as error:
        raise unwritable(output, error) from error
    return f"write     {output} can be written to"
