"""Which dialogues go to which split."""

import math
import re
from typing import Literal

from pydantic import Field, field_validator

from ieat.pipeline.config.base import Settings


class SplitSettings(Settings):
    """How dialogues of the corpora's split `train` are parted."""

    shares: dict[str, float] = Field(default_factory=dict)
    """Share of each split, such as `{train: 0.9, dev: 0.05, test: 0.05}`; empty keeps the splits
    of the corpora. Dialogues that a corpus gives to another split than `train` stay there."""
    by: tuple[Literal["speaker", "script"], ...] = ("speaker", "script")
    """What dialogues of two splits never share: people whose names hold in the whole corpus
    (`speaker_scope` of the inputs), and scripts."""
    file: str | None = None
    """File or URL that remembers which group went where; null means `splits.json` in the store.
    A group never changes its split, so keep the file with the corpus."""

    @field_validator("shares")
    @classmethod
    def _are_shares(cls, shares: dict[str, float]) -> dict[str, float]:
        for name, share in shares.items():
            if not re.fullmatch(r"[A-Za-z0-9_]+", name):
                raise ValueError(f"{name!r} is no name of a split; use letters, digits and _")
            if not 0 < share <= 1:
                raise ValueError(f"the share of {name} is {share}; it must lie between 0 and 1")
        if shares and not math.isclose(sum(shares.values()), 1.0, abs_tol=1e-6):
            raise ValueError(f"the shares sum up to {sum(shares.values()):g}, not to 1")
        if shares and "train" not in shares:
            raise ValueError("there is no share of train; write one, such as train: 0.9")
        return shares
