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


_REFUSALS = re.compile(
    r"^\W*("
    r"i['’]m sorry,? but|i am sorry,? but|sorry,? (but )?i (can|cannot|can't)"
    r"|i (can['’]?t|cannot|am unable to|won['’]t) (help|assist|comply|provide|answer|continue)"
    r"|as an ai"
    r"|(很抱歉|抱歉|对不起)[，,]?(我|作为)?.{0,6}(无法|不能|不便)"
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
