"""Say what a build would read, ask and write, without asking anybody."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from ieat.pipeline.config import BuildConfig, LanguageModelSettings, ResourceSettings
from ieat.pipeline.corpora.aqa import refuse_soundless
from ieat.pipeline.failures import ConfigError, NotInStore, RecordError
from ieat.pipeline.groups import read_for_plan
from ieat.pipeline.history import attributed_speakers, find_targets
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
from ieat.pipeline.spending.estimate import Calibration, PlanningLedger, price_expected
from ieat.pipeline.spending.prices import TEMPLATE_TOKENS
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
from ieat.pipeline.wiring import Engines, asks_jointly, open_engines, open_store
from ieat.prompts.library import PromptLibrary
from ieat.schemas.dialogue import Dialogue, Language, Turn
from ieat.schemas.engine import StoredAnswer, Usage
from ieat.schemas.records import ComposedDialogue, DistilledDialogue, HeardDialogue, SetAside
from ieat.schemas.sample import Target

TRANSCRIPTION = "transcription"
"""What stored answers of recognizers are labeled as."""
FLAC_BYTES = 19_000
"""Bytes of FLAC for a second of speech at 16 kHz, measured on recorded dialogues."""


class PlanningStore:
    """Counts what is asked for and what is there; keeps nothing.

    Args:
        inner: The store of the build; null when there is none yet.
    """

    def __init__(self, inner: ResponseStore | None) -> None:
        self._inner = inner
        self.num_asked = 0
        self.num_found = 0

    async def get(self, key: str, dialogue_id: str) -> StoredAnswer | None:
        """Return the answer, or null."""
        self.num_asked += 1
        found = None if self._inner is None else await self._inner.get(key, dialogue_id)
        self.num_found += found is not None
        return found

    def note(self, key: str, dialogue_id: str) -> None:
        """Remember nothing: a plan uses no answer."""

    async def put(
        self, stored: StoredAnswer, dialogue_id: str, *, replaces: bool = False
    ) -> StoredAnswer:
        """Refuse: a plan pays for nothing."""
        raise ValueError("a plan asks nobody")

    def take(self) -> tuple[int, int]:
        """Return how much was asked for and found since the last call."""
        counts = self.num_asked, self.num_found
        self.num_asked = self.num_found = 0
        return counts

    def contains(self, keys: list[str]) -> set[str]:
        """Return those of the keys that are there."""
        return set() if self._inner is None else self._inner.contains(keys)

    def close(self) -> None:
        """Close the store of the build."""
        if self._inner is not None:
            self._inner.close()


@dataclass(frozen=True)
class _Possible:
    """Questions of one stage that depend on answers that are not there."""

    stage: str
    prompt: str
    """Name of the prompt."""
    count: int
    num_bytes: int
    """Most bytes that one of them has."""
    engine_id: str
    settings: LanguageModelSettings
    """How the engine is asked."""


@dataclass
class _Planning:
    """What a plan is made with."""

    config: BuildConfig
    plan: Plan
    engines: Engines
    store: PlanningStore
    prompts: PromptLibrary
    ledger: PlanningLedger
    possible: list[_Possible]


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
    planning = _Planning(config, plan, engines, store, prompts, ledger, [])
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
    _reckon_known(plan, ledger)
    _reckon_possible(planning, ledger.calibration)
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


async def _count_dialogue(planning: _Planning, heard: HeardDialogue) -> None:
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


async def _count_questions(planning: _Planning, heard: HeardDialogue) -> ComposedDialogue | None:
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
    _note(plan, "transcribe", store)
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
    _note(plan, "label", store)
    num_missed_before = len(planning.ledger.missing)
    attributed = await attribute_emotions(labeled, engines.attributor, attribute_rules(config))
    _note(plan, "attribute", store)
    sizes = [
        _line_bytes(turn.speaker, utterance.clean)
        for turn, utterance in zip(dialogue.turns, transcribed.transcript.utterances, strict=True)
    ]
    num_bytes = sum(sizes)
    num_missing = sum(failure.code == "not_in_store" for failure in attributed.failures)
    num_unlabeled = sum(failure.code == "not_in_store" for failure in labeled.failures)
    if not asks_jointly(config):
        num_asked = num_unlabeled * config.samples
        _bound(planning, "attribute", "attribution", num_asked, num_bytes, dialogue.language)
    # A cause that is there and was not read back is a question that is known.
    reading = planning.prompts.prompt("reprediction", dialogue.language).answer_schema.schema_id
    missed = planning.ledger.missing[num_missed_before:]
    num_unread = sum(question.label == reading for question in missed)
    _bound_readings(planning, num_missing - num_unread, dialogue.language)
    composed = await compose_samples(attributed, engines.responder, compose_rules(config))
    _note(plan, "compose", store)
    num_waiting = sum(failure.code == "needs_failed_state" for failure in composed.failures)
    _bound(
        planning, "compose", "response", num_waiting, num_bytes + THINKING_BYTES, dialogue.language
    )
    if any(failure.code == "not_in_store" for failure in labeled.failures):
        # What the teacher is told of emotions and sounds is not known of all turns.
        _bound_taught(planning, dialogue, sizes)
        distilled = DistilledDialogue(**dict(composed))
    else:
        distilled = await distill(composed, engines.teacher, distill_rules(config))
        _note(plan, "distill", store)
    await retrospect(distilled, engines.retrospector, retrospect_rules(config))
    _note(plan, "retrospect", store)
    return composed


def _bound_taught(planning: _Planning, dialogue: Dialogue, sizes: Sequence[int]) -> None:
    """Bound what a teacher is asked: a question for each turn of the user.

    Args:
        planning: The plan.
        dialogue: The dialogue.
        sizes: Most bytes that each of its turns has in a question.
    """
    config = planning.config
    users = attributed_speakers(dialogue, config.user_speaker)
    count = sum(turn.speaker in users for turn in dialogue.turns)
    shown = sum(sizes) if config.teacher_settings.context == "history" else max(sizes)
    _bound(planning, "distill", "distillation", count, shown, dialogue.language)


async def _bound_without_words(planning: _Planning, heard: HeardDialogue) -> None:
    """Bound what is asked about a dialogue whose words are not there; its voice is."""
    config, engines, dialogue = planning.config, planning.engines, heard.dialogue
    wanted = attributed_speakers(dialogue, config.user_speaker)
    turns = [turn for turn in dialogue.turns if turn.speaker in wanted]
    labeled = turns if config.labels.speakers == "attributed" else list(dialogue.turns)
    await _look_up_voices(labeled, heard, engines.voice_labeler)
    _note(planning.plan, "label", planning.store)
    sizes = [
        max(
            _line_bytes(turn.speaker, turn.text or ""),
            _line_bytes(turn.speaker, "")
            + (round(BYTES_PER_SECOND * sound.duration) if sound else 0),
        )
        for turn, sound in zip(dialogue.turns, heard.sounds, strict=True)
    ]
    said = sum(sizes)
    is_joint = asks_jointly(config)
    if config.labeler == "llm":
        count = sum(turn.emotion is None or config.labels.also_gold for turn in labeled)
        prompt = "joint" if is_joint else "labeling"
        _bound(planning, "label", prompt, count * config.samples, said, dialogue.language)
    num_causes = 0 if is_joint else len(turns) * config.samples
    _bound(planning, "attribute", "attribution", num_causes, said, dialogue.language)
    _bound_readings(planning, len(turns), dialogue.language)
    _bound(planning, "compose", "response", len(turns), said + THINKING_BYTES, dialogue.language)
    _bound_taught(planning, dialogue, sizes)
    num_looks = int(bool(wanted_tables(dialogue, retrospect_rules(config))))
    _bound(planning, "retrospect", "retrospection", num_looks, said, dialogue.language)


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


def _line_bytes(speaker: str, words: str) -> int:
    """Return the most bytes that a turn has in a question."""
    return len(f"{speaker}{words}".encode("utf-8", "replace")) + NOTES_BYTES


def _note(plan: Plan, stage: str, store: PlanningStore) -> None:
    """Add what was looked up in the store since the last time."""
    num_asked, num_found = store.take()
    if stage in plan.stages:
        plan.stages[stage].num_stored += num_found
        plan.stages[stage].num_known += num_asked - num_found


def _bound(
    planning: _Planning, stage: str, prompt: str, count: int, num_bytes: int, language: Language
) -> None:
    """Add questions that may come up, of a stage that asks."""
    if stage in planning.plan.stages and count:
        engine_id, settings = _asked_in(planning, stage)
        asked = _Possible(stage, prompt, count, num_bytes, engine_id, settings)
        _add_possible(planning, asked, language)


def _bound_readings(planning: _Planning, count: int, language: Language) -> None:
    """Add questions to the verifier that may come up: one for each cause that may."""
    verifier = planning.engines.verifier
    if verifier is not None:
        asked = _Possible(
            "attribute",
            "reprediction",
            count,
            CAUSE_BYTES,
            verifier.verifier_id,
            planning.config.verifier_settings,
        )
        _add_possible(planning, asked, language)


def _add_possible(planning: _Planning, asked: _Possible, language: Language) -> None:
    if not asked.count or asked.stage not in planning.plan.stages:
        return
    template = planning.prompts.prompt(asked.prompt, language)
    fixed = sum(
        len(text.encode())
        for text in (*template.file.sections.values(), template.answer_schema.text)
    )
    planning.plan.stages[asked.stage].num_possible += asked.count
    planning.possible.append(replace(asked, num_bytes=asked.num_bytes + fixed))


BYTES_PER_SECOND = 50
"""More bytes than anybody speaks in a second: 6 words of 8 letters, 11 Chinese characters of 3."""
NOTES_BYTES = 120
"""More bytes than a question shows of a turn besides its words: number, sounds, voice."""
CAUSE_BYTES = 2_000
"""More bytes than event and appraisal of a cause have, two sentences of 60 words at most."""
THINKING_BYTES = 6_000
"""More bytes than the thinking of a target has, which names two causes at most."""


def _reckon_known(plan: Plan, ledger: PlanningLedger) -> None:
    """Reckon tokens and money of the questions that are known."""
    calibration = ledger.calibration
    for missing in ledger.missing:
        stage = plan.stages.setdefault(missing.stage, StagePlan())
        expected = calibration.expect(
            missing.engine_id, missing.label, missing.question_bytes, missing.bound
        )
        stage.add(expected, price_expected(expected, missing.bound, missing.prices))
        stage.is_bounded |= not calibration.knows_answers(missing.engine_id, missing.label)
        if not calibration.knows(missing.engine_id):
            plan.uncalibrated.add(missing.engine_id)


def _reckon_possible(planning: _Planning, calibration: Calibration) -> None:
    """Reckon the most that the questions may use which depend on answers that are not there."""
    for possible in planning.possible:
        label = planning.prompts.prompt(possible.prompt, Language.EN).answer_schema.schema_id
        # No text has more tokens than bytes.
        ratio = calibration.tokens_per_byte(possible.engine_id, label) or 1.0
        most = Usage(
            prompt_tokens=possible.count * round(ratio * possible.num_bytes + TEMPLATE_TOKENS),
            completion_tokens=possible.count * possible.settings.max_tokens,
        )
        stage = planning.plan.stages[possible.stage]
        stage.is_bounded = True
        stage.add(most, price_expected(most, most, possible.settings.prices))
        if not calibration.knows(possible.engine_id):
            planning.plan.uncalibrated.add(possible.engine_id)


def _asked_in(planning: _Planning, stage: str) -> tuple[str, LanguageModelSettings]:
    """Return which engine a stage asks and how: the teacher or the language model.

    Raises:
        ValueError: The stage asks nobody.
    """
    config, engines = planning.config, planning.engines
    if stage == "distill" and engines.teacher is not None:
        return engines.teacher.teacher_id, config.teacher_settings
    if engines.model is None:
        raise ValueError(f"the stage {stage} asks nobody")
    settings = config.language_model_settings
    if stage == "retrospect":
        settings = settings.model_copy(update={"max_tokens": config.humdial_settings.max_tokens})
    return engines.model.engine_id, settings
