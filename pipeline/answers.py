"""The forms of language models' answers, and reading an answer into its form.

The JSON schemas that servers are shown are released files (`prompts/*/v<N>.schema.json`); a test
holds these classes and those files together.
"""

import json
import re
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ieat.pipeline.failures import UnusableAnswer
from ieat.schemas.attribution import CauseKind
from ieat.schemas.base import Share
from ieat.schemas.emotion import Emotion, Intensity, VocalEvent
from ieat.schemas.engine import Answer
from ieat.schemas.sample import ResponseStyle

Form = TypeVar("Form", bound=BaseModel)

_FENCE = re.compile(r"^```[a-zA-Z]*\s*\n(.*?)\n?\s*```$", re.DOTALL)


class _Form(BaseModel):
    # Keys beyond the schema carry nothing that is used; an answer is not lost for them.
    model_config = ConfigDict(frozen=True, extra="ignore")


class QuoteForm(_Form):
    """A quote as a model gives it, not checked yet."""

    turn: int
    quote: str


class LabelForm(_Form):
    """Answer to `labeling`."""

    evidence: tuple[QuoteForm, ...]
    emotion: Emotion | Literal["unclear"]
    intensity: Intensity


class VoiceForm(_Form):
    """Answer to `voice`."""

    events: tuple[VocalEvent, ...]
    emotion: Emotion | Literal["unclear"]
    intensity: Intensity
    confidence: Share


class CauseForm(_Form):
    """Answer to `attribution`."""

    evidence: tuple[QuoteForm, ...]
    event: str
    appraisal: str | None
    kind: CauseKind


class JointForm(_Form):
    """Answer to `joint`: label and cause in one."""

    evidence: tuple[QuoteForm, ...]
    emotion: Emotion | Literal["unclear"]
    intensity: Intensity
    event: str | None
    appraisal: str | None
    kind: CauseKind | None


class RepredictionForm(_Form):
    """Answer to `reprediction`."""

    reading: str
    emotion: Emotion | Literal["unclear"]


class ResponseForm(_Form):
    """Answer to version 1 of `response`."""

    style: ResponseStyle
    response: str


class SpokenResponseForm(ResponseForm):
    """Answer to `response` since version 2: it says how it is to be spoken, too."""

    delivery: str


RESPONSE_FORMS: dict[str, type[ResponseForm]] = {
    "response@1": ResponseForm,
    "response@2": SpokenResponseForm,
}
"""Form of an answer to `response`, by the id of its answer schema."""


class StepForm(_Form):
    """One step of an answer to `retrospection`."""

    turn: int
    evidence: tuple[QuoteForm, ...]
    event: str
    emotion: Emotion | Literal["unclear"]
    intensity: Intensity


class RootedCauseForm(_Form):
    """One cause of an answer to `retrospection`."""

    evidence: tuple[QuoteForm, ...]
    cause: str


class RetrospectionForm(_Form):
    """Answer to `retrospection`."""

    steps: tuple[StepForm, ...]
    causes: tuple[RootedCauseForm, ...]
    root_cause: str
    conclusion: str
    arguments: tuple[str, ...]
    takeaway: str
    trajectory_answer: str
    reasons_answer: str


_NOT = r"(can['’]?t|cannot|won['’]?t|will not|(am |are |['’]m |['’]re )?(not able|unable) to)"
_TASKS = (
    r"(help(?! but\b| it\b)|assist|comply|provide|answer|continue|engage|discuss|fulfill|generate"
    r"|create|respond|process|participate)"
)
# People say "I'm sorry, but that must hurt" and "Sorry, I can't come": a refusal names its task.
_REFUSALS = re.compile(
    r"^\W*("
    rf"((i['’]m|i am|we['’]re|we are) )?((really|so|very|truly) )?(sorry|afraid),? (but )?"
    rf"((i|we) ?{_NOT} (\w+ ){{0,2}}{_TASKS}|as an ai|(this|that|the|your) (content|request)\b)"
    rf"|(i|we) ?{_NOT} {_TASKS}"
    r"|as an ai"
    r"|(很抱歉|抱歉|对不起)[，,]?(我|作为)?.{0,6}(无法|不能|不便)"
    r".{0,8}(回答|回应|回复|提供|协助|帮助|满足|继续|处理|生成|完成|讨论|参与)"
    r"|作为(一个|一名)?(ai|人工智能|语言模型)"
    r")",
    re.IGNORECASE,
)


def is_refusal(text: str) -> bool:
    """Tell whether a text declines instead of answering."""
    return _REFUSALS.match(text.strip()) is not None


def read_answer(answer: Answer, form: type[Form]) -> Form:
    """Read an answer into its form, or say by a code why it cannot be.

    Raises:
        UnusableAnswer: refusal, filtered, truncated, empty_answer, broken_json or answer_form.
    """
    if answer.outcome in ("refusal", "filtered", "truncated"):
        raise UnusableAnswer(answer.outcome, f"the answer ended as {answer.outcome}")
    text = answer.text.strip()
    if not text:
        raise UnusableAnswer("empty_answer", "the answer is empty")
    try:
        return form.model_validate(_one_object(text))
    except ValidationError as error:
        where = {".".join(map(str, found["loc"])) for found in error.errors(include_input=False)}
        raise UnusableAnswer(
            "answer_form", f"missing or wrong in the answer: {', '.join(sorted(where))}"
        ) from error


def _one_object(text: str) -> dict[str, Any]:
    """Return the only JSON object of a text, alone, fenced, or amid prose."""
    fenced = _FENCE.match(text)
    decoder = json.JSONDecoder()
    found: list[dict[str, Any]] = []
    rest = fenced.group(1) if fenced else text
    while (start := rest.find("{")) >= 0:
        try:
            value, end = decoder.raw_decode(rest[start:])
        except (json.JSONDecodeError, RecursionError) as error:
            raise UnusableAnswer("broken_json", "the answer's JSON is broken") from error
        found.append(value)
        rest = rest[start + end :]
    if len(found) == 1:
        return found[0]
    if not found and is_refusal(text):
        raise UnusableAnswer("refusal", "the answer declines")
    raise UnusableAnswer(
        "broken_json",
        "the answer holds no whole JSON object"
        if not found
        else "the answer holds several objects",
    )
