"""A stored answer as text with its SHA-256, so that damage shows."""

import hashlib

from pydantic import ValidationError

from ieat.pipeline.failures import RunStopped
from ieat.pipeline.ports import SealedAnswer
from ieat.schemas.engine import StoredAnswer


class BrokenAnswer(Exception):
    """A stored answer cannot be read, or is not what was stored; says why."""


def seal(stored: StoredAnswer) -> SealedAnswer:
    """Return an answer as it is kept.

    Raises:
        ValueError: It holds what is no text.
    """
    text = stored.model_dump_json()
    return SealedAnswer(key=stored.key, text=text, sha256=sha256_of(text))


def unseal(sealed: SealedAnswer) -> StoredAnswer:
    """Read an answer as it lies there; its hash is not looked at, which `check_seal` does.

    Raises:
        BrokenAnswer: It cannot be read, or belongs to another key.
    """
    try:
        stored = StoredAnswer.model_validate_json(sealed.text)
    except ValidationError as error:
        raise BrokenAnswer(
            f"cannot be read by this version of ieat ({error.error_count()} problems)"
        ) from None
    if stored.key != sealed.key:
        raise BrokenAnswer(f"holds the answer to another key, {stored.key[:12]}")
    return stored


def check_seal(sealed: SealedAnswer) -> StoredAnswer:
    """Read an answer and compare it with the hash that was kept beside it, where one was.

    Raises:
        BrokenAnswer: It cannot be read, belongs to another key, or was changed.
    """
    if sealed.sha256 is not None and sha256_of(sealed.text) != sealed.sha256:
        raise BrokenAnswer("is not what was stored: its SHA-256 differs")
    return unseal(sealed)


def sha256_of(text: str) -> str:
    """Return the SHA-256 of a text, hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def unreadable(key: str, place: str, problem: BrokenAnswer) -> RunStopped:
    """Return what ends a run that meets a broken answer: asking again would pay again."""
    return RunStopped(
        "store_failed",
        f"the answer {key[:12]} in {place} {problem}; take the version that wrote it, or remove "
        "the broken answers with: ieat store prune --broken",
    )


def storable(dialogue_id: str) -> str:
    """Return an id that is valid Unicode: one made from a file name may hold stray bytes."""
    return dialogue_id.encode("utf-8", "backslashreplace").decode("utf-8")
