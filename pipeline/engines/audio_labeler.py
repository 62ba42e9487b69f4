"""Label the emotion of a turn from its sound alone, by a language model that hears."""

from collections.abc import Callable
from functools import partial

from ieat.pipeline.answers import VoiceForm, read_answer
from ieat.pipeline.engines.asking import ask_twice, pose
from ieat.pipeline.ports import AnsweringModel, HeardVoice, Samples
from ieat.prompts.library import PromptLibrary
from ieat.schemas.audio import AudioSpan, Sound
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion, EmotionLabel
from ieat.schemas.engine import Sampling, SpanIdentity


class AudioLabeler:
    """Lets a model hear one turn and asks what the voice shows (prompt `voice`).

    The question holds no words, no names and no other turn, so the same sound is paid once.

    Args:
        model: A model that takes sound.
        prompts: The prompts of the build.
        sampling: How answers are drawn.
        decode: Gives the samples of a span as they are, loudness included, mono at 16 kHz;
            called in a thread, on a miss only.
    """

    def __init__(
        self,
        model: AnsweringModel,
        prompts: PromptLibrary,
        sampling: Sampling,
        decode: Callable[[AudioSpan], Samples],
    ) -> None:
        self.labeler_id = model.engine_id
        self._model = model
        self._prompts = prompts
        self._sampling = sampling
        self._decode = decode

    async def label_voice(
        self, span: AudioSpan, sound: Sound, language: Language, dialogue_id: str
    ) -> HeardVoice:
        """Return the emotion of the voice and what it does besides speaking.

        Raises:
            UnusableAnswer: Two answers in a row are not usable.
            RecordError: The sound was refused.
        """
        prompt = self._prompts.prompt("voice", language)
        question = pose(prompt, {}, self._sampling).model_copy(update={"span": _identity(sound)})
        found = await ask_twice(
            self._model,
            question,
            dialogue_id,
            self._prompts.template("reask", language),
            lambda answer: read_answer(answer, VoiceForm),
            partial(self._decode, span),
        )
        form = found.value
        is_clear = form.emotion != "unclear"
        label = EmotionLabel(
            source="voice",
            labeler_id=self.labeler_id,
            emotion=Emotion(form.emotion) if is_clear else None,
            intensity=form.intensity if is_clear else None,
            confidence=form.confidence,
            prompt_id=prompt.prompt_id,
            prompt_sha256=prompt.sha256,
            response_keys=found.response_keys,
        )
        return HeardVoice(label, tuple(dict.fromkeys(form.events)))


def _identity(sound: Sound) -> SpanIdentity:
    return SpanIdentity(
        source_sha256=sound.source_sha256,
        channel=sound.channel,
        start_sample=sound.start_sample,
        end_sample=sound.end_sample,
        duration=sound.duration,
    )
