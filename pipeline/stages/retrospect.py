"""Look back over the whole dialogue once, for the rows of HumDial's tasks T1 and T2.

This is the one stage that knows how a dialogue goes on. What it finds is kept apart, and nothing
that is asked or distilled for a turn may rest on it.
"""

from functools import partial
from operator import attrgetter
from typing import Literal, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import PCollection

from ieat.pipeline.failures import RecordError
from ieat.pipeline.history import heard_turns
from ieat.pipeline.humdial_tasks import tables_of, user_of
from ieat.pipeline.ports import Retrospector
from ieat.pipeline.questions import asks_about_emotions
from ieat.pipeline.steps import MapDialogues, StepContext
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.emotion import Emotion
from ieat.schemas.history import HeardTurn, History
from ieat.schemas.records import DistilledDialogue, RetrospectedDialogue
from ieat.schemas.retrospection import LookBack, LookBackTable, PathTurn, RowEnd

STAGE = "retrospect"

_TASKS: tuple[tuple[LookBackTable, Literal["t1", "t2"]], ...] = (
    ("humdial_t1", "t1"),
    ("humdial_t2", "t2"),
)


class RetrospectRules(NamedTuple):
    """What of the configuration looking back depends on."""

    tables: tuple[str, ...]
    """Tables of HumDial's tasks that the build has."""
    user_speaker: str
    includes_question: bool
    """Whether the emotion of the question turn is part of the path."""
    min_turns: int
    """Fewest turns of the user, the question apart."""
    max_turns: int
    """Most turns of the user, the question apart."""


async def retrospect(
    distilled: DistilledDialogue, retrospector: Retrospector | None, rules: RetrospectRules
) -> RetrospectedDialogue:
    """Look back where a table wants it; what fails fails these rows alone."""
    wanted = wanted_tables(distilled.dialogue, rules)
    if retrospector is None or not wanted:
        return _with(distilled)
    turns = heard_turns(
        distilled.dialogue,
        distilled.sounds,
        distilled.transcript,
        distilled.cues,
        distilled.voice_events,
    )
    asked = lay_out(distilled, turns, rules, wanted)
    if isinstance(asked, str):
        return _with(
            distilled,
            row_ends=tuple(RowEnd(table=table, end="filtered", code=asked) for table in wanted),
        )
    try:
        found = await retrospector.look_back(shown_history(distilled.dialogue, turns, asked), asked)
    except RecordError as error:
        ends = tuple(
            RowEnd(
                table=table,
                end="dead",
                code=error.code,
                message=error.message,
                response_keys=error.response_keys,
            )
            for table in wanted
        )
        return _with(distilled, look_back=asked, row_ends=ends)
    return _with(distilled, look_back=asked, retrospection=found)


def wanted_tables(dialogue: Dialogue, rules: RetrospectRules) -> tuple[LookBackTable, ...]:
    """Return the tables for which a dialogue is looked back over."""
    tables = tables_of(dialogue, rules.tables)
    return tuple(table for table, _ in _TASKS if table in tables)


def lay_out(
    distilled: DistilledDialogue,
    turns: tuple[HeardTurn, ...],
    rules: RetrospectRules,
    wanted: tuple[LookBackTable, ...],
) -> LookBack | str:
    """Return what a look back is about, or the code of why the dialogue can have none.

    Gold emotions are given; labels of engines are not, so that the look back is its own source.
    """
    dialogue = distilled.dialogue
    user = user_of(dialogue, rules.user_speaker)
    own = [turn for turn in turns if turn.speaker == user]
    asked_for = _asked_for(dialogue, own[-1].clean) if own else ()
    num_felt = len(own) - bool(asked_for)
    if num_felt < rules.min_turns:
        return "too_few_turns"
    if num_felt > rules.max_turns:
        return "too_many_turns"
    golds: dict[int, Emotion | None] = {
        state.turn_index: state.gold.emotion
        for trajectory in distilled.trajectories
        if trajectory.speaker == user
        for state in trajectory.states
        if state.gold is not None
    }
    return LookBack(
        speaker=user,
        turns=tuple(
            PathTurn(
                turn_index=turn.turn_index,
                gold=golds.get(turn.turn_index),
                is_question=bool(asked_for) and turn is own[-1],
            )
            for turn in own
        ),
        includes_question=rules.includes_question,
        wanted=wanted,
        asked_for=asked_for,
    )


def _asked_for(dialogue: Dialogue, words: str) -> tuple[LookBackTable, ...]:
    """Return the tables whose question the user's last turn is."""
    return tuple(
        table
        for table, task in _TASKS
        if asks_about_emotions(
            words, dialogue.language, task, is_said_to_ask=task.upper() in dialogue.tasks
        )
    )


def shown_history(dialogue: Dialogue, turns: tuple[HeardTurn, ...], asked: LookBack) -> History:
    """Return the turns up to the question; without one all turns."""
    question = asked.question_turn
    return History(
        dialogue_id=dialogue.dialogue_id,
        language=dialogue.language,
        turns=tuple(turn for turn in turns if question is None or turn.turn_index <= question),
    )


def _with(distilled: DistilledDialogue, **more: object) -> RetrospectedDialogue:
    kept = {name: getattr(distilled, name) for name in type(distilled).model_fields}
    return RetrospectedDialogue.model_validate(kept | more)


class LookBackOver(beam.PTransform):
    """Dialogues with samples in, the same with a look back out."""

    def __init__(self, rules: RetrospectRules, context: StepContext) -> None:
        super().__init__()
        self._rules = rules
        self._context = context

    def expand(
        self, dialogues: PCollection[DistilledDialogue]
    ) -> PCollection[RetrospectedDialogue]:
        """Return the dialogues with what looking back over them gave."""
        return dialogues | MapDialogues(
            STAGE,
            partial(retrospect, rules=self._rules),
            attrgetter("retrospector"),
            RetrospectedDialogue,
            self._context,
        )
