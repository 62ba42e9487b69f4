"""How a second model reads causes back."""

from pydantic import Field

from ieat.pipeline.config.endpoints import LanguageModelSettings


class VerifierSettings(LanguageModelSettings):
    """How the verifier is asked, and what follows from what it says."""

    max_tokens: int = Field(default=256, gt=0)
    """Most tokens of an answer."""
    allow_self: bool = False
    """Whether the verifier may be the language model that wrote the causes: it then finds again
    what it meant, whether it wrote it or not."""
    must_agree: bool = False
    """Whether a row counts as not trainable when the emotion of one of its causes is not found
    again; else it is flagged only."""
