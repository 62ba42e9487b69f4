"""Have the student's own language model answer a turn that it reads with tags."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Literal

from ieat.pipeline.checks import DEFAULTS, check_response_text
from ieat.pipeline.config import CheckSettings
from ieat.pipeline.engines.asking import ask_twice
from ieat.pipeline.engines.llm_attributor import FEELS
from ieat.pipeline.engines.refusals import BadRequest
from ieat.pipeline.failures import EngineUnavailable, UnusableAnswer
from ieat.pipeline.ports import AnsweringModel
from ieat.pipeline.tag_talk import find_tag_talk
from ieat.prompts.library import Prompt, PromptLibrary
from ieat.schemas.dialogue import Language
from ieat.schemas.distillation import Distillation, DistillationContext
from ieat.schemas.emotion import Emotion
from ieat.schemas.engine import Answer, Message, Question, Sampling
from ieat.schemas.history import HeardTurn, History

TAGS = {
    Language.EN: ("[emotion: {}]", "[sounds: {}]", ", ", " "),
    Language.ZH: ("[情绪：{}]", "[声音：{}]", "、", " "),
}
"""How emotion and sounds are shown, what stands between sounds, and what between tags."""

SWITCH = "chat_template_kwargs"
"""Field of a request that holds the switch of the thinking."""

Spoken = tuple[Literal["user", "assistant"], list[HeardTurn]]
"""Neighboring turns of one role."""


class LLMTeacher:
    """Asks for a spoken answer in plain words (prompt `distillation`).

    Args:
        model: The student's language model, by words.
        prompts: The prompts of the build.
        sampling: How answers are drawn.
        context: Whether the turns before the answered one are shown.
        checks: Limits of an answer that is spoken.
    """

    def __init__(
        self,
        model: AnsweringModel,
        prompts: PromptLibrary,
        sampling: Sampling,
        context: DistillationContext,
        checks: CheckSettings = DEFAULTS,
    ) -> None:
        self.teacher_id = model.engine_id
        self._model = model
        self._prompts = prompts
        self._sampling = sampling
        self._context = context
        self._checks = checks

    async def answer(
        self, history: History, emotions: Mapping[int, Emotion], instruction: str
    ) -> Distillation:
        """Return the answer to the last turn, cut ones included.

        Raises:
            UnusableAnswer: Two answers in a row break a check.
            EngineUnavailable: The server does not take the switch of the thinking.
        """
        seen = history if self._context == "history" else _alone(history)
        prompt = self._prompts.prompt("distillation", history.language)
        spoken = part_by_role(seen)
        ended: list[Answer] = []

        def judge(given: Answer) -> str:
            ended.append(given)
            return read_plain_answer(given, seen, self._checks)

        question = Question(
            messages=_messages(prompt, spoken, emotions, history.language),
            answer_schema=prompt.answer_schema,
            sampling=self._sampling,
        )
        reask = self._prompts.template("reask_plain", history.language)
        try:
            found = await ask_twice(self._model, question, history.dialogue_id, reask, judge)
        except BadRequest as refused:
            if SWITCH in self._sampling.extra_body and SWITCH in refused.wording:
                # Every other turn would be refused too.
                raise EngineUnavailable(
                    f"{refused.message}; where the model does not think, set "
                    "teacher_settings.thinking_off to none"
                ) from refused
            raise
        last = ended[-1]
        shown = [turn for _, turns in spoken for turn in turns]
        own = [turn for role, turns in spoken if role == "assistant" for turn in turns]
        flags = []
        if last.reasoning:
            flags.append("teacher_thought")
        if len(found.response_keys) > 1:
            flags.append("asked_again")
        return Distillation(
            turn_index=history.last.turn_index,
            instruction=instruction,
            context=self._context,
            context_turns=tuple(turn.turn_index for turn in shown[:-1]),
            assistant_turns=tuple(turn.turn_index for turn in own),
            emotion=emotions.get(history.last.turn_index),
            events=_sounds(history.last),
            messages=found.messages,
            target=found.value,
            teacher_id=self.teacher_id,
            sampling=self._sampling,
            stop_reason=last.finish_reason,
            early_stop=last.outcome == "truncated",
            prompt_id=prompt.prompt_id,
            prompt_sha256=prompt.sha256,
            response_keys=found.response_keys,
            flags=tuple(flags),
        )


def read_plain_answer(given: Answer, history: History, checks: CheckSettings = DEFAULTS) -> str:
    """Return the words of an answer that may be spoken by somebody who only heard the person.

    An answer that was cut at its limit is taken as far as it goes.

    Raises:
        UnusableAnswer: refusal, filtered, empty_answer, tag_named, or a code of
            `check_response_text`.
    """
    if given.outcome in ("refusal", "filtered"):
        raise UnusableAnswer(given.outcome, f"the answer ended as {given.outcome}")
    text = given.text.strip()
    if not text:
        raise UnusableAnswer("empty_answer", "the answer is empty")
    found = find_tag_talk(text)
    if found is not None and not any(found.lower() in turn.clean.lower() for turn in history.turns):
        raise UnusableAnswer("tag_named", f"repeats or mentions a tag: {found!r}")
    check_response_text(text, history, checks=checks)
    return text


def part_by_role(history: History) -> list[Spoken]:
    """Part the turns into messages that alternate; the last is the user's, and so is the first.

    The one who spoke last before the user is the assistant, as nothing later may be known; others
    are heard. Words of the assistant before the first of the user are left out: a chat begins with
    the user.
    """
    user = history.last.speaker
    others = [turn.speaker for turn in history.turns if turn.speaker != user]
    assistant = others[-1] if others else None
    parted: list[Spoken] = [
        ("assistant" if is_own else "user", list(turns))
        for is_own, turns in groupby(history.turns, lambda turn: turn.speaker == assistant)
    ]
    return parted[1:] if parted[0][0] == "assistant" else parted


def render_heard(turn: HeardTurn, emotion: Emotion | None, language: Language) -> str:
    """Return the words of a turn with tags of what is known: emotion, sounds besides speech."""
    felt, sounded, between_sounds, between = TAGS[language]
    tags = [] if emotion is None else [felt.format(FEELS[language][emotion])]
    sounds = _sounds(turn)
    if sounds:
        tags.append(sounded.format(between_sounds.join(sounds)))
    return between.join((*tags, turn.clean))


def _sounds(turn: HeardTurn) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*turn.events, *(event.value for event in turn.voice_events))))


def _alone(history: History) -> History:
    return history.model_copy(update={"turns": history.turns[-1:]})


def _messages(
    prompt: Prompt, spoken: Sequence[Spoken], emotions: Mapping[int, Emotion], language: Language
) -> tuple[Message, ...]:
    """Return the template's messages, with one for each change of speaker before the last."""
    messages: list[Message] = []
    for role, turns in spoken:
        if role == "assistant":
            words = (" " if language is Language.EN else "").join(turn.clean for turn in turns)
            messages.append(Message(role="assistant", content=words))
            continue
        heard = "\n".join(
            render_heard(turn, emotions.get(turn.turn_index), language) for turn in turns
        )
        rendered = prompt.render({"heard": heard})
        # What stands before the template's last message opens the conversation once.
        messages += rendered if not messages else rendered[-1:]
    return tuple(messages)
