"""Choose what a student is told to do: one of a task's phrasings, by the row."""

import hashlib

from ieat.prompts.library import PromptError, TemplateFile

ALIGNMENT = "alignment"
ATTRIBUTES = "attributes"
DISTILLATION = "distillation"
AQA = "aqa"
TASKS = (ALIGNMENT, ATTRIBUTES, DISTILLATION, AQA)
"""Tasks of stage 1, each a section of the template `instructions`."""


def phrasings(template: TemplateFile, task: str) -> tuple[str, ...]:
    """Return the phrasings of a task, in the order of the template.

    Raises:
        PromptError: The template has no such section, or an empty one.
    """
    lines = template.sections.get(task, "").splitlines()
    found = tuple(line.removeprefix("- ").strip() for line in lines if line.strip())
    if not found:
        raise PromptError(
            f"{template.prompt_id}: no phrasing for the task {task!r}; write a section "
            f"'## {task}' with one phrasing a line"
        )
    return found


def choose_instruction(template: TemplateFile, task: str, row_id: str) -> str:
    """Return one phrasing of a task; the same row always gets the same.

    Raises:
        PromptError: The template has none for the task.
    """
    choices = phrasings(template, task)
    digest = hashlib.sha256(f"{row_id}/{task}".encode()).digest()
    return choices[int.from_bytes(digest[:8], "big") % len(choices)]
