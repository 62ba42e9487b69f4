"""Have a language model write the cause of a state, and hold it to its evidence."""

from collections.abc import Set

from ieat.pipeline.answers import CauseForm, read_answer
from ieat.pipeline.engines.asking import (
    ONE,
    Judgment,
    SampleRules,
    ask_samples,
    ask_twice,
    pose,
    render_turns,
)
from ieat.pipeline.engines.joint import JointModel, OwnWords, cited_turns, read_cause
from ieat.pipeline.failures import UnusableAnswer
from ieat.pipeline.ports import AnsweringModel
from ieat.pipeline.votes import take_vote
from ieat.prompts.library import Prompt, PromptLibrary
from ieat.schemas.attribution import Attribution, Cause
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion, EmotionalState
from ieat.schemas.engine import Answer, Sampling
from ieat.schemas.history import History

FEELS: dict[Language, dict[Emotion, str]] = {
    Language.EN: {
        Emotion.HAPPY: "happy",
        Emotion.SAD: "sad",
        Emotion.ANGER: "angry",
        Emotion.FEAR: "afraid",
        Emotion.SURPRISE: "surprised",
        Emotion.DISGUST: "disgusted",
        Emotion.NEUTRAL: "neutral",
    },
    Language.ZH: {
        Emotion.HAPPY: "开心",
        Emotion.SAD: "难过",
        Emotion.ANGER: "生气",
        Emotion.FEAR: "害怕",
        Emotion.SURPRISE: "惊讶",
        Emotion.DISGUST: "厌恶",
        Emotion.NEUTRAL: "平静",
    },
}
"""How the attribution prompt names an emotion."""


class LLMAttributor:
    """Asks for the cause of a known state (prompt `attribution`)."""

    def __init__(
        self,
        model: AnsweringModel,
        prompts: PromptLibrary,
        sampling: Sampling,
        joint: JointModel | None,
        samples: SampleRules = ONE,
    ) -> None:
        """Take the model, and the joint question for states that it labeled, if it is asked."""
        self.attributor_id = model.engine_id
        self._model = model
        self._prompts = prompts
        self._sampling = sampling
        self._joint = joint
        self._samples = samples

    async def attribute(self, history: History, state: EmotionalState) -> Attribution:
        """Return the cause of the state of the last turn.

        Of several answers the one counts that cites the turns which most of them cite.

        Raises:
            UnusableAnswer: Two answers in a row break a check, for each of the samples.
        """
        if self._joint is not None and _is_joint(state):
            return await self._attribute_jointly(self._joint, history, state)
        if state.chosen is None:
            raise ValueError("a state without an emotion has no cause")
        prompt = self._prompts.prompt("attribution", history.language)
        values = {
            "turns": render_turns(history, with_sound=True),
            "turn": str(history.last.turn_index),
            "speaker": history.last.speaker,
            "emotion": FEELS[history.language][state.chosen],
        }

        async def ask(sample_index: int) -> Judgment[Cause]:
            return await ask_twice(
                self._model,
                pose(prompt, values, self._sampling, sample_index),
                history.dialogue_id,
                self._prompts.template("reask", history.language),
                lambda answer: judge_cause(answer, history, prompt.example_sentences),
            )

        drawn = await ask_samples(ask, self._samples.num_samples)
        causes = {index: found.value for index, found in drawn.usable.items()}
        vote = take_vote(
            {index: cited_turns(cause) for index, cause in causes.items()},
            self._samples.num_samples,
        )
        agreement = self._samples.told(vote.agreement)
        return self._attribution(state, causes[vote.chosen], agreement, prompt, drawn.response_keys)

    async def _attribute_jointly(
        self, joint: JointModel, history: History, state: EmotionalState
    ) -> Attribution:
        found = await joint.ask(history)
        if found.problem is not None:
            found.problem.response_keys = found.response_keys
            raise found.problem
        if found.value.cause is None or found.value.emotion is not state.chosen:
            problem = UnusableAnswer("cause_missing", "the joint answer explains another emotion")
            problem.response_keys = found.response_keys
            raise problem
        prompt = joint.prompts.prompt("joint", history.language)
        return self._attribution(
            state, found.value.cause, found.value.agreement, prompt, found.response_keys
        )

    def _attribution(
        self,
        state: EmotionalState,
        cause: Cause,
        agreement: float | None,
        prompt: Prompt,
        response_keys: tuple[str, ...],
    ) -> Attribution:
        if state.chosen is None:
            raise ValueError("a state without an emotion has no cause")
        return Attribution(
            turn_index=state.turn_index,
            speaker=state.speaker,
            emotion=state.chosen,
            intensity=state.intensity,
            causes=(cause,),
            agreement=agreement,
            attributor_id=self.attributor_id,
            prompt_id=prompt.prompt_id,
            prompt_sha256=prompt.sha256,
            response_keys=response_keys,
            flags=() if cause.evidence else ("no_evidence",),
        )


def judge_cause(answer: Answer, history: History, examples: Set[str]) -> Cause:
    """Return the checked cause of an answer to `attribution`.

    Args:
        answer: The stored answer.
        history: What the question showed.
        examples: Sentences of the example answers in the prompt.

    Raises:
        UnusableAnswer: It cannot be read or breaks a check.
    """
    form = read_answer(answer, CauseForm)
    own_words = OwnWords(form.event, form.appraisal)
    return read_cause(form.evidence, own_words, form.kind, history, examples)


def _is_joint(state: EmotionalState) -> bool:
    """Tell whether the chosen label comes from the joint question."""
    label = state.text if state.chosen_from == "text" else None
    return label is not None and (label.prompt_id or "").startswith("joint@")
