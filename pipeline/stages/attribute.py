"""Find the cause of every state that is not neutral."""

from functools import partial
from operator import attrgetter
from typing import NamedTuple

import apache_beam as beam
from apache_beam.pvalue import PCollection

from ieat.pipeline.failures import RecordError
from ieat.pipeline.history import attributed_speakers, heard_turns, history_at
from ieat.pipeline.ports import Attributor
from ieat.pipeline.steps import MapDialogues, StepContext, first_then_rest
from ieat.schemas.attribution import Attribution
from ieat.schemas.emotion import Emotion, EmotionalState
from ieat.schemas.records import AttributedDialogue, Failure, LabeledDialogue

STAGE = "attribute"


class AttributeRules(NamedTuple):
    """What of the configuration attribution depends on."""

    user_speaker: str
    max_context_turns: int


async def attribute_emotions(
    labeled: LabeledDialogue, attributor: Attributor, rules: AttributeRules
) -> AttributedDialogue:
    """Attribute the states of the wanted speakers; one that fails leaves the others."""
    dialogue = labeled.dialogue
    turns = heard_turns(
        dialogue, labeled.sounds, labeled.transcript, labeled.cues, labeled.voice_events
    )
    speakers = attributed_speakers(dialogue, rules.user_speaker)
    states = sorted(
        (
            state
            for trajectory in labeled.trajectories
            if trajectory.speaker in speakers
            for state in trajectory.states
            if state.chosen not in (None, Emotion.NEUTRAL)
        ),
        key=lambda state: state.turn_index,
    )

    async def attribute_one(state: EmotionalState) -> Attribution | Failure:
        history = history_at(dialogue, turns, state.turn_index, rules.max_context_turns)
        try:
            return await attributor.attribute(history, state)
        except RecordError as error:
            return Failure(
                unit="turn",
                turn_index=state.turn_index,
                stage=STAGE,
                code=error.code,
                message=error.message,
                response_keys=error.response_keys,
            )

    found = await first_then_rest([attribute_one(state) for state in states])
    return AttributedDialogue(
        dialogue=dialogue,
        sounds=labeled.sounds,
        transcript=labeled.transcript,
        cues=labeled.cues,
        trajectories=labeled.trajectories,
        failures=(*labeled.failures, *(f for f in found if isinstance(f, Failure))),
        voice_events=labeled.voice_events,
        attributions=tuple(a for a in found if isinstance(a, Attribution)),
    )


class AttributeEmotions(beam.PTransform):
    """Labeled dialogues in, attributed dialogues out."""

    def __init__(self, rules: AttributeRules, context: StepContext) -> None:
        super().__init__()
        self._rules = rules
        self._context = context

    def expand(self, dialogues: PCollection[LabeledDialogue]) -> PCollection[AttributedDialogue]:
        """Return the dialogues with the causes of their states."""
        return dialogues | MapDialogues(
            STAGE,
            partial(attribute_emotions, rules=self._rules),
            attrgetter("attributor"),
            AttributedDialogue,
            self._context,
        )
