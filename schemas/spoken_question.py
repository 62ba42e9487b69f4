"""A question of knowledge that is heard, as a file of the user gives it."""

from pydantic import Field

from ieat.schemas.base import Value
from ieat.schemas.dialogue import Language


class SpokenQuestion(Value):
    """A question with its answers and its sound."""

    question_id: str
    """`corpus/key`."""
    language: Language
    """Language that is spoken."""
    split: str
    """Split of the data set."""
    license: str | None
    """License as the file states it."""
    source: str
    """File and line, or row, that it was read from."""
    query: str
    """The words of the question."""
    answers: tuple[tuple[str, ...], ...] = Field(min_length=1)
    """The answers that count as right: words that all have to be said, for each."""
    target_text: str
    """The answer to learn."""
    uri: str
    """Where the sound lies; for sound within the file itself its row."""
    content: bytes | None = Field(default=None, repr=False)
    """A sound that stands in the row itself."""
