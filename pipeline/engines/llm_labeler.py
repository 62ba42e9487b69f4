"""Label emotions by a language model, alone or together with the cause."""

from ieat.pipeline.answers import LabelForm, read_answer
from ieat.pipeline.checks import check_evidence
from ieat.pipeline.engines.asking import ask_twice, pose, render_turns
from ieat.pipeline.engines.joint import JointModel
from ieat.pipeline.ports import AnsweringModel
from ieat.prompts.library import Prompt, PromptLibrary
from ieat.schemas.emotion import Emotion, EmotionLabel, Intensity
from ieat.schemas.engine import Answer, Sampling
from ieat.schemas.history import History


class LLMLabeler:
    """Asks for the emotion alone (prompt `labeling`)."""

    def __init__(self, model: AnsweringModel, prompts: PromptLibrary, sampling: Sampling) -> None:
        self.labeler_id = model.engine_id
        self._model = model
        self._prompts = prompts
        self._sampling = sampling

    async def label(self, history: History) -> EmotionLabel:
        """Label the last turn; the evidence must stand where it is cited.

        Raises:
            UnusableAnswer: Two answers in a row are not usable.
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

        found = await ask_twice(
            self._model,
            pose(prompt, values, self._sampling),
            history.dialogue_id,
            self._prompts.template("reask", history.language),
            judge,
        )
        emotion = None if found.value.emotion == "unclear" else Emotion(found.value.emotion)
        return _label(self.labeler_id, emotion, found.value.intensity, prompt, found.response_keys)


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
            self._joint.prompts.prompt("joint", history.language),
            found.response_keys,
        )


def _label(
    labeler_id: str,
    emotion: Emotion | None,
    intensity: Intensity,
    prompt: Prompt,
    response_keys: tuple[str, ...],
) -> EmotionLabel:
    return EmotionLabel(
        source="text",
        labeler_id=labeler_id,
        emotion=emotion,
        intensity=None if emotion is None else intensity,
        prompt_id=prompt.prompt_id,
        prompt_sha256=prompt.sha256,
        response_keys=response_keys,
    )
