"""Bring what is in a PCollection back into a test, through a file: functions are pickled."""

from pathlib import Path

import apache_beam as beam
from pydantic import BaseModel


class Kept:
    """Collects records of one type.

    Args:
        file: A file of the test's own.
        record_type: Type of the records.
    """

    def __init__(self, file: Path, record_type: type[BaseModel]) -> None:
        self._file = file
        self._record_type = record_type

    def keep(self, records: beam.PCollection) -> None:
        records | f"Keep {self._file.name}" >> beam.Map(_append, str(self._file))

    def all(self) -> list:
        if not self._file.exists():
            return []
        lines = self._file.read_text(encoding="utf-8").splitlines()
        return [self._record_type.model_validate_json(line) for line in lines]


def _append(record: BaseModel, file: str) -> None:
    with Path(file).open("a", encoding="utf-8") as out:
        out.write(record.model_dump_json() + "\n")
