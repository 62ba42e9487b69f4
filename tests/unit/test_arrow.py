"""The Arrow schema follows the row models, and rows come back from records unchanged."""

from enum import Enum
from typing import Literal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ieat.schemas.arrow import (
    arrow_schema,
    describe_schema,
    from_record,
    item_of,
    take_apart,
    to_record,
)
from ieat.schemas.base import Value
from ieat.schemas.rows import TABLES, Stage1Row, Stage2Row


class Mood(str, Enum):
    GOOD = "good"


class Part(Value):
    name: str
    blob: bytes | None


class Whole(Value):
    word: Literal["a", "b"]
    mood: Mood | None
    count: int
    share: float | None
    is_it: bool
    parts: tuple[Part, ...]
    best: Part | None
    numbers: tuple[int, ...]


class Loose(Value):
    anything: dict[str, str]


def rows_of(table: str) -> st.SearchStrategy[Value]:
    row_type = TABLES[table]
    fields = {name: _values(field.annotation) for name, field in row_type.model_fields.items()}
    return st.builds(row_type, **fields)


def _values(annotation: object) -> st.SearchStrategy[object]:
    """Draw small values: short words, few items, floats that mean themselves."""
    kind, is_nullable = take_apart(annotation)
    item = item_of(kind)
    if item is not None:
        found: st.SearchStrategy[object] = st.lists(_values(item), max_size=2).map(tuple)
    elif isinstance(kind, type) and issubclass(kind, Value):
        found = st.builds(
            kind, **{name: _values(part.annotation) for name, part in kind.model_fields.items()}
        )
    elif kind is str:
        found = st.text(st.characters(exclude_categories=("Cs",)), max_size=4)
    elif kind is int:
        found = st.integers(0, 2**62)
    elif kind is float:
        found = st.floats(0.5, 1.0)
    elif kind is bytes:
        found = st.binary(max_size=4)
    else:
        found = st.from_type(kind)
    return st.one_of(st.none(), found) if is_nullable else found


@pytest.mark.parametrize("table", TABLES)
def test_arrow_names_equal_model_fields(table: str) -> None:
    assert arrow_schema(TABLES[table]).names == list(TABLES[table].model_fields)


def test_types_and_nulls_follow_the_model() -> None:
    assert describe_schema(arrow_schema(Whole)) == (
        "word: string not null\n"
        "mood: string\n"
        "count: int64 not null\n"
        "share: double\n"
        "is_it: bool not null\n"
        "parts: list not null\n"
        "  item: struct not null\n"
        "    name: string not null\n"
        "    blob: binary\n"
        "best: struct\n"
        "  name: string not null\n"
        "  blob: binary\n"
        "numbers: list not null\n"
        "  item: int64 not null\n"
    )


def test_a_field_without_place_in_a_row_is_refused() -> None:
    with pytest.raises(TypeError, match=r"dict.* has no Arrow type"):
        arrow_schema(Loose)


def test_enums_become_words_and_tuples_lists() -> None:
    row = Whole(
        word="a",
        mood=Mood.GOOD,
        count=1,
        share=None,
        is_it=True,
        parts=(Part(name="x", blob=b"\x00\xff"),),
        best=None,
        numbers=(1, 2),
    )
    record = to_record(row)
    assert record == {
        "word": "a",
        "mood": "good",
        "count": 1,
        "share": None,
        "is_it": True,
        "parts": [{"name": "x", "blob": b"\x00\xff"}],
        "best": None,
        "numbers": [1, 2],
    }
    assert type(record["mood"]) is str
    assert from_record(Whole, record) == row


def test_a_record_without_a_column_is_refused_even_if_the_model_has_a_default() -> None:
    with pytest.raises(ValueError, match="Stage1Row lacks the columns"):
        from_record(Stage1Row, {"row_id": "c/d/000/stage1"})


@pytest.mark.parametrize("table", TABLES)
@given(data=st.data())
@settings(
    max_examples=15,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_rows_come_back_from_arrow_unchanged(table: str, data: st.DataObject) -> None:
    row_type = TABLES[table]
    row = data.draw(rows_of(table))
    written = pa.Table.from_pylist([to_record(row)], schema=arrow_schema(row_type))
    written.validate(full=True)
    assert from_record(row_type, written.to_pylist()[0]) == row


def test_stage2_clips_have_the_form_of_hugging_face() -> None:
    audios = arrow_schema(Stage2Row).field("audios").type.value_type
    assert [(field.name, field.type) for field in audios] == [
        ("bytes", pa.binary()),
        ("path", pa.string()),
    ]
