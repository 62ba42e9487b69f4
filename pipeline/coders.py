"""JSON coder for records: readable, deterministic, and checked on the way in."""

import inspect
from typing import Any

from apache_beam.coders import Coder
from apache_beam.coders.typecoders import registry

from ieat.schemas import build, dialogue, records, rows
from ieat.schemas.base import Value


class RecordCoder(Coder):
    """Encodes records of one type as JSON."""

    def __init__(self, record_type: type[Value]) -> None:
        self._record_type = record_type

    def encode(self, value: Value) -> bytes:
        """Return the record as UTF-8 JSON."""
        return value.model_dump_json().encode()

    def decode(self, encoded: bytes) -> Value:
        """Return the record, validated."""
        return self._record_type.model_validate_json(encoded)

    def is_deterministic(self) -> bool:
        """Equal records have equal bytes."""
        return True

    def to_type_hint(self) -> type[Value]:
        """Return the record type."""
        return self._record_type

    @classmethod
    def from_type_hint(cls, typehint: Any, registry: Any) -> Any:
        """Make the coder of a record type; called by Beam."""
        return cls(typehint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordCoder) and other._record_type is self._record_type

    def __hash__(self) -> int:
        return hash((RecordCoder, self._record_type))


def record_types() -> list[type[Value]]:
    """Return every record type that may cross a shuffle."""
    return [
        found
        for module in (build, dialogue, records, rows)
        for _, found in inspect.getmembers(module, inspect.isclass)
        if issubclass(found, Value) and found is not Value
    ]


def register_coders() -> None:
    """Tell Beam to encode records as JSON."""
    for record_type in record_types():
        registry.register_coder(record_type, RecordCoder)
