"""Ask a language model to look back over a whole dialogue, for HumDial's tasks T1 and T2."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ieat.pipeline.answers import RetrospectionForm, StepForm, read_answer
from ieat.pipeline.checks import check_cause_text, check_evidence, check_response_text
from ieat.pipeline.config import HumdialTableSettings
from ieat.pipeline.engines.asking import PartlyUsable, ask_twice, pose, render_turns
from ieat.pipeline.failures import UnusableAnswer
from ieat.pipeline.humdial_checks import (
    check_chain,
    check_reasons_evidence,
    check_reasons_tied,
    check_root_cause,
    check_trajectory_tied,
    check_trajectory_words,
)
from ieat.pipeline.ports import AnsweringModel
from ieat.prompts.library import PromptLibrary
from ieat.schemas.attribution import CauseKind
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion
from ieat.schemas.engine import Answer, Sampling
from ieat.schemas.history import History
from ieat.schemas.retrospection import (
    LookBack,
    PathTurn,
    ReasonsLook,
    Retrospection,
    RootedCause,
    RowEnd,
    Step,
    TrajectoryLook,
)

_UNKNOWN = {Language.EN: "to be found", Language.ZH: "待判断"}
_QUESTION = {Language.EN: " (the question)", Language.ZH: "（提问）"}
_BETWEEN = {Language.EN: ", ", Language.ZH: "、"}

UNCLEAR = "t1_unclear"
"""Code of a path with a turn whose emotion cannot be told; asking again would make it guess."""

Part = Callable[[RetrospectionForm, History, LookBack, HumdialTableSettings], Any]


class LLMRetrospector:
    """Asks one question about the whole dialogue for both tasks (prompt `retrospection`)."""

    def __init__(
        self,
        model: AnsweringModel,
        prompts: PromptLibrary,
        sampling: Sampling,
        settings: HumdialTableSettings,
    ) -> None:
        self.retrospector_id = model.engine_id
        self._model = model
        self._prompts = prompts
        self._sampling = sampling
        self._settings = settings

    async def look_back(self, history: History, asked: LookBack) -> Retrospection:
        """Return path and reasons; a part that two answers in a row spoil is told in `ends`.

        Raises:
            UnusableAnswer: Neither answer can be read.
        """
        prompt = self._prompts.prompt("retrospection", history.language)
        general = self._prompts.template("reask", history.language)
        own = self._prompts.template("retrospection_reask", history.language)
        found: dict[str, Any] = {}
        problems: dict[str, UnusableAnswer] = {}

        def judge(answer: Answer) -> None:
            form = read_answer(answer, RetrospectionForm)
            for table in asked.wanted:
                if table in found:
                    continue
                try:
                    found[table] = PARTS[table](form, history, asked, self._settings)
                    problems.pop(table, None)
                except UnusableAnswer as problem:
                    problems[table] = problem
            if problems:
                # A turn that does not tell its emotion is no mistake; another one is told first.
                first = min(problems.values(), key=lambda problem: problem.code == UNCLEAR)
                raise PartlyUsable(first, None)

        judged = await ask_twice(
            self._model,
            pose(prompt, look_back_values(history, asked), self._sampling),
            history.dialogue_id,
            replace(general, sections={**general.sections, **own.sections}),
            judge,
        )
        return Retrospection(
            trajectory=found.get("humdial_t1"),
            reasons=found.get("humdial_t2"),
            ends=tuple(
                RowEnd(
                    table=table,
                    end="dead",
                    code=problem.code,
                    message=problem.message,
                    response_keys=judged.response_keys,
                )
                for table, problem in sorted(problems.items())
            ),
            retrospector_id=self.retrospector_id,
            prompt_id=prompt.prompt_id,
            prompt_sha256=prompt.sha256,
            response_keys=judged.response_keys,
        )


def look_back_values(history: History, asked: LookBack) -> dict[str, str]:
    """Return what the placeholders of the prompt stand for."""
    language = history.language
    lines = [
        f"[{turn.turn_index}] {turn.gold.value if turn.gold else _UNKNOWN[language]}"
        f"{_QUESTION[language] if turn.is_question else ''}"
        for turn in asked.turns
    ]
    return {
        "turns": render_turns(history, with_sound=True),
        # A line break in a name would look like another line of the question.
        "speaker": " ".join(asked.speaker.split()),
        "steps": "\n".join(lines),
        "path": _BETWEEN[language].join(f"[{turn}]" for turn in asked.path),
    }


def read_trajectory(
    form: RetrospectionForm, history: History, asked: LookBack, settings: HumdialTableSettings
) -> TrajectoryLook:
    """Return the checked path and answer of T1.

    Raises:
        UnusableAnswer: It breaks a check.
    """
    if [step.turn for step in form.steps] != [turn.turn_index for turn in asked.turns]:
        raise UnusableAnswer("t1_steps", "the steps are not those of the listed turns")
    steps = [
        _read_step(step, turn, history)
        for step, turn in zip(form.steps, asked.turns, strict=True)
        if not (step.emotion == "unclear" and turn.gold is None and turn.is_question)
        or asked.includes_question
    ]
    look = TrajectoryLook(
        steps=tuple(steps), path=asked.path, answer=_spoken(form.trajectory_answer)
    )
    _check_answer(look.answer, history, settings)
    check_trajectory_words(look.answer, look.sequence, history)
    check_trajectory_tied(
        look.answer,
        [
            (
                run[0].emotion,
                [text for step in run for text in (step.event, *(e.quote for e in step.evidence))],
            )
            for run in look.runs
        ],
        history.language,
        settings.t1_min_tied,
    )
    return look


def _read_step(step: StepForm, turn: PathTurn, history: History) -> Step:
    if turn.gold is not None and step.emotion != turn.gold:
        raise UnusableAnswer(
            "t1_steps", f"turn {turn.turn_index} is given as {turn.gold.value}, not {step.emotion}"
        )
    if step.emotion == "unclear":
        raise UnusableAnswer(UNCLEAR, f"turn {turn.turn_index} does not tell its emotion")
    so_far = history.model_copy(
        update={"turns": tuple(t for t in history.turns if t.turn_index <= turn.turn_index)}
    )
    kind = CauseKind.LATENT if step.emotion is Emotion.NEUTRAL else None
    check_cause_text(step.event, so_far)
    return Step(
        turn_index=turn.turn_index,
        emotion=step.emotion,
        intensity=step.intensity,
        source="gold" if turn.gold is not None else "retrospective",
        event=_spoken(step.event),
        evidence=check_evidence(step.evidence, so_far, kind),
        is_question=turn.is_question,
    )


def read_reasons(
    form: RetrospectionForm, history: History, asked: LookBack, settings: HumdialTableSettings
) -> ReasonsLook:
    """Return the checked causes and answer of T2.

    Raises:
        UnusableAnswer: It breaks a check.
    """
    causes = []
    for cause in form.causes:
        check_cause_text(cause.cause, history)
        causes.append(
            RootedCause(
                cause=_spoken(cause.cause), evidence=check_evidence(cause.evidence, history, None)
            )
        )
    if not causes:
        raise UnusableAnswer("evidence_missing", "there is no cause")
    for text in (form.root_cause, form.conclusion, *form.arguments, form.takeaway):
        check_cause_text(text, history)
    answer = _spoken(form.reasons_answer)
    _check_answer(answer, history, settings)
    shown = [found for cause in causes for found in cause.evidence]
    # What is only asked at the end is no evidence of how things came about.
    check_reasons_evidence(
        (e.turn_index for e in shown if e.turn_index != asked.question_turn),
        sum(turn.turn_index != asked.question_turn for turn in history.turns),
    )
    language = history.language
    check_root_cause(
        form.root_cause, (found.quote for found in shown), language, settings.t2_max_restated
    )
    check_chain(
        answer,
        form.conclusion,
        form.arguments,
        form.takeaway,
        language,
        settings.t2_min_arguments,
    )
    check_reasons_tied(
        answer,
        [(cause.cause, *(found.quote for found in cause.evidence)) for cause in causes],
        language,
        settings.t2_min_tied,
    )
    return ReasonsLook(
        causes=tuple(causes),
        root_cause=_spoken(form.root_cause),
        conclusion=_spoken(form.conclusion),
        arguments=tuple(map(_spoken, form.arguments)),
        takeaway=_spoken(form.takeaway),
        answer=answer,
    )


PARTS: dict[str, Part] = {"humdial_t1": read_trajectory, "humdial_t2": read_reasons}
"""What reads the part of an answer that each table needs."""


def _check_answer(text: str, history: History, settings: HumdialTableSettings) -> None:
    limit = (
        settings.max_answer_words
        if history.language is Language.EN
        else settings.max_answer_characters
    )
    check_response_text(text, history, limit)


def _spoken(text: str) -> str:
    """Return a text without white space around it and line breaks within."""
    return " ".join(text.split())
