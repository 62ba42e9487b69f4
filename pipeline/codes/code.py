"""What a code says to a person."""

from typing import Literal, NamedTuple

Kind = Literal["failure", "stop", "filtered", "flag", "reason", "rendering"]


class Code(NamedTuple):
    """What a code says to a person."""

    kind: Kind
    """Whether a unit failed, the run stopped, something is odd, a row is not trainable,
    or a rendering differs from the build."""
    meaning: str
    """What it means, one sentence."""
    mend: str
    """What a person can do, one sentence."""
