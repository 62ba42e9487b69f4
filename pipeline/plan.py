"""Say what a build would read, ask and write, without asking anybody."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress

from ieat.pipeline.config import BuildConfig, ResourceSettings
from ieat.pipeline.corpora.aqa import refuse_soundless
from ieat.pipeline.failures import ConfigError, NotInStore, RecordError
from ieat.pipeline.groups import read_for_plan
from ieat.pipeline.history import attributed_speakers, find_targets
from ieat.pipeline.plan_bounds import (
    BYTES_PER_SECOND,
    THINKING_BYTES,
    Planning,
    PlanningStore,
    bound,
    bound_readings,
    bound_taught,
    line_bytes,
    note_looked_up,
    reckon_known,
    reckon_possible,
)
from ieat.pipeline.plan_report import Plan, StagePlan
from ieat.pipeline.ports import ResponseStore, VoiceLabeler
from ieat.pipeline.resources import refuse_unwanted
from ieat.pipeline.rules import (
    attribute_rules,
    compose_rules,
    distill_rules,
    label_rules,
    retrospect_rules,
)
from ieat.pipeline.run_state import RunState
from ieat.pipeline.spending.estimate import PlanningLedger
from ieat.pipeline.stages.attribute import attribute_emotions
from ieat.pipeline.stages.compose import compose_samples
from ieat.pipeline.stages.distill import distill
from ieat.pipeline.stages.guard import guard_given, guard_said
from ieat.pipeline.stages.hear import hear
from ieat.pipeline.stages.label import has_voice, label_emotions
from ieat.pipeline.stages.retrospect import retrospect, wanted_tables
from ieat.pipeline.stages.transcribe import transcribe
from ieat.pipeline.store.opening import open_for_upkeep
from ieat.pipeline.store.seal import BrokenAnswer, unseal
from ieat.pipeline.store.withdrawn import read_withdrawn
from ieat.pipeline.wiring import asks_jointly, open_engines, open_store
from ieat.prompts.library import PromptLibrary
from ieat.schemas.dialogue import Dialogue, Turn
from ieat.schemas.engine import StoredAnswer
from ieat.schemas.records import ComposedDialogue, DistilledDialogue, HeardDialogue, SetAside
from ieat.schemas.sample import Target

TRANSCRIPTION = "transcription"
"""What stored answers of recognizers are labeled as."""
FLAC_BYTES = 19_000
"""Bytes of FLAC for a second of speech at 16 kHz, measured on recorded dialogues."""


def plan_build(config: BuildConfig) -> Plan:
    """Read and measure everything, and look every question up in the store.

    Raises:
        ConfigError: The build would be refused, there is nothing to read, or the store cannot be
            opened.
    """
    refuse_unwanted(config)
    # The gates were asked about the build itself, which does not replay.
    asks_nobody = {"replay": True, "resources": ResourceSettings()}
    return asyncio.run(_plan(config.model_copy(update=asks_nobody)))


async def _plan(config: BuildConfig) -> Plan:
    store = PlanningStore(_store_if_any(config))
    ledger = PlanningLedger()
    state = RunState(("plan",), 1.0, ledger, read_withdrawn(config.store_folder))
    engines = open_engines(config, state, store)
    plan = Plan(stages=_stages(config), max_usd=config.max_usd, max_tokens=config.max_tokens)
    if config.aqa is not None:
        plan.num_questions = refuse_soundless(config.aqa)
    prompts = PromptLibrary(config.prompts)
    planning = Planning(config, plan, engines, store, prompts, ledger, [])
    try:
        for read in read_for_plan(config, state):
            if isinstance(read, SetAside):
                plan.broken.setdefault(read.code, []).append(read.message)
                continue
            try:
                if engines.guard is not None:
                    read = await guard_given(read, engines.guard)
                heard = await hear(read, engines.examine)
            except RecordError as error:
                plan.broken.setdefault(error.code, []).append(error.message)
                continue
            await _count_dialogue(planning, heard)
    finally:
        await engines.close()
    ledger.calibration.learn_from_others(_stored_answers(config))
    reckon_known(plan, ledger)
    reckon_possible(planning, ledger.calibration)
    return plan


def _stored_answers(config: BuildConfig) -> Iterator[StoredAnswer]:
    """Yield answers that are stored already, of earlier builds too."""
    try:
        store = open_for_upkeep(config.store_folder, replay=True)
    except ConfigError:
        return
    try:
        for sealed in store.answers():
            try:
                yield unseal(sealed)
            except BrokenAnswer:  # noqa: PERF203 - every answer is tried
                continue
    finally:
        store.close()


def _store_if_any(config: BuildConfig) -> ResponseStore | None:
    try:
        return open_store(config)
    except ConfigError:
        # Opened read only, a store that is not there yet is an error: it holds nothing.
        return None


def _stages(config: BuildConfig) -> dict[str, StagePlan]:
    names = [
        ("transcribe", config.recognizer != "gold"),
        ("label", config.labeler == "llm" or config.voice_labeler is not None),
        ("attribute", config.attributor == "llm"),
        ("compose", config.response == "written"),
        ("distill", config.teacher is not None),
        ("retrospect", bool({"t1", "t2"} & set(config.humdial_tables))),
    ]
    return {name: StagePlan() for name, is_asked in names if is_asked}


async def _count_dialogue(planning: Planning, heard: HeardDialogue) -> None:
    """Count a dialogue, what it asks, and the sound that its rows hold."""
    plan, config = planning.plan, planning.config
    targets = find_targets(
        ((turn.index, turn.speaker) for turn in heard.dialogue.turns),
        attributed_speakers(heard.dialogue, config.user_speaker),
    )
    seconds = [sound.duration if sound else 0.0 for sound in heard.sounds]
    plan.num_dialogues += 1
    plan.num_turns += len(heard.dialogue.turns)
    plan.num_targets += len(targets)
    plan.hours += sum(seconds) / 3600
    composed = await _count_questions(planning, heard)
    left_out = {turn for turn, _ in composed.filtered} if composed is not None else set()
    num_known = 0 if composed is None else len(composed.samples) + len(left_out)
    shown = sum(seconds)
    if config.stage2_audio == "embed":
        plan.is_disk_bounded |= num_known < len(targets)
        shown += sum(
            _shown_seconds(target, heard.dialogue, seconds, config)
            for target in targets
            if target.turn_index not in left_out
        )
    plan.bytes_needed += round(shown * FLAC_BYTES)


def _shown_seconds(
    target: Target, dialogue: Dialogue, seconds: list[float], config: BuildConfig
) -> float:
    """Return the sound in the row of a target: its turns, and the newest before them."""
    earlier = 0.0
    first = target.user_turns[0]
    for turn in reversed(dialogue.turns[max(0, first - config.max_context_turns) : first]):
        heard = 0.0 if turn.speaker == target.answering_speaker else seconds[turn.index]
        if earlier + heard > config.max_context_seconds:
            break
        earlier += heard
    return earlier + sum(seconds[turn] for turn in target.user_turns)


async def _count_questions(planning: Planning, heard: HeardDialogue) -> ComposedDialogue | None:
    """Go as far as the store allows; what depends on missing answers is bounded from above.

    Returns what becomes of the targets as far as it is known; null where words are missing.
    """
    plan, config, engines, store = (
        planning.plan,
        planning.config,
        planning.engines,
        planning.store,
    )
    dialogue = heard.dialogue
    is_missing = False
    for turn, sound in zip(dialogue.turns, heard.sounds, strict=True):
        try:
            said = await engines.recognizer.recognize(
                turn, sound, dialogue.language, dialogue.dialogue_id
            )
        except NotInStore:  # noqa: PERF203 - every turn is looked up
            is_missing = True
        except RecordError as error:
            plan.broken.setdefault(error.code, []).append(error.message)
            return None
        else:
            if said.response_key is not None and sound is not None:
                planning.ledger.calibration.learn_length(
                    engines.recognizer.recognizer_id, TRANSCRIPTION, sound.duration
                )
    note_looked_up(plan, "transcribe", store)
    if is_missing:
        await _bound_without_words(planning, heard)
        return None
    try:
        transcribed = await transcribe(heard, engines.recognizer)
        if engines.guard is not None:
            await guard_said(transcribed, engines.guard)
    except RecordError as error:
        plan.broken.setdefault(error.code, []).append(error.message)
        return None
    store.take()
    labeled = await label_emotions(
        transcribed, engines.labeler, label_rules(config), engines.voice_labeler
    )
    note_looked_up(plan, "label", store)
    num_missed_before = len(planning.ledger.missing)
    attributed = await attribute_emotions(labeled, engines.attributor, attribute_rules(config))
    note_looked_up(plan, "attribute", store)
    sizes = [
        line_bytes(turn.speaker, utterance.clean)
        for turn, utterance in zip(dialogue.turns, transcribed.transcript.utterances, strict=True)
    ]
    num_bytes = sum(sizes)
    num_missing = sum(failure.code == "not_in_store" for failure in attributed.failures)
    num_unlabeled = sum(failure.code == "not_in_store" for failure in labeled.failures)
    if not asks_jointly(config):
        num_asked = num_unlabeled * config.samples
        bound(planning, "attribute", "attribution", num_asked, num_bytes, dialogue.language)
    # A cause that is there and was not read back is a question that is known.
    reading = planning.prompts.prompt("reprediction", dialogue.language).answer_schema.schema_id
    missed = planning.ledger.missing[num_missed_before:]
    num_unread = sum(question.label == reading for question in missed)
    bound_readings(planning, num_missing - num_unread, dialogue.language)
    composed = await compose_samples(attributed, engines.responder, compose_rules(config))
    note_looked_up(plan, "compose", store)
    num_waiting = sum(failure.code == "needs_failed_state" for failure in composed.failures)
    bound(
        planning, "compose", "response", num_waiting, num_bytes + THINKING_BYTES, dialogue.language
    )
    if any(failure.code == "not_in_store" for failure in labeled.failures):
        # What the teacher is told of emotions and sounds is not known of all turns.
        bound_taught(planning, dialogue, sizes)
        distilled = DistilledDialogue(**dict(composed))
    else:
        distilled = await distill(composed, engines.teacher, distill_rules(config))
        note_looked_up(plan, "distill", store)
    await retrospect(distilled, engines.retrospector, retrospect_rules(config))
    note_looked_up(plan, "retrospect", store)
    return composed


async def _bound_without_words(planning: Planning, heard: HeardDialogue) -> None:
    """Bound what is asked about a dialogue whose words are not there; its voice is."""
    config, engines, dialogue = planning.config, planning.engines, heard.dialogue
    wanted = attributed_speakers(dialogue, config.user_speaker)
    turns = [turn for turn in dialogue.turns if turn.speaker in wanted]
    labeled = turns if config.labels.speakers == "attributed" else list(dialogue.turns)
    await _look_up_voices(labeled, heard, engines.voice_labeler)
    note_looked_up(planning.plan, "label", planning.store)
    sizes = [
        max(
            line_bytes(turn.speaker, turn.text or ""),
            line_bytes(turn.speaker, "")
            + (round(BYTES_PER_SECOND * sound.duration) if sound else 0),
        )
        for turn, sound in zip(dialogue.turns, heard.sounds, strict=True)
    ]
    said = sum(sizes)
    is_joint = asks_jointly(config)
    if config.labeler == "llm":
        count = sum(turn.emotion is None or config.labels.also_gold for turn in labeled)
        prompt = "joint" if is_joint else "labeling"
        bound(planning, "label", prompt, count * config.samples, said, dialogue.language)
    num_causes = 0 if is_joint else len(turns) * config.samples
    bound(planning, "attribute", "attribution", num_causes, said, dialogue.language)
    bound_readings(planning, len(turns), dialogue.language)
    bound(planning, "compose", "response", len(turns), said + THINKING_BYTES, dialogue.language)
    bound_taught(planning, dialogue, sizes)
    num_looks = int(bool(wanted_tables(dialogue, retrospect_rules(config))))
    bound(planning, "retrospect", "retrospection", num_looks, said, dialogue.language)


async def _look_up_voices(
    turns: Sequence[Turn], heard: HeardDialogue, labeler: VoiceLabeler | None
) -> None:
    """Ask about the voices of turns whose words are not known yet: the questions hold none."""
    for turn in turns:
        sound = heard.sounds[turn.index]
        if labeler is None or turn.audio is None or not has_voice(sound):
            continue
        language, dialogue_id = heard.dialogue.language, heard.dialogue.dialogue_id
        with suppress(RecordError):
            await labeler.label_voice(turn.audio, sound, language, dialogue_id)
