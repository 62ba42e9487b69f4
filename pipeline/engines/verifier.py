"""Have a second model read a cause back: it must find the emotion that the cause explains."""

from ieat.pipeline.answers import RepredictionForm, read_answer
from ieat.pipeline.engines.asking import ask_twice, pose
from ieat.pipeline.failures import NotInStore, RecordError
from ieat.pipeline.label_words import mask_label_words
from ieat.pipeline.ports import AnsweringModel, Attributor, Verifier
from ieat.prompts.library import PromptLibrary
from ieat.schemas.attribution import Attribution, CauseKind, Reprediction
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion, EmotionalState
from ieat.schemas.engine import Sampling
from ieat.schemas.history import History

CAME_ABOUT: dict[Language, dict[CauseKind, str]] = {
    Language.EN: {
        CauseKind.EXPLICIT: "they said it outright",
        CauseKind.LATENT: "nobody put it into words",
        CauseKind.BACKGROUND: "it lies before the conversation",
        CauseKind.SELF_CONTAGION: "an earlier state of theirs goes on",
        CauseKind.INTER_PERSONAL: "by what the other person said or did",
        CauseKind.HYBRID: "in several of these ways at once",
    },
    Language.ZH: {
        CauseKind.EXPLICIT: "本人直接说了出来",
        CauseKind.LATENT: "没有人说出口",
        CauseKind.BACKGROUND: "发生在对话之前",
        CauseKind.SELF_CONTAGION: "本人先前的状态延续下来",
        CauseKind.INTER_PERSONAL: "由另一方的言行引起",
        CauseKind.HYBRID: "几种来由并存",
    },
}
"""How the prompt tells a kind of cause."""

NOT_KNOWN = {Language.EN: "not known", Language.ZH: "不详"}
"""What the prompt says where a cause has no appraisal."""


class LLMVerifier:
    """Asks for the emotion behind a cause (prompt `reprediction`).

    Args:
        model: Another model than the one that wrote the causes.
        prompts: The prompts of the build.
        sampling: How answers are drawn.
    """

    def __init__(self, model: AnsweringModel, prompts: PromptLibrary, sampling: Sampling) -> None:
        self.verifier_id = model.engine_id
        self._model = model
        self._prompts = prompts
        self._sampling = sampling

    async def repredict(self, attribution: Attribution, history: History) -> Reprediction:
        """Return the emotion found from the main cause; words that name a feeling are covered.

        Raises:
            UnusableAnswer: Two answers in a row are not usable.
        """
        prompt = self._prompts.prompt("reprediction", history.language)
        cause = attribution.causes[0]
        values = {
            "event": mask_label_words(cause.event),
            "appraisal": mask_label_words(cause.appraisal or NOT_KNOWN[history.language]),
            "kind": CAME_ABOUT[history.language][cause.kind],
        }
        found = await ask_twice(
            self._model,
            pose(prompt, values, self._sampling),
            history.dialogue_id,
            self._prompts.template("reask", history.language),
            lambda answer: read_answer(answer, RepredictionForm),
        )
        emotion = None if found.value.emotion == "unclear" else Emotion(found.value.emotion)
        return Reprediction(
            emotion=emotion,
            agrees=emotion is attribution.emotion,
            verifier_id=self.verifier_id,
            prompt_id=prompt.prompt_id,
            prompt_sha256=prompt.sha256,
            response_keys=found.response_keys,
        )


class VerifiedAttributor:
    """Has each cause read back once it is written; a cause is kept whatever comes of it.

    Args:
        attributor: Who writes the causes.
        verifier: Who reads them.
    """

    def __init__(self, attributor: Attributor, verifier: Verifier) -> None:
        self.attributor_id = attributor.attributor_id
        self._attributor = attributor
        self._verifier = verifier

    async def attribute(self, history: History, state: EmotionalState) -> Attribution:
        """Return state and causes, flagged where the emotion was not found again.

        Raises:
            NotInStore: Replay, and cause or reading is not stored.
            RecordError: No cause that passes the checks was given.
        """
        attribution = await self._attributor.attribute(history, state)
        try:
            found = await self._verifier.repredict(attribution, history)
        except NotInStore:
            raise
        except RecordError as error:
            # What was paid for stays with the cause, or a store that is pruned would lose it.
            paid = (*attribution.response_keys, *error.response_keys)
            flags = (*attribution.flags, "reprediction_failed")
            return attribution.model_copy(update={"response_keys": paid, "flags": flags})
        flags = attribution.flags
        if not found.agrees:
            flags = (*flags, "reprediction_differs")
        return attribution.model_copy(update={"reprediction": found, "flags": flags})
