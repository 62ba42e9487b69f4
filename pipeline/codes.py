"""Every code of a failure, a flag or a reason: what it means and how to mend it."""

from typing import Literal, NamedTuple

Kind = Literal["failure", "stop", "flag", "reason"]


class Code(NamedTuple):
    """What a code says to a person."""

    kind: Kind
    """Whether a unit failed, the run stopped, something is odd, or a row is not trainable."""
    meaning: str
    """What it means, one sentence."""
    mend: str
    """What a person can do, one sentence."""


CODES: dict[str, Code] = {
    "audio_missing": Code("failure", "The audio file does not exist.", "Correct the path."),
}


def describe_code(code: str) -> Code | None:
    """Return what a code means; null for a code of another version."""
    return CODES.get(code)
