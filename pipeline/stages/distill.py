"""Have a teacher answer every turn of the user, for a student that will hear it."""

from functools import partial
from operator import attrgetter
from typing import NamedTuple

import apache_beam as beam
from apache_beam.pvalue import PCollection

from ieat.pipeline.failures import RecordError
from ieat.pipeline.history import attributed_speakers, heard_turns, history_at
from ieat.pipeline.ports import Teacher
from ieat.pipeline.steps import MapDialogues, StepContext, first_then_rest
from ieat.pipeline.student_input import check_student_input
from ieat.prompts.instructions import DISTILLATION, choose_instruction
from ieat.prompts.library import PromptLibrary
from ieat.schemas.distillation import Distillation
from ieat.schemas.history import HeardTurn
from ieat.schemas.records import ComposedDialogue, DistilledDialogue, Failure

STAGE = "distill"


class DistillRules(NamedTuple):
    """What of the configuration distilling depends on."""

    user_speaker: str
    max_context_turns: int
    prompts: PromptLibrary


async def distill(
    composed: ComposedDialogue, teacher: Teacher | None, rules: DistillRules
) -> DistilledDialogue:
    """Have each turn of an attributed speaker answered; one that fails leaves the others.

    Without a teacher the dialogue goes on as it is.
    """
    parts = dict(composed)
    if teacher is None:
        return DistilledDialogue(**parts)
    dialogue = composed.dialogue
    turns = heard_turns(
        dialogue, composed.sounds, composed.transcript, composed.cues, composed.voice_events
    )
    users = attributed_speakers(dialogue, rules.user_speaker)
    template = rules.prompts.template("instructions", dialogue.language)
    known = {
        state.turn_index: state.chosen
        for trajectory in composed.trajectories
        for state in trajectory.states
        if state.chosen is not None
    }

    async def answer_one(turn: HeardTurn) -> Distillation | Failure:
        history = history_at(dialogue, turns, turn.turn_index, rules.max_context_turns)
        row_id = f"{dialogue.turn_id(turn.turn_index)}/stage1"
        instruction = choose_instruction(template, DISTILLATION, row_id)
        try:
            check_student_input(instruction)
            so_far = {index: known[index] for index in known if index <= turn.turn_index}
            return await teacher.answer(history, so_far, instruction)
        except RecordError as error:
            return Failure(
                unit="turn",
                turn_index=turn.turn_index,
                stage=STAGE,
                code=error.code,
                message=error.message,
                response_keys=error.response_keys,
            )

    found = await first_then_rest([answer_one(turn) for turn in turns if turn.speaker in users])
    return DistilledDialogue(
        **parts
        | {
            "failures": (*composed.failures, *(f for f in found if isinstance(f, Failure))),
            "distillations": tuple(d for d in found if isinstance(d, Distillation)),
        }
    )


class DistillAnswers(beam.PTransform):
    """Composed dialogues in, dialogues with a teacher's answers out."""

    def __init__(self, rules: DistillRules, context: StepContext) -> None:
        super().__init__()
        self._rules = rules
        self._context = context

    def expand(self, dialogues: PCollection[ComposedDialogue]) -> PCollection[DistilledDialogue]:
        """Return the dialogues with what the teacher answers."""
        return dialogues | MapDialogues(
            STAGE,
            partial(distill, rules=self._rules),
            attrgetter("teacher"),
            DistilledDialogue,
            self._context,
        )
