"""The Arrow schema of every table: a change of the layout shows in review."""

from collections.abc import Callable

import pytest

from ieat.schemas.arrow import arrow_schema, describe_schema
from ieat.schemas.rows import TABLES


@pytest.mark.parametrize("table", TABLES)
def test_the_schema_of_a_table_is_the_released_one(
    table: str, check_golden: Callable[[str, str], None]
) -> None:
    check_golden(f"{table}.schema.txt", describe_schema(arrow_schema(TABLES[table])))
