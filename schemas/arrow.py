"""The Arrow schema of a row model, and the way from a row to a record of it and back."""

import types
from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import pyarrow as pa

from ieat.schemas.base import Value

RowType = TypeVar("RowType", bound=Value)

SCALARS: dict[type, pa.DataType] = {
    str: pa.string(),
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    bytes: pa.binary(),
}
"""Arrow type of each Python type that a row may hold."""


def arrow_schema(row_type: type[Value]) -> pa.Schema:
    """Return the Arrow schema of a row model: one column per field, in the model's order.

    What may be null is nullable, everything else is not. Field descriptions are left out: they
    belong to the docs, and a better sentence must not change the bytes of a file.

    Raises:
        TypeError: A field has a type that has no place in a row.
    """
    return pa.schema(_fields(row_type))


def to_record(row: Value) -> dict[str, Any]:
    """Return a row as plain values that fit `arrow_schema`: enums as words, tuples as lists."""
    return {name: _plain(getattr(row, name)) for name in type(row).model_fields}


def from_record(row_type: type[RowType], record: dict[str, Any]) -> RowType:
    """Return the row that a record holds, validated.

    Raises:
        ValueError: A column is missing or unknown, or a value does not fit the model.
    """
    missing = sorted(set(row_type.model_fields) - set(record))
    if missing:
        raise ValueError(f"{row_type.__name__} lacks the columns {', '.join(missing)}")
    return row_type.model_validate(record)


def describe_schema(schema: pa.Schema) -> str:
    """Return a schema as text, one field a line, whatever the version of pyarrow."""
    return "".join(f"{line}\n" for field in schema for line in _describe(field, 0))


def take_apart(annotation: Any) -> tuple[Any, bool]:
    """Return an annotation without `Annotated` and `None`, and whether it may be null."""
    if get_origin(annotation) is Annotated:
        return take_apart(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not types.NoneType]
        if len(members) == 1 and len(members) < len(get_args(annotation)):
            return take_apart(members[0])[0], True
    return annotation, False


def item_of(annotation: Any) -> Any:
    """Return X of `tuple[X, ...]`, and null for everything else."""
    if get_origin(annotation) is tuple:
        members = get_args(annotation)
        if len(members) == 2 and members[1] is Ellipsis:
            return members[0]
    return None


def arrow_type(annotation: Any) -> pa.DataType:
    """Return the Arrow type of an annotation that is not nullable.

    Raises:
        TypeError: The annotation has no place in a row.
    """
    item = item_of(annotation)
    if item is not None:
        return pa.list_(_field("item", item))
    if get_origin(annotation) is Literal:
        if all(isinstance(word, str) for word in get_args(annotation)):
            return pa.string()
    elif isinstance(annotation, type):
        if issubclass(annotation, Value):
            return pa.struct(_fields(annotation))
        if issubclass(annotation, str) and issubclass(annotation, Enum):
            return pa.string()
        if annotation in SCALARS:
            return SCALARS[annotation]
    raise TypeError(f"{annotation} has no Arrow type; a row holds words, numbers, bytes and Values")


def _fields(model: type[Value]) -> list[pa.Field]:
    return [_field(name, field.annotation) for name, field in model.model_fields.items()]


def _field(name: str, annotation: Any) -> pa.Field:
    kind, is_nullable = take_apart(annotation)
    return pa.field(name, arrow_type(kind), nullable=is_nullable)


def _plain(value: Any) -> Any:
    if isinstance(value, Value):
        return to_record(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def _describe(field: pa.Field, depth: int) -> Iterator[str]:
    kind = field.type
    parts = []
    word = str(kind)
    if pa.types.is_list(kind):
        word, parts = "list", [kind.value_field]
    elif pa.types.is_struct(kind):
        word, parts = "struct", [kind.field(index) for index in range(kind.num_fields)]
    yield f"{'  ' * depth}{field.name}: {word}{'' if field.nullable else ' not null'}"
    for part in parts:
        yield from _describe(part, depth + 1)
