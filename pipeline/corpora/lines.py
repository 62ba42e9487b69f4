"""Lines of JSON: found without being parsed, parsed strictly, their place named in every error."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from ieat.pipeline.corpora.places import open_place
from ieat.pipeline.failures import BadInput
from ieat.schemas.records import SourceUnit

MAX_LINE = 16 << 20
"""Longest line that is read, bytes; a dialogue of words and paths is far below."""


def find_lines(uri: str, input_index: int) -> Iterator[SourceUnit]:
    """Yield one unit for each line that is not blank; one that is too long has a null line."""
    with open_place(uri) as file:
        number = 0
        while raw := file.readline(MAX_LINE + 1):
            number += 1
            is_too_long = len(raw) > MAX_LINE
            while is_too_long and not raw.endswith(b"\n"):
                raw = file.readline(MAX_LINE + 1)
                if not raw:
                    break
            # The mark stands at the beginning of files that some editors write.
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace").strip()
            if text or is_too_long:
                yield SourceUnit(
                    input_index=input_index,
                    source=f"{uri}:{number}",
                    uri=uri,
                    line=None if is_too_long else text,
                )


def hash_line(unit: SourceUnit) -> str:
    """Return the SHA-256 of a line, without the white space around it."""
    return hashlib.sha256((unit.line or "").encode()).hexdigest()


def parse_line(unit: SourceUnit) -> dict[str, Any]:
    """Read one line as a JSON object.

    Raises:
        BadInput: The line is too long, no UTF-8, no JSON, or names a key twice.
    """
    if unit.line is None:
        raise BadInput(
            "line_too_long",
            f"{unit.source}: longer than {MAX_LINE >> 20} MiB; write one dialogue a line, "
            "with audio as paths",
        )
    if "\ufffd" in unit.line:
        raise BadInput("not_utf8", f"{unit.source}: not UTF-8; write the file again as UTF-8")
    try:
        value = json.loads(
            unit.line, object_pairs_hook=_refuse_twice, parse_constant=_refuse_constant
        )
    except _TwiceError as error:
        raise BadInput(
            "duplicate_key", f"{unit.source}: the key {error} stands twice; keep one"
        ) from error
    except (ValueError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise BadInput(
            "broken_json", f"{unit.source}: {what}; each line must be one whole JSON object"
        ) from error
    if not isinstance(value, dict):
        raise BadInput(
            "broken_json", f"{unit.source}: this is no JSON object; write {{...}} on each line"
        )
    return value


class _TwiceError(ValueError):
    """A key stands twice in one object."""


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise _TwiceError(repr(key))
        result[key] = value
    return result


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")
