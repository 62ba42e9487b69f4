"""What a server's headers say of its limits: what is left, and how fast it comes back."""

import re
import time
from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz
from typing import Literal, NamedTuple

Kind = Literal["requests", "tokens"]
KINDS: tuple[Kind, ...] = ("requests", "tokens")

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")
_UNITS = (86400.0, 3600.0, 60.0, 1.0, 0.001)


class Allowance(NamedTuple):
    """What a server still allows of one kind."""

    limit: float
    """What it allows when nothing was used."""
    remaining: float
    """What is left of it."""
    reset: float
    """Time until all of it is there again, seconds."""

    @property
    def is_scarce(self) -> bool:
        """Whether so little is left that one has to keep to the rate at which it comes back."""
        return self.remaining <= 0.5 * self.limit

    @property
    def rate(self) -> float | None:
        """How much comes back a second; null where it cannot be told.

        A window of a day says the same as one of a minute: what was used, and when it is back.
        """
        used = self.limit - self.remaining
        return used / self.reset if used > 0 and self.reset > 0 else None


def read_allowance(headers: Mapping[str, str], kind: Kind) -> Allowance | None:
    """Read `x-ratelimit-*` headers in the form of OpenAI; null where one is missing or odd."""
    limit = _number(headers.get(f"x-ratelimit-limit-{kind}"))
    remaining = _number(headers.get(f"x-ratelimit-remaining-{kind}"))
    reset = read_duration(headers.get(f"x-ratelimit-reset-{kind}"))
    if limit is None or remaining is None or reset is None or limit <= 0:
        return None
    return Allowance(limit, max(0.0, remaining), reset)


def read_duration(text: str | None) -> float | None:
    """Read `1s`, `6m0s`, `12ms`, `1h2m3.5s` or plain seconds; null for anything else."""
    if not text:
        return None
    plain = _number(text)
    if plain is not None:
        return max(0.0, plain)
    # `12ms` would else be read as twelve minutes and a stray s.
    found = _DURATION.fullmatch(text.strip()) if not text.strip().endswith("ms") else None
    if found is None:
        millis = re.fullmatch(r"(\d+(?:\.\d+)?)ms", text.strip())
        return float(millis[1]) / 1000 if millis else None
    parts = [float(part) * unit for part, unit in zip(found.groups(), _UNITS, strict=True) if part]
    return sum(parts) if parts else None


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks to wait; null when it does not, or not readably."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        seconds = _number(value)
        if seconds is not None:
            return seconds * unit
        try:
            date = parsedate_tz(value)
            return None if date is None else mktime_tz(date) - time.time()
        except (TypeError, ValueError, OverflowError):
            return None
    return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return number if number is not None and abs(number) < 1e15 else None
