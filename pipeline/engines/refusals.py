"""What the errors of an OpenAI-compatible server mean: for a request, for the engine, for now."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ieat.pipeline.engines.rate_headers import read_retry_after
from ieat.pipeline.failures import EngineUnavailable, RecordError

MAX_QUOTED = 200
"""Most characters of a server's own message that are repeated."""

RETRIED_STATUS = frozenset({408, 409, 425, 429})
"""Besides all of 500 and above."""

QUOTA_CODES = frozenset(
    {
        *("insufficient_quota", "billing_hard_limit_reached", "billing_not_active"),
        *("insufficient_balance", "account_deactivated", "access_terminated"),
    }
)
"""Codes of a 429 that no waiting mends."""

UNKNOWN_MODEL = re.compile(
    r"model_not_found|invalid_model|unknown[_ ]model|no such model"
    r"|\bmodel\b[^.]{0,80}\b(not found|not exist)",
    re.IGNORECASE,
)
TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|context length|context window|context size"
    r"|maximum context|too many (input )?tokens|(prompt|input|request) (is )?too (long|large)"
    r"|string_above_max_length|audio_too_long",
    re.IGNORECASE,
)
FILTERED = re.compile(
    r"content_filter|content_policy|content management policy|responsible ai|moderation"
    r"|safety (system|policy)|data_inspection_failed",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Place:
    """Where an engine is asked, as messages name it; holds no secrets."""

    model: str
    """The model's name."""
    base_url: str
    """The base URL without user, password and query."""
    api_key_env: str
    """Environment variable of the key."""
    settings_name: str
    """Where the settings stand in the configuration."""
    is_openai: bool
    """Whether the server is OpenAI's own."""


class BadRequest(RecordError):
    """The server refuses this request; `wording` is what its error says, for adapters to read."""

    def __init__(self, code: str, message: str, wording: str = "") -> None:
        super().__init__(code, message)
        self.wording = wording

    @property
    def may_be_the_form(self) -> bool:
        """Whether asking in another form may help; not for length or content."""
        return self.code == "bad_request"


class TransientFailure(Exception):
    """This attempt failed; the next may not."""

    def __init__(
        self,
        reason: str,
        *,
        retry_after: float | None = None,
        is_broken_body: bool = False,
        may_be_paid: bool = False,
    ) -> None:
        super().__init__(reason)
        self.may_be_paid = may_be_paid
        self.reason = reason
        self.retry_after = retry_after
        self.is_broken_body = is_broken_body


def no_connection(place: Place, what: str, *, may_be_paid: bool) -> TransientFailure:
    """Return the failure of an attempt that got no response."""
    return TransientFailure(
        f"{place.base_url}: {what}; check that the server runs and "
        f"{place.settings_name}.base_url names it",
        may_be_paid=may_be_paid,
    )


def broken_body(place: Place, what: str) -> TransientFailure:
    """Return the failure of an attempt that got a success without a usable body."""
    return TransientFailure(
        f"{place.base_url} answered {place.model} with success, but not in the form of the API: "
        f"{what}; check that {place.settings_name}.base_url ends with the API's path, mostly /v1",
        is_broken_body=True,
        may_be_paid=True,
    )


def of_status(
    place: Place, status: int, body: object, headers: Mapping[str, str], secrets: tuple[str, ...]
) -> TransientFailure | BadRequest | EngineUnavailable:
    """Say what an error response means.

    Args:
        place: Where it comes from.
        status: The HTTP status, 300 and above.
        body: The decoded `error` object, the whole body, or its text.
        headers: The response's headers.
        secrets: What must not be repeated.
    """
    wording = _wording(body, secrets)
    where = f"{place.base_url} refused {place.model} with HTTP {status}"
    said = f": {_short(wording)}" if wording else ""
    if status in (402, 429) and (status == 402 or _codes(body) & QUOTA_CODES):
        return EngineUnavailable(
            f"{place.base_url}: the quota or the credit of the account is used up (HTTP {status}); "
            f"raise it, or set {place.api_key_env} to another account's key"
        )
    if status in RETRIED_STATUS or status >= 500:
        return TransientFailure(
            f"{place.base_url} answered {place.model} with HTTP {status}",
            retry_after=read_retry_after(headers),
        )
    if status in (400, 403, 413, 422) and FILTERED.search(wording):
        return BadRequest("content_filtered", f"{where} for its content{said}", wording)
    if status in (401, 403):
        return EngineUnavailable(
            f"{place.base_url} does not accept the key for {place.model} (HTTP {status}); set the "
            f"environment variable {place.api_key_env} to a key that may use this model"
        )
    if status == 413 or (status in (400, 422) and TOO_LONG.search(wording)):
        return BadRequest("context_too_long", f"{where}: the request is too long{said}", wording)
    if status in (404, 405) or UNKNOWN_MODEL.search(wording):
        return EngineUnavailable(
            f"{place.base_url} does not know the model {place.model!r} or the path (HTTP {status}"
            f"{said}); check the model's name and {place.settings_name}.base_url, which mostly "
            "ends with /v1"
        )
    return BadRequest("bad_request", f"{where}{said}", wording)


def _codes(body: object) -> set[str]:
    """Return code and type of an error body."""
    error = body.get("error", body) if isinstance(body, dict) else None
    fields = error if isinstance(error, dict) else {}
    return {str(fields[name]) for name in ("code", "type") if fields.get(name)}


def _wording(body: object, secrets: tuple[str, ...]) -> str:
    """Return all that an error body says, as one text without secrets."""
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, dict):
        names = ("code", "type", "param", "message", "detail")
        text = " ".join(str(error[name]) for name in names if error.get(name))
    else:
        text = "" if error is None else str(error)
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    return " ".join(text.split())


def _short(text: str) -> str:
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}..."
