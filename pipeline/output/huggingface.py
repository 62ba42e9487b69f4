"""The features of a table as Hugging Face's `datasets` spells them, in files and on the card."""

import json
from typing import Any

import pyarrow as pa

from ieat.schemas.arrow import arrow_type, item_of, take_apart
from ieat.schemas.base import SCHEMA_VERSION, Value
from ieat.schemas.cells import AudioCell

SAMPLE_RATE = 16_000
"""Rate of the clips in rows, Hz."""

DTYPES = {
    pa.string(): "string",
    pa.int64(): "int64",
    pa.float64(): "float64",
    pa.bool_(): "bool",
    pa.binary(): "binary",
}
"""Name of each scalar type in `datasets`."""


def features(row_type: type[Value]) -> dict[str, Any]:
    """Return the features of a row model as `datasets.Features.to_dict` gives them.

    A list is spelled as a JSON list: versions before 4 and from 4 on both read that, while
    each of their own spellings (`Sequence`, `List`) is refused or read otherwise by the other.
    """
    return {
        name: _feature(take_apart(field.annotation)[0])
        for name, field in row_type.model_fields.items()
    }


def features_for_card(row_type: type[Value]) -> list[dict[str, Any]]:
    """Return the features of a row model as the YAML of a card (`dataset_info.features`)."""
    return [
        {"name": name, **_card_type(take_apart(field.annotation)[0])}
        for name, field in row_type.model_fields.items()
    ]


def file_metadata(row_type: type[Value]) -> dict[str, str]:
    """Return the metadata of a table's Parquet files: the features, and the layout's version."""
    info = {"info": {"features": features(row_type)}}
    return {
        "huggingface": json.dumps(info, sort_keys=True, separators=(",", ":")),
        "ieat.schema_version": str(SCHEMA_VERSION),
        "ieat.row_type": row_type.__name__,
    }


def _feature(kind: Any) -> Any:
    item = item_of(kind)
    if item is not None:
        return [_feature(take_apart(item)[0])]
    if kind is AudioCell:
        return {"_type": "Audio", "sampling_rate": SAMPLE_RATE}
    if isinstance(kind, type) and issubclass(kind, Value):
        return features(kind)
    return {"_type": "Value", "dtype": DTYPES[arrow_type(kind)]}


def _card_type(kind: Any) -> dict[str, Any]:
    item = item_of(kind)
    if item is not None:
        inner = _card_type(take_apart(item)[0])
        # A list of structs names the fields at once; a list of anything else names its type.
        return {"list": inner.get("struct", inner.get("dtype", inner))}
    if kind is AudioCell:
        return {"dtype": {"audio": {"sampling_rate": SAMPLE_RATE}}}
    if isinstance(kind, type) and issubclass(kind, Value):
        return {"struct": features_for_card(kind)}
    return {"dtype": DTYPES[arrow_type(kind)]}
