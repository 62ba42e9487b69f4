"""Label emotions by a language model, alone or together with the cause."""

from ieat.pipeline.answers import LabelForm, read_answer
from ieat.pipeline.checks import check_evidence
from ieat.pipeline.engines.asking import (
    ONE,
    Judgment,
    SampleRules,
    ask_samples,
    ask_twice,
    pose,
    render_turns,
)
from ieat.pipeline.engines.joint import JointModel
from ieat.pipeline.ports import AnsweringModel
from ieat.pipeline.votes import take_vote
from ieat.prompts.library import Prompt, PromptLibrary
from ieat.schemas.emotion import Emotion, EmotionLabel, Intensity
from ieat.schemas.engine import Answer, Sampling
from ieat.schemas.history import History


class LLMLabeler:
    """Asks for the emotion alone (prompt `labeling`), and of several answers takes the commonest.

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
        self.labeler_id = model.engine_id
        self._model = model
        self._prompts = prompts
        self._sampling = sampling
        self._samples = samples

    async def label(self, history: History) -> EmotionLabel:
        """Label the last turn; the evidence must stand where it is cited.

        Raises:
            UnusableAnswer: Two answers in a row are not usable, for each of the samples.
        """
        prompt = self._prompts.prompt("labeling", history.language)
        values = {
            "turns": render_turns(history, with_sound=False),
            "turn": str(history.last.turn_index),
            "speaker": history.last.speaker,
        }

        def judge(answer: Answer) -> LabelForm:
            form = read_answer(answer, LabelForm)
            if form.emotion not in ("unclear", Emotion.NEUTRAL):
                check_evidence(form.evidence, history, None)
            return form

        async def ask(sample_index: int) -> Judgment[LabelForm]:
            return await ask_twice(
                self._model,
                pose(prompt, values, self._sampling, sample_index),
                history.dialogue_id,
                self._prompts.template("reask", history.language),
                judge,
            )

        drawn = await ask_samples(ask, self._samples.num_samples)
        forms = {index: found.value for index, found in drawn.usable.items()}
        vote = take_vote(
            {index: form.emotion for index, form in forms.items()}, self._samples.num_samples
        )
        chosen = forms[vote.chosen]
        is_clear = chosen.emotion != "unclear" and vote.agreement >= self._samples.min_agreement
        return _label(
            self.labeler_id,
            Emotion(chosen.emotion) if is_clear else None,
            chosen.intensity,
            self._samples.told(vote.agreement),
            prompt,
            drawn.response_keys,
        )


class JointLabeler:
    """Takes the label from the question that asks for label and cause in one (prompt `joint`)."""

    def __init__(self, joint: JointModel) -> None:
        self.labeler_id = joint.engine_id
        self._joint = joint

    async def label(self, history: History) -> EmotionLabel:
        """Label the last turn; the label stands even when the cause does not.

        Raises:
            UnusableAnswer: No label could be read from two answers in a row.
        """
        found = await self._joint.ask(history)
        return _label(
            self.labeler_id,
            found.value.emotion,
            found.value.intensity,
            found.value.confidence,
            self._joint.prompts.prompt("joint", history.language),
            found.response_keys,
        )


def _label(
    labeler_id: str,
    emotion: Emotion | None,
    intensity: Intensity,
    confidence: float | None,
    prompt: Prompt,
    response_keys: tuple[str, ...],
) -> EmotionLabel:
    return EmotionLabel(
        source="text",
        labeler_id=labeler_id,
        emotion=emotion,
        intensity=None if emotion is None else intensity,
        confidence=confidence,
        prompt_id=prompt.prompt_id,
        prompt_sha256=prompt.sha256,
        response_keys=response_keys,
    )
