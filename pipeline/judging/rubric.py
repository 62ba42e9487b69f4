"""The rubric of a judge: ours, or a user's copy of another one, filled by replacement.

HumDial's own scorers fill theirs by `str.format`, which stops at the JSON that T1's and T2's hold;
here a placeholder is replaced where it stands and nothing else is touched.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from ieat.pipeline.failures import ConfigError
from ieat.prompts.library import PromptLibrary, canonical_json, digest
from ieat.schemas.dialogue import Language
from ieat.schemas.engine import AnswerSchema, Message, Question, Sampling
from ieat.schemas.score_rows import JudgedTask

PLACEHOLDERS: dict[JudgedTask, tuple[str, ...]] = {
    "t1": ("conversation_history", "user_question", "final_model_response"),
    "t2": ("conversation_history", "user_question", "final_model_response"),
    "t3": ("conversation_context",),
}
"""Placeholders that a user's rubric must have, in braces: those of the official ones."""


class Judged(NamedTuple):
    """What a judge is shown of a row."""

    history: str
    """The conversation with emotions, the judged answer at its end."""
    question: str
    """The user's last question; empty for T3."""
    answer: str
    """The answer to judge."""


class Rubric(Protocol):
    """Makes the question about an answer."""

    @property
    def rubric_id(self) -> str:
        """What it is called."""
        ...

    @property
    def sha256(self) -> str:
        """SHA-256 of its text."""
        ...

    @property
    def is_own(self) -> bool:
        """Whether it is the one of this package."""
        ...

    def ask(self, judged: Judged, sampling: Sampling) -> Question:
        """Return the question."""
        ...


class OwnRubric:
    """The released prompts `judge_t1` to `judge_t3`, which are not the official ones."""

    is_own = True

    def __init__(self, task: JudgedTask, language: Language, prompts: PromptLibrary) -> None:
        self._task = task
        self._prompt = prompts.prompt(f"judge_{task}", language)
        self.rubric_id = self._prompt.prompt_id
        self.sha256 = self._prompt.sha256

    def ask(self, judged: Judged, sampling: Sampling) -> Question:
        """Return the question."""
        values = {"history": judged.history}
        if self._task != "t3":
            values |= {"question": judged.question, "answer": judged.answer}
        return Question(
            messages=self._prompt.render(values),
            answer_schema=self._prompt.answer_schema,
            sampling=sampling,
        )


@dataclass(frozen=True)
class FileRubric:
    """A rubric from a user's file, asked as one message of the user, its answer's form its own."""

    rubric_id: str
    """Name of the file."""
    text: str
    """Its text."""
    task: JudgedTask
    """Task that it judges."""
    is_own = False

    @property
    def sha256(self) -> str:
        """SHA-256 of the text."""
        return digest(self.text)

    def ask(self, judged: Judged, sampling: Sampling) -> Question:
        """Return the question."""
        values = {
            "conversation_history": judged.history,
            "conversation_context": judged.history,
            "user_question": judged.question,
            "final_model_response": judged.answer,
        }
        content = fill(self.text, {name: values[name] for name in PLACEHOLDERS[self.task]})
        return Question(
            messages=(Message(role="user", content=content),),
            # The rubric says itself in which form to answer.
            answer_schema=AnswerSchema(schema_id=f"rubric_{self.task}", text=""),
            sampling=sampling,
        )


def fill(template: str, values: dict[str, str]) -> str:
    """Replace each `{name}` by its value; other braces stay, doubled ones become single.

    Braces are doubled in templates that were written for `str.format`, as the official one of T3
    is. Values are put in as they are, whatever braces they hold.
    """
    found = re.compile(r"\{(" + "|".join(map(re.escape, values)) + r")\}")
    # Such a template doubles all other braces; one with single braces means each as it stands.
    is_doubled = not re.search(r"(?<!\{)\{(?!\{)", found.sub("", template))
    parts = []
    end = 0
    for match in found.finditer(template):
        parts += [_single(template[end : match.start()], is_doubled), values[match[1]]]
        end = match.end()
    return "".join([*parts, _single(template[end:], is_doubled)])


def _single(text: str, is_doubled: bool) -> str:
    return text.replace("{{", "{").replace("}}", "}") if is_doubled else text


def read_rubric(path: str, task: JudgedTask) -> FileRubric:
    """Read a user's rubric.

    Raises:
        ConfigError: It cannot be read, or lacks a placeholder.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the rubric {path}: {error}") from error
    missing = [name for name in PLACEHOLDERS[task] if f"{{{name}}}" not in text]
    if missing:
        raise ConfigError(
            f"the rubric {path} has no place for {{{missing[0]}}}; a rubric for {task} holds "
            f"{', '.join(f'{{{name}}}' for name in PLACEHOLDERS[task])}"
        )
    return FileRubric(rubric_id=Path(path).name, text=text, task=task)


def describe_sampling(sampling: Sampling) -> str:
    """Return how answers are drawn, as canonical JSON."""
    return canonical_json(sampling.model_dump(mode="json"))
