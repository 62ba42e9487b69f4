"""One question for label and cause: the labeler pays for it, the attributor finds it stored."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from typing import NamedTuple

from ieat.pipeline.answers import JointForm, QuoteForm, read_answer
from ieat.pipeline.checks import check_cause_text, check_evidence, check_not_copied
from ieat.pipeline.engines.asking import (
    ONE,
    Judgment,
    PartlyUsable,
    SampleRules,
    ask_samples,
    ask_twice,
    pose,
    render_turns,
)
from ieat.pipeline.failures import UnusableAnswer
from ieat.pipeline.ports import AnsweringModel
from ieat.pipeline.votes import take_vote
from ieat.prompts.library import PromptLibrary
from ieat.schemas.attribution import Cause, CauseKind
from ieat.schemas.emotion import Emotion, Intensity
from ieat.schemas.engine import Answer, Sampling
from ieat.schemas.history import History


@dataclass(frozen=True)
class LabelAndCause:
    """A joint answer that could be read."""

    emotion: Emotion | None
    """Null when the words do not tell."""
    intensity: Intensity
    """How strongly the emotion shows."""
    cause: Cause | None
    """Null for a neutral or unclear turn, and for a cause that breaks a check."""
    confidence: float | None = None
    """Share of several answers that name the emotion; null for a single answer."""
    agreement: float | None = None
    """Share of several answers that name the emotion and cite the turns of the cause; null for a
    single answer, and without a cause."""


class JointModel:
    """Asks for label and cause of the last turn of a history (prompt `joint`).

    Args:
        model: The language model.
        prompts: The prompts of the build.
        sampling: How answers are drawn.
        samples: How many answers are asked for, and how many must agree.
    """

    def __init__(
        self,
        model: AnsweringModel,
        prompts: PromptLibrary,
        sampling: Sampling,
        samples: SampleRules = ONE,
    ) -> None:
        self.engine_id = model.engine_id
        self.prompts = prompts
        self._model = model
        self._sampling = sampling
        self._samples = samples

    async def ask(self, history: History) -> Judgment[LabelAndCause]:
        """Return label and cause; the problem says why a cause is missing.

        Of several answers the commonest emotion counts, and among its causes the one that cites
        the turns which most of them cite.

        Raises:
            UnusableAnswer: No label could be read from two answers in a row, for each sample.
        """
        values = {
            "turns": render_turns(history, with_sound=False),
            "turn": str(history.last.turn_index),
            "speaker": history.last.speaker,
        }
        prompt = self.prompts.prompt("joint", history.language)

        async def ask(sample_index: int) -> Judgment[LabelAndCause]:
            return await ask_twice(
                self._model,
                pose(prompt, values, self._sampling, sample_index),
                history.dialogue_id,
                self.prompts.template("reask", history.language),
                lambda answer: _judge(answer, history, prompt.example_sentences),
            )

        drawn = await ask_samples(ask, self._samples.num_samples)
        chosen, problem = _choose(drawn.usable, self._samples)
        return Judgment(chosen, drawn.response_keys, problem)


def _choose(
    usable: Mapping[int, Judgment[LabelAndCause]], samples: SampleRules
) -> tuple[LabelAndCause, UnusableAnswer | None]:
    """Return what most answers say, and why a cause is missing."""
    vote = take_vote(
        {index: found.value.emotion for index, found in usable.items()}, samples.num_samples
    )
    confidence = samples.told(vote.agreement)
    first = usable[vote.chosen]
    if vote.agreement < samples.min_agreement:
        unclear = LabelAndCause(
            emotion=None, intensity=first.value.intensity, cause=None, confidence=confidence
        )
        return unclear, None
    turns = {
        index: cited_turns(found.value.cause)
        for index, found in usable.items()
        if found.value.emotion is first.value.emotion and found.value.cause is not None
    }
    if not turns:
        return replace(first.value, confidence=confidence), first.problem
    cause_vote = take_vote(turns, samples.num_samples)
    best = replace(
        usable[cause_vote.chosen].value,
        confidence=confidence,
        agreement=samples.told(cause_vote.agreement),
    )
    return best, None


def cited_turns(cause: Cause) -> frozenset[int]:
    """Return the turns that the evidence of a cause lies in: what two answers agree on."""
    return frozenset(shown.turn_index for shown in cause.evidence)


def _judge(answer: Answer, history: History, examples: Set[str]) -> LabelAndCause:
    """Read a joint answer.

    Raises:
        PartlyUsable: The label can be read, but the cause breaks a check.
        UnusableAnswer: Nothing can be read.
    """
    form = read_answer(answer, JointForm)
    if form.emotion == "unclear":
        return LabelAndCause(emotion=None, intensity=form.intensity, cause=None)
    if form.emotion is Emotion.NEUTRAL:
        return LabelAndCause(emotion=form.emotion, intensity=form.intensity, cause=None)
    try:
        if not form.event or form.kind is None:
            raise UnusableAnswer("cause_missing", "an emotion without event or kind")
        own_words = OwnWords(form.event, form.appraisal)
        cause = read_cause(form.evidence, own_words, form.kind, history, examples)
    except UnusableAnswer as problem:
        label = LabelAndCause(emotion=form.emotion, intensity=form.intensity, cause=None)
        raise PartlyUsable(problem, label) from problem
    return LabelAndCause(emotion=form.emotion, intensity=form.intensity, cause=cause)


class OwnWords(NamedTuple):
    """What a model says of a cause in words of its own."""

    event: str
    """What happened."""
    appraisal: str | None
    """What it means to the speaker."""


def read_cause(
    quotes: tuple[QuoteForm, ...],
    own_words: OwnWords,
    kind: CauseKind,
    history: History,
    examples: Set[str],
) -> Cause:
    """Return a cause whose evidence and sentences pass the checks.

    Args:
        quotes: The evidence as it was answered.
        own_words: Event and appraisal as they were answered.
        kind: The kind of the cause.
        history: What the question showed.
        examples: Sentences of the example answers in the prompt.

    Raises:
        UnusableAnswer: One of them does not.
    """
    event, appraisal = own_words
    evidence = check_evidence(quotes, history, kind)
    for sentence in (event, appraisal) if appraisal else (event,):
        check_cause_text(sentence, history)
        check_not_copied(sentence, examples)
    return Cause(
        event=event.strip(),
        appraisal=appraisal.strip() if appraisal else None,
        kind=kind,
        evidence=evidence,
    )
