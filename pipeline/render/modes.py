"""Think modes of a rendering: one for all rows, or a mix that is drawn row by row."""

import hashlib
import math
from collections.abc import Collection
from typing import NamedTuple, get_args

from ieat.pipeline.failures import ConfigError
from ieat.pipeline.output.reading import ThinkMode

MODES: tuple[ThinkMode, ...] = get_args(ThinkMode)
"""All think modes, in the order of the shares of a mix."""

MIX = "mix:"
"""Beginning of a mix; the three shares follow, separated by commas."""


class Modes(NamedTuple):
    """Which think modes a rendering uses, and how much of each."""

    text: str
    """The modes as a person writes them."""
    shares: dict[ThinkMode, float]
    """Share of each mode that is used; they sum to 1."""


class Drawn(NamedTuple):
    """The mode of one row."""

    wanted: ThinkMode
    """What the shares drew."""
    chosen: ThinkMode | None
    """What the row is rendered as; null when it is fit for no mode that is used."""


def parse_modes(text: str) -> Modes:
    """Read `explicit`, `injected`, `implicit`, or `mix:A,B,C` with shares in that order.

    Shares are any numbers that are not negative; only their proportions count.

    Raises:
        ConfigError: It is none of these.
    """
    for mode in MODES:
        if text == mode:
            return Modes(text, {mode: 1.0})
    if not text.startswith(MIX):
        raise ConfigError(f"there is no think mode {text!r}; use {', '.join(MODES)} or mix:A,B,C")
    try:
        given = [float(part) for part in text.removeprefix(MIX).split(",")]
    except ValueError:
        given = []
    if len(given) != len(MODES) or not all(math.isfinite(part) and part >= 0 for part in given):
        raise ConfigError(
            f"{text!r} is no mix; give three shares, such as mix:2,1,1 for "
            "explicit, injected and implicit"
        )
    total = sum(given)
    if total <= 0:
        raise ConfigError(f"{text!r} leaves no mode; one share must be above zero")
    shares = {mode: part / total for mode, part in zip(MODES, given, strict=True) if part > 0}
    return Modes(text, shares)


def draw_mode(row_id: str, modes: Modes, fit: Collection[ThinkMode]) -> Drawn:
    """Return the mode of a row: drawn by the shares from a hash of its id alone.

    So a row keeps its mode whatever other rows there are. A row that is not fit for the mode
    that is drawn falls to one that it is fit for, drawn by the shares of those modes.

    Args:
        row_id: Id of the row.
        modes: The shares.
        fit: Modes that the row is fit for.
    """
    wanted = _draw(f"mode:{row_id}", modes.shares)
    left = {mode: share for mode, share in modes.shares.items() if mode in fit}
    if wanted in left or not left:
        return Drawn(wanted, wanted if wanted in left else None)
    return Drawn(wanted, _draw(f"mode again:{row_id}", left))


def _draw(text: str, shares: dict[ThinkMode, float]) -> ThinkMode:
    digest = hashlib.sha256(text.encode()).digest()
    rest = int.from_bytes(digest[:8], "big") / 2**64 * sum(shares.values())
    for mode, share in shares.items():
        rest -= share
        if rest < 0:
            return mode
    # Rounding can leave a rest of zero behind the last share.
    return next(reversed(shares))
