"""What a student is told: nothing that it should hear by itself."""

import re

from ieat.pipeline.emotion_words import SAME_WORD
from ieat.pipeline.failures import RecordError

_FORMS = "happily sadly angrily fearfully frightened disgusting surprising annoyed upset"
"""Forms of English emotion words that no corpus uses as a label."""

_ENGLISH = re.compile(
    r"\b("
    + "|".join(sorted([word for word in SAME_WORD if word.isascii()] + [*_FORMS.split(), "angry"]))
    + r")\b",
    re.IGNORECASE,
)
_CHINESE = re.compile("|".join(sorted(word for word in SAME_WORD if not word.isascii())))


def find_emotion_word(text: str) -> str | None:
    """Return the first word of a text that names one of the seven emotions, in either language."""
    found = _ENGLISH.search(text) or _CHINESE.search(text)
    return found.group() if found else None


def check_student_input(instruction: str) -> None:
    """Check what a student is told beside the sound: hearing the emotion is what it learns.

    Raises:
        RecordError: label_leak.
    """
    found = find_emotion_word(instruction)
    if found is not None:
        raise RecordError(
            "label_leak",
            f"the instruction {instruction!r} names an emotion ({found!r}); take the word out of "
            "the template `instructions`",
        )
