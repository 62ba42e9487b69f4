"""Compose the thinking of every target and give it its response."""

import hashlib
from functools import partial
from operator import attrgetter
from typing import NamedTuple

import apache_beam as beam
from apache_beam.pvalue import PCollection

from ieat.pipeline.failures import RecordError
from ieat.pipeline.history import attributed_speakers, find_targets, heard_turns, history_at
from ieat.pipeline.ports import Responder
from ieat.pipeline.steps import MapDialogues, StepContext, first_then_rest
from ieat.pipeline.thinking import compose_thinking
from ieat.prompts.library import PromptLibrary
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.emotion import Emotion, EmotionalState
from ieat.schemas.history import HeardTurn
from ieat.schemas.records import AttributedDialogue, ComposedDialogue, Failure
from ieat.schemas.sample import Sample, Target

STAGE = "compose"


class ComposeRules(NamedTuple):
    """What of the configuration composing depends on."""

    user_speaker: str
    max_context_turns: int
    prompts: PromptLibrary
    keep: tuple[tuple[Emotion, float], ...] = ()
    """Share of the training targets of an emotion that are kept; those of others all are."""


THINNED_SPLIT = "train"
"""The split that targets are left out of: others measure, and stay as they are."""


class LeftOut(NamedTuple):
    """A target that is left out on purpose."""

    turn_index: int
    code: str


async def compose_samples(
    attributed: AttributedDialogue, responder: Responder, rules: ComposeRules
) -> ComposedDialogue:
    """Compose every target; one that needs a failed state fails with it, the others stay."""
    dialogue = attributed.dialogue
    turns = heard_turns(
        dialogue,
        attributed.sounds,
        attributed.transcript,
        attributed.cues,
        attributed.voice_events,
    )
    targets = find_targets(
        ((turn.turn_index, turn.speaker) for turn in turns),
        attributed_speakers(dialogue, rules.user_speaker),
    )
    ends = await first_then_rest(
        [_end_of(target, attributed, turns, responder, rules) for target in targets]
    )
    return ComposedDialogue(
        dialogue=dialogue,
        sounds=attributed.sounds,
        transcript=attributed.transcript,
        cues=attributed.cues,
        trajectories=attributed.trajectories,
        voice_events=attributed.voice_events,
        attributions=attributed.attributions,
        failures=(*attributed.failures, *(end for end in ends if isinstance(end, Failure))),
        samples=tuple(end for end in ends if isinstance(end, Sample)),
        filtered=tuple((end.turn_index, end.code) for end in ends if isinstance(end, LeftOut)),
    )


async def _end_of(
    target: Target,
    attributed: AttributedDialogue,
    turns: tuple[HeardTurn, ...],
    responder: Responder,
    rules: ComposeRules,
) -> Sample | Failure | LeftOut:
    """Return what becomes of a target."""
    dialogue = attributed.dialogue
    history = history_at(dialogue, turns, target.turn_index, rules.max_context_turns)
    first = history.turns[0].turn_index
    for failure in attributed.failures:
        if first <= failure.turn_index <= target.turn_index and _is_of(failure, target, dialogue):
            return _failed(
                target,
                "needs_failed_state",
                f"the state of turn {failure.turn_index} failed: {failure.code}",
            )
    states = tuple(
        state
        for trajectory in attributed.trajectories
        if trajectory.speaker == target.user_speaker
        for state in trajectory.states
        if first <= state.turn_index <= target.turn_index
    )
    if not _is_known(states, target):
        return LeftOut(target.turn_index, "state_unknown")
    target_id = f"{dialogue.turn_id(target.turn_index)}/stage2"
    if dialogue.split == THINNED_SPLIT and not is_kept(target_id, states[-1].chosen, rules.keep):
        return LeftOut(target.turn_index, "target_thinned")
    thinking = compose_thinking(
        rules.prompts.template("thinking", dialogue.language),
        dialogue.language,
        target_id,
        [state for state in states if state.chosen is not None],
        {found.turn_index: found for found in attributed.attributions},
    )
    answer = tuple(turn for turn in turns if turn.turn_index in target.answer_turns)
    try:
        response = await responder.respond(history, target, thinking, answer)
    except RecordError as error:
        return _failed(target, error.code, error.message, error.response_keys)
    return Sample(
        target=target,
        thinking=thinking,
        response=response,
        flags=("state_gaps",) if any(state.chosen is None for state in states) else (),
    )


def is_kept(
    target_id: str, emotion: Emotion | None, keep: tuple[tuple[Emotion, float], ...]
) -> bool:
    """Tell whether a target is among those of its emotion that are kept.

    The hash of its id decides, so a target stays in or out whatever else is in the build, and one
    that is kept at a share is kept at every larger one.
    """
    share = dict(keep).get(emotion, 1.0) if emotion is not None else 1.0
    digest = hashlib.sha256(f"keep/{target_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def _is_known(states: tuple[EmotionalState, ...], target: Target) -> bool:
    """Tell whether the state that is answered is known; an unknown one is never made up."""
    return any(
        state.turn_index == target.turn_index and state.chosen is not None for state in states
    )


def _is_of(failure: Failure, target: Target, dialogue: Dialogue) -> bool:
    return dialogue.turns[failure.turn_index].speaker == target.user_speaker


def _failed(
    target: Target, code: str, message: str, response_keys: tuple[str, ...] = ()
) -> Failure:
    return Failure(
        unit="target",
        turn_index=target.turn_index,
        stage=STAGE,
        code=code,
        message=message,
        response_keys=response_keys,
    )


class ComposeSamples(beam.PTransform):
    """Attributed dialogues in, dialogues with samples out."""

    def __init__(self, rules: ComposeRules, context: StepContext) -> None:
        super().__init__()
        self._rules = rules
        self._context = context

    def expand(self, dialogues: PCollection[AttributedDialogue]) -> PCollection[ComposedDialogue]:
        """Return the dialogues with what becomes of their targets."""
        return dialogues | MapDialogues(
            STAGE,
            partial(compose_samples, rules=self._rules),
            attrgetter("responder"),
            ComposedDialogue,
            self._context,
        )
