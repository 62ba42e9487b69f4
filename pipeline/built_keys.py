"""Which stored answers a finished build rests on."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ieat.pipeline.failures import ConfigError
from ieat.pipeline.output.files import BuildFolder
from ieat.schemas.rows import TABLES

KEY_FIELDS = ("response_key", "response_keys")


def keys_of_build(out: str) -> set[str]:
    """Return the keys of all answers behind the rows of a build, dead letters included.

    Raises:
        ConfigError: The folder holds no tables of a build.
    """
    folder = BuildFolder(out)
    files = [
        name
        for name in folder.names()
        if name.split("/")[0] in TABLES and name.endswith(".parquet")
    ]
    if not files:
        raise ConfigError(f"{out} holds no tables of a build; name the folder given as --output")
    found: set[str] = set()
    for name in files:
        with folder.files.open(folder.path(name), "rb") as stream:
            file = pq.ParquetFile(stream)
            columns = [
                column.name for column in file.schema_arrow if _holds_keys(column.name, column.type)
            ]
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=columns)
                for column in columns:
                    for value in table[column].to_pylist():
                        found.update(_keys_in(value, column))
    return found


def _holds_keys(name: str, kind: pa.DataType) -> bool:
    """Tell whether keys stand anywhere within a column, without reading clips for it."""
    if name in KEY_FIELDS:
        return True
    if pa.types.is_list(kind):
        return _holds_keys("", kind.value_type)
    if pa.types.is_struct(kind):
        return any(_holds_keys(kind.field(at).name, kind.field(at).type)
                   for at in range(kind.num_fields))  # fmt: skip
    return False


def _keys_in(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _keys_in(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from _keys_in(part, name)
    elif isinstance(value, str) and name in KEY_FIELDS:
        yield value
