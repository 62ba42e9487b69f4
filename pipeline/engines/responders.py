"""Give the answer to a target: the corpus' own, or one written from the thinking."""

from typing import NamedTuple

from ieat.pipeline.answers import RESPONSE_FORMS, ResponseForm, SpokenResponseForm, read_answer
from ieat.pipeline.checks import DEFAULTS, check_response_text
from ieat.pipeline.config import CheckSettings
from ieat.pipeline.delivery import check_delivery
from ieat.pipeline.engines.asking import PartlyUsable, ask_twice, pose, render_turns
from ieat.pipeline.failures import UnusableAnswer
from ieat.pipeline.ports import AnsweringModel
from ieat.prompts.library import PromptLibrary
from ieat.schemas.dialogue import Language
from ieat.schemas.engine import Answer, Sampling
from ieat.schemas.history import HeardTurn, History
from ieat.schemas.sample import Response, Target, Thinking


class _Written(NamedTuple):
    """A response that passes its checks."""

    form: ResponseForm
    delivery: str | None
    """How it is to be spoken; null where the prompt does not ask, or what it gave is of no use."""


class CorpusResponder:
    """Takes the turns that follow in the corpus."""

    async def respond(
        self, history: History, target: Target, thinking: Thinking, answer: tuple[HeardTurn, ...]
    ) -> Response:
        """Return the words of the answering turns, joined."""
        between = " " if history.language is Language.EN else ""
        return Response(
            text=between.join(turn.clean for turn in answer),
            source="corpus",
            audio=tuple(turn.audio for turn in answer if turn.audio is not None),
        )


class WrittenResponder:
    """Has a language model write the answer, the thinking given as its own (prompt `response`)."""

    def __init__(
        self,
        model: AnsweringModel,
        prompts: PromptLibrary,
        sampling: Sampling,
        checks: CheckSettings = DEFAULTS,
    ) -> None:
        self._model = model
        self._prompts = prompts
        self._sampling = sampling
        self._checks = checks

    async def respond(
        self, history: History, target: Target, thinking: Thinking, answer: tuple[HeardTurn, ...]
    ) -> Response:
        """Return the written answer; the corpus' own answer is not shown to the model.

        One whose delivery line is of no use twice stays without it, and is flagged.

        Raises:
            UnusableAnswer: Two answers in a row break a check.
        """
        prompt = self._prompts.prompt("response", history.language)
        values = {
            "turns": render_turns(history, with_sound=False),
            "turn": str(history.last.turn_index),
            "speaker": target.user_speaker,
            "thinking": thinking.text,
        }

        def judge(given: Answer) -> _Written:
            form = read_answer(given, RESPONSE_FORMS[prompt.answer_schema.schema_id])
            check_response_text(form.response, history, checks=self._checks)
            if not isinstance(form, SpokenResponseForm):
                return _Written(form, None)
            try:
                return _Written(
                    form, check_delivery(form.delivery, form.response, history.language)
                )
            except UnusableAnswer as problem:
                raise PartlyUsable(problem, _Written(form, None)) from problem

        found = await ask_twice(
            self._model,
            pose(prompt, values, self._sampling),
            history.dialogue_id,
            self._prompts.template("reask", history.language),
            judge,
        )
        return Response(
            text=found.value.form.response.strip(),
            source="written",
            style=found.value.form.style,
            delivery=found.value.delivery,
            conditioned_on=("words", "thinking"),
            writer_id=self._model.engine_id,
            prompt_id=prompt.prompt_id,
            prompt_sha256=prompt.sha256,
            response_keys=found.response_keys,
            flags=("no_delivery",) if found.problem is not None else (),
        )
