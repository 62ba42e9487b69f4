"""What a plan knows of questions that are looked up, and bounds of those that may come up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ieat.pipeline.config import BuildConfig, LanguageModelSettings
from ieat.pipeline.history import attributed_speakers
from ieat.pipeline.plan_report import Plan, StagePlan
from ieat.pipeline.ports import ResponseStore
from ieat.pipeline.spending.estimate import Calibration, PlanningLedger, price_expected
from ieat.pipeline.spending.prices import TEMPLATE_TOKENS
from ieat.pipeline.wiring import Engines
from ieat.prompts.library import PromptLibrary
from ieat.schemas.dialogue import Dialogue, Language
from ieat.schemas.engine import StoredAnswer, Usage

BYTES_PER_SECOND = 50
"""More bytes than anybody speaks in a second: 6 words of 8 letters, 11 Chinese characters of 3."""
NOTES_BYTES = 120
"""More bytes than a question shows of a turn besides its words: number, sounds, voice."""
CAUSE_BYTES = 2_000
"""More bytes than event and appraisal of a cause have, two sentences of 60 words at most."""
THINKING_BYTES = 6_000
"""More bytes than the thinking of a target has, which names two causes at most."""


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
class Planning:
    """What a plan is made with."""

    config: BuildConfig
    plan: Plan
    engines: Engines
    store: PlanningStore
    prompts: PromptLibrary
    ledger: PlanningLedger
    possible: list[_Possible]


def line_bytes(speaker: str, words: str) -> int:
    """Return the most bytes that a turn has in a question."""
    return len(f"{speaker}{words}".encode("utf-8", "replace")) + NOTES_BYTES


def note_looked_up(plan: Plan, stage: str, store: PlanningStore) -> None:
    """Add what was looked up in the store since the last time."""
    num_asked, num_found = store.take()
    if stage in plan.stages:
        plan.stages[stage].num_stored += num_found
        plan.stages[stage].num_known += num_asked - num_found


def bound(
    planning: Planning, stage: str, prompt: str, count: int, num_bytes: int, language: Language
) -> None:
    """Add questions that may come up, of a stage that asks."""
    if stage in planning.plan.stages and count:
        engine_id, settings = _asked_in(planning, stage)
        asked = _Possible(stage, prompt, count, num_bytes, engine_id, settings)
        _add_possible(planning, asked, language)


def bound_taught(planning: Planning, dialogue: Dialogue, sizes: Sequence[int]) -> None:
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
    bound(planning, "distill", "distillation", count, shown, dialogue.language)


def bound_readings(planning: Planning, count: int, language: Language) -> None:
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


def _add_possible(planning: Planning, asked: _Possible, language: Language) -> None:
    if not asked.count or asked.stage not in planning.plan.stages:
        return
    template = planning.prompts.prompt(asked.prompt, language)
    fixed = sum(
        len(text.encode())
        for text in (*template.file.sections.values(), template.answer_schema.text)
    )
    planning.plan.stages[asked.stage].num_possible += asked.count
    planning.possible.append(replace(asked, num_bytes=asked.num_bytes + fixed))


def _asked_in(planning: Planning, stage: str) -> tuple[str, LanguageModelSettings]:
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


def reckon_known(plan: Plan, ledger: PlanningLedger) -> None:
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


def reckon_possible(planning: Planning, calibration: Calibration) -> None:
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
