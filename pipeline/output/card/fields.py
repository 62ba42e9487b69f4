"""Every field of every table, with the sentence of its schema."""

from collections.abc import Iterator
from typing import Any

from ieat.pipeline.output.card.markdown import table
from ieat.schemas.arrow import item_of, take_apart
from ieat.schemas.base import Value


def field_lines(row_type: type[Value]) -> Iterator[str]:
    """Yield what a table's rows are, and its fields."""
    yield f"{row_type.__doc__}"
    yield ""
    yield from table(("field", "type", "meaning"), _field_rows(row_type, ""))


def _field_rows(model: type[Value], prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        kind, is_nullable = take_apart(field.annotation)
        item = item_of(kind)
        inner = take_apart(item)[0] if item is not None else kind
        is_record = isinstance(inner, type) and issubclass(inner, Value)
        word = "record" if is_record else _word_for(inner)
        shown = f"list of {word}" if item is not None else word
        mark = "[]" if item is not None else ""
        path = f"{prefix}{name}{mark}"
        yield f"`{path}`", f"{shown}{', nullable' if is_nullable else ''}", field.description or ""
        if is_record:
            yield from _field_rows(inner, f"{path}.")


def _word_for(kind: Any) -> str:
    return {int: "int", float: "float", bool: "bool", bytes: "bytes"}.get(kind, "string")
