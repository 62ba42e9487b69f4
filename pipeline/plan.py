"""Say what a build would read, ask and write, without asking anybody."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from ieat.pipeline.config import BuildConfig, LanguageModelSettings, ResourceSettings
from ieat.pipeline.failures import ConfigError, NotInStore, RecordError
from ieat.pipeline.history import attributed_speakers, find_targets
from ieat.pipeline.plan_report import Plan, StagePlan
from ieat.pipeline.ports import ResponseStore, VoiceLabeler
from ieat.pipeline.resources import refuse_unwanted
from ieat.pipeline.rules import attribute_rules, compose_rules, label_rules
from ieat.pipeline.run_state import RunState
from ieat.pipeline.spending.estimate import Calibration, PlanningLedger, price_expected
from ieat.pipeline.spending.prices import TEMPLATE_TOKENS
from ieat.pipeline.stages.attribute import attribute_emotions
from ieat.pipeline.stages.compose import compose_samples
from ieat.pipeline.stages.hear import hear
from ieat.pipeline.stages.label import has_voice, label_emotions
from ieat.pipeline.stages.read import list_units, read_or_set_aside
from ieat.pipeline.stages.transcribe import transcribe
from ieat.pipeline.store.opening import open_for_upkeep
from ieat.pipeline.store.seal import BrokenAnswer, unseal
from ieat.pipeline.store.withdrawn import read_withdrawn
from ieat.pipeline.wiring import Engines, asks_jointly, open_engines, open_store
from ieat.prompts.library import PromptLibrary
from ieat.schemas.dialogue import Dialogue, Language, Turn
from ieat.schemas.engine import StoredAnswer, Usage
from ieat.schemas.records import ComposedDialogue, HeardDialogue, SetAside
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
    prompts = PromptLibrary(config.prompts)
    planning = _Planning(config, plan, engines, store, prompts, ledger, [])
    try:
        for unit in list_units(config.inputs, config.limit):
            read = read_or_set_aside(
                unit, config.inputs[unit.input_index], state, config.user_speaker
            )
            if isinstance(read, SetAside):
                plan.broken.setdefault(read.code, []).append(read.message)
                continue
            try:
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
    except RecordError as error:
        plan.broken.setdefault(error.code, []).append(error.message)
        return None
    store.take()
    labeled = await label_emotions(
        transcribed, engines.labeler, label_rules(config), engines.voice_labeler
    )
    _note(plan, "label", store)
    num_read_before = _num_unread(planning)
    attributed = await attribute_emotions(labeled, engines.attributor, attribute_rules(config))
    _note(plan, "attribute", store)
    num_bytes = sum(
        _line_bytes(turn.speaker, utterance.clean)
        for turn, utterance in zip(dialogue.turns, transcribed.transcript.utterances, strict=True)
    )
    num_missing = sum(failure.code == "not_in_store" for failure in attributed.failures)
    num_unlabeled = sum(failure.code == "not_in_store" for failure in labeled.failures)
    if not asks_jointly(config):
        num_asked = num_unlabeled * config.samples
        _bound(planning, "attribute", "attribution", num_asked, num_bytes, dialogue.language)
    # A cause that is there and was not read back is a question that is known.
    num_unread = num_missing - (_num_unread(planning) - num_read_before)
    _bound_readings(planning, num_unread, dialogue.language)
    composed = await compose_samples(attributed, engines.responder, compose_rules(config))
    _note(plan, "compose", store)
    num_waiting = sum(failure.code == "needs_failed_state" for failure in composed.failures)
    _bound(
        planning, "compose", "response", num_waiting, num_bytes + THINKING_BYTES, dialogue.language
    )
    return composed


async def _bound_without_words(planning: _Planning, heard: HeardDialogue) -> None:
    """Bound what is asked about a dialogue whose words are not there; its voice is."""
    config, engines, dialogue = planning.config, planning.engines, heard.dialogue
    wanted = attributed_speakers(dialogue, config.user_speaker)
    turns = [turn for turn in dialogue.turns if turn.speaker in wanted]
    labeled = turns if config.labels.speakers == "attributed" else list(dialogue.turns)
    await _look_up_voices(labeled, heard, engines.voice_labeler)
    _note(planning.plan, "label", planning.store)
    said = sum(
        max(
            _line_bytes(turn.speaker, turn.text or ""),
            _line_bytes(turn.speaker, "")
            + (round(BYTES_PER_SECOND * sound.duration) if sound else 0),
        )
        for turn, sound in zip(dialogue.turns, heard.sounds, strict=True)
    )
    is_joint = asks_jointly(config)
    if config.labeler == "llm":
        count = sum(turn.emotion is None or config.labels.also_gold for turn in labeled)
        prompt = "joint" if is_joint else "labeling"
        _bound(planning, "label", prompt, count * config.samples, said, dialogue.language)
    num_causes = 0 if is_joint else len(turns) * config.samples
    _bound(planning, "attribute", "attribution", num_causes, said, dialogue.language)
    _bound_readings(planning, len(turns), dialogue.language)
    _bound(planning, "compose", "response", len(turns), said + THINKING_BYTES, dialogue.language)


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


def _num_unread(planning: _Planning) -> int:
    """Return how many causes are known that nobody read back yet."""
    wanted = planning.prompts.prompt("reprediction", Language.EN).answer_schema.schema_id
    return sum(missing.label == wanted for missing in planning.ledger.missing)


def _bound(
    planning: _Planning, stage: str, prompt: str, count: int, num_bytes: int, language: Language
) -> None:
    """Add questions to the language model that may come up, of a stage that asks."""
    model = planning.engines.model
    if model is not None:
        settings = planning.config.language_model_settings
        asked = _Possible(stage, prompt, count, num_bytes, model.engine_id, settings)
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
