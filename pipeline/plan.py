"""Say what a build would read, ask and write, without asking anybody."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ieat.pipeline.config import BuildConfig
from ieat.pipeline.failures import ConfigError, NotInStore, RecordError
from ieat.pipeline.history import attributed_speakers, find_targets
from ieat.pipeline.ports import ResponseStore
from ieat.pipeline.rules import attribute_rules, compose_rules, label_rules
from ieat.pipeline.run_state import RunState
from ieat.pipeline.spending.estimate import PlanningLedger, price_expected
from ieat.pipeline.spending.prices import TEMPLATE_TOKENS
from ieat.pipeline.stages.attribute import attribute_emotions
from ieat.pipeline.stages.compose import compose_samples
from ieat.pipeline.stages.hear import hear
from ieat.pipeline.stages.label import label_emotions
from ieat.pipeline.stages.read import list_units, read_unit
from ieat.pipeline.stages.transcribe import transcribe
from ieat.pipeline.store.opening import open_for_upkeep
from ieat.pipeline.store.seal import BrokenAnswer, unseal
from ieat.pipeline.wiring import Engines, asks_jointly, open_engines, open_store
from ieat.schemas.engine import StoredAnswer, Usage
from ieat.schemas.records import HeardDialogue, LabeledDialogue

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


@dataclass
class StagePlan:
    """Questions of one stage."""

    num_stored: int = 0
    """Questions whose answers are in the store."""
    num_known: int = 0
    """Questions that are known and not in the store."""
    num_possible: int = 0
    """Most further questions, which depend on answers that are not in the store."""
    tokens_in: int = 0
    """Tokens of the questions to ask."""
    tokens_out: int = 0
    """Tokens of their answers."""
    usd: float | None = None
    """What they cost, US dollars; null without prices."""
    is_bounded: bool = False
    """Whether tokens are an upper bound: of questions or of answers nothing like it is known."""

    def add(self, usage: Usage, usd: float | None, count: int = 1) -> None:
        """Add questions of one kind."""
        self.tokens_in += count * (usage.prompt_tokens or 0)
        self.tokens_out += count * (usage.completion_tokens or 0)
        if usd is not None:
            self.usd = (self.usd or 0.0) + count * usd


@dataclass
class Plan:
    """What a build would do."""

    num_dialogues: int = 0
    num_turns: int = 0
    num_targets: int = 0
    hours: float = 0.0
    """Sound of all turns, hours."""
    bytes_needed: int = 0
    """Audio in the tables `stage1` and `stage2`, about."""
    broken: dict[str, list[str]] = field(default_factory=dict)
    """Messages of dialogues that cannot be read or heard, by code."""
    stages: dict[str, StagePlan] = field(default_factory=dict)
    """Stages that ask an engine through the store."""
    longest: int = 0
    """Most bytes that the words of one dialogue have."""
    is_calibrated: bool = True
    """Whether stored answers said how long questions and answers are."""
    max_usd: float | None = None
    """The budget of a run."""

    def describe(self) -> str:
        """Return the plan as text."""
        lines = [
            f"dialogues  {self.num_dialogues}",
            f"turns      {self.num_turns}",
            f"targets    {self.num_targets}",
            f"hours      {self.hours:.2f}",
            f"disk       about {self.bytes_needed / 1e6:.1f} MB of audio",
        ]
        for code, messages in sorted(self.broken.items()):
            lines.append(f"cannot be used: {len(messages)} ({code}); the first: {messages[0]}")
        if not self.stages:
            return "\n".join([*lines, "", "No engine is asked through the store."])
        lines += ["", *_stage_lines(self.stages)]
        if not self.is_calibrated:
            lines.append(
                "No answer of these engines is stored yet: tokens are reckoned at 4 bytes each. "
                "A build with --limit 5 makes this exact."
            )
        lines.append("An answer that breaks a check is asked for once more; that comes on top.")
        if self.max_usd is not None and self.usd is not None and self.usd > self.max_usd:
            lines.append(f"max_usd {self.max_usd:g} may end the build before that.")
        return "\n".join(lines)

    @property
    def usd(self) -> float | None:
        """What all questions cost, US dollars; null without prices."""
        priced = [stage.usd for stage in self.stages.values() if stage.usd is not None]
        return sum(priced) if priced else None


def _stage_lines(stages: Mapping[str, StagePlan]) -> list[str]:
    """Lay out what each stage asks; `<=` marks an upper bound."""
    total = StagePlan()
    for stage in stages.values():
        total.num_stored += stage.num_stored
        total.num_known += stage.num_known
        total.num_possible += stage.num_possible
        total.is_bounded |= stage.is_bounded
        total.add(
            Usage(prompt_tokens=stage.tokens_in, completion_tokens=stage.tokens_out), stage.usd
        )
    header = ("stage", "stored", "to ask", "at most", "tokens in", "tokens out", "USD")
    lines = [f"{header[0]:<12}" + "".join(f"{name:>14}" for name in header[1:])]
    for name, stage in [*stages.items(), ("total", total)]:
        mark = "<= " if stage.is_bounded else ""
        cells = (
            str(stage.num_stored),
            str(stage.num_known) if not stage.num_possible else "?",
            str(stage.num_known + stage.num_possible),
            f"{mark}{stage.tokens_in}",
            f"{mark}{stage.tokens_out}",
            "" if stage.usd is None else f"{mark}{stage.usd:.4f}",
        )
        lines.append(f"{name:<12}" + "".join(f"{cell:>14}" for cell in cells))
    return lines


def plan_build(config: BuildConfig) -> Plan:
    """Read and measure everything, and look every question up in the store.

    Raises:
        ConfigError: There is nothing to read, or the store cannot be opened.
    """
    return asyncio.run(_plan(config.model_copy(update={"replay": True})))


async def _plan(config: BuildConfig) -> Plan:
    store = PlanningStore(_store_if_any(config))
    ledger = PlanningLedger()
    state = RunState(("plan",), 1.0, ledger)
    engines = open_engines(config, state, store)
    plan = Plan(stages=_stages(config), max_usd=config.max_usd)
    try:
        for unit in list_units(config.inputs, config.limit):
            try:
                dialogue = read_unit(unit, config.inputs[unit.input_index], config.user_speaker)
                heard = await hear(dialogue, engines.examine)
            except RecordError as error:
                plan.broken.setdefault(error.code, []).append(error.message)
                continue
            _count_dialogue(plan, heard, config)
            await _count_questions(plan, heard, config, engines, store)
            plan.longest = max(plan.longest, _bytes_of(heard))
    finally:
        await engines.close()
    ledger.calibration.learn_all(_stored_answers(config))
    reckon(plan, ledger, config)
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
        ("label", config.labeler == "llm"),
        ("attribute", config.attributor == "llm"),
        ("compose", config.response == "written"),
    ]
    return {name: StagePlan() for name, is_asked in names if is_asked}


def _count_dialogue(plan: Plan, heard: HeardDialogue, config: BuildConfig) -> None:
    seconds = [sound.duration if sound else 0.0 for sound in heard.sounds]
    targets = find_targets(
        ((turn.index, turn.speaker) for turn in heard.dialogue.turns),
        attributed_speakers(heard.dialogue, config.user_speaker),
    )
    plan.num_dialogues += 1
    plan.num_turns += len(heard.dialogue.turns)
    plan.num_targets += len(targets)
    plan.hours += sum(seconds) / 3600
    shown = sum(seconds)
    if config.stage2_audio == "embed":
        for target in targets:
            first = max(0, target.turn_index - config.max_context_turns)
            shown += sum(
                seconds[turn.index]
                for turn in heard.dialogue.turns[first : target.turn_index + 1]
                if turn.speaker != target.answering_speaker
            )
    plan.bytes_needed += round(shown * FLAC_BYTES)


async def _count_questions(
    plan: Plan, heard: HeardDialogue, config: BuildConfig, engines: Engines, store: PlanningStore
) -> None:
    """Go as far as the store allows; what depends on missing answers is bounded from above."""
    dialogue = heard.dialogue
    wanted = attributed_speakers(dialogue, config.user_speaker)
    is_missing = False
    for turn, sound in zip(dialogue.turns, heard.sounds, strict=True):
        try:
            await engines.recognizer.recognize(turn, sound, dialogue.language, dialogue.dialogue_id)
        except NotInStore:  # noqa: PERF203 - every turn is looked up
            is_missing = True
        except RecordError as error:
            plan.broken.setdefault(error.code, []).append(error.message)
            return
    _note(plan, "transcribe", store)
    turns = [turn for turn in dialogue.turns if turn.speaker in wanted]
    if is_missing:
        labeled_turns = turns if config.labels.speakers == "attributed" else dialogue.turns
        _bound(
            plan,
            "label",
            sum(turn.emotion is None or config.labels.also_gold for turn in labeled_turns),
        )
        _bound(plan, "attribute", 0 if asks_jointly(config) else len(turns))
        _bound(plan, "compose", len(turns))
        return
    transcribed = await transcribe(heard, engines.recognizer)
    store.take()
    labeled = await label_emotions(transcribed, engines.labeler, label_rules(config))
    _note(plan, "label", store)
    attributed = await attribute_emotions(labeled, engines.attributor, attribute_rules(config))
    _note(plan, "attribute", store)
    _bound(plan, "attribute", 0 if asks_jointly(config) else _num_missing(labeled))
    composed = await compose_samples(attributed, engines.responder, compose_rules(config))
    _note(plan, "compose", store)
    _bound(plan, "compose", sum(f.code == "needs_failed_state" for f in composed.failures))


def _num_missing(labeled: LabeledDialogue) -> int:
    return sum(failure.code == "not_in_store" for failure in labeled.failures)


def _note(plan: Plan, stage: str, store: PlanningStore) -> None:
    """Add what was looked up in the store since the last time."""
    num_asked, num_found = store.take()
    if stage in plan.stages:
        plan.stages[stage].num_stored += num_found
        plan.stages[stage].num_known += num_asked - num_found


def _bound(plan: Plan, stage: str, num_possible: int) -> None:
    if stage in plan.stages:
        plan.stages[stage].num_possible += num_possible


BYTES_PER_SECOND = 50
"""More bytes than anybody speaks in a second: 6 words of 8 letters, 11 Chinese characters of 3."""
PROMPT_BYTES = 12_000
"""More bytes than any released prompt has with its answer schema."""


def _bytes_of(heard: HeardDialogue) -> int:
    """Return an upper bound of the bytes of a dialogue's words, names included."""
    return sum(
        len(turn.speaker.encode("utf-8", "replace"))
        + 20
        + max(
            len((turn.text or "").encode("utf-8", "replace")),
            round(BYTES_PER_SECOND * sound.duration) if sound else 0,
        )
        for turn, sound in zip(heard.dialogue.turns, heard.sounds, strict=True)
    )


def reckon(plan: Plan, ledger: PlanningLedger, config: BuildConfig) -> None:
    """Reckon tokens and money of all questions that are to be asked."""
    calibration = ledger.calibration
    for missing in ledger.missing:
        stage = plan.stages[missing.stage]
        engine_id, label = missing.engine_id, missing.label
        expected = calibration.expect(engine_id, label, missing.question_bytes, missing.bound)
        stage.add(expected, price_expected(expected, missing.bound, missing.prices))
        if missing.question_bytes is not None:
            stage.is_bounded |= not calibration.knows_answers(engine_id, label)
            plan.is_calibrated &= calibration.tokens_per_byte(engine_id, label) is not None
    settings = config.language_model_settings
    for stage in plan.stages.values():
        if stage.num_possible:
            stage.is_bounded = True
            most = Usage(
                prompt_tokens=PROMPT_BYTES + TEMPLATE_TOKENS + plan.longest,
                completion_tokens=settings.max_tokens,
            )
            stage.add(most, price_expected(most, most, settings.prices), stage.num_possible)
