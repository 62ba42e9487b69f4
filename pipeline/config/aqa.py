"""The user's own file of spoken questions."""

from pydantic import Field

from ieat.pipeline.config.base import Settings


class AqaSettings(Settings):
    """A file of questions that are heard, for rows that keep knowledge."""

    path: str = Field(min_length=1)
    """JSON lines or Parquet with the keys key, query, answer, audio; relative paths of audio start
    at the file."""
    corpus: str | None = Field(default=None, pattern=r"^[^/]+$")
    """Name of the corpus, first part of every id; null takes the name of the file."""
    language: str | None = None
    """Language of questions that do not say it themselves; null tells it by their script."""
    split: str = Field(default="train", pattern=r"^[A-Za-z0-9_]+$")
    """Split of questions that do not say it themselves; those of test sets are never trainable."""
    license: str | None = None
    """License of questions that do not say it themselves."""
    synthesizer: str | None = None
    """What synthesized the speech, as name and version; null where people speak, or nobody
    knows."""
    synthesizer_is_open: bool | None = None
    """Whether the synthesizer is open; null means not known."""
