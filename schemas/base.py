"""What all records share: immutability, closedness, and the version of the row layout."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION = 2
"""Version of the row layout; written into every row and every Parquet file."""

Seconds = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
"""A time or a duration in seconds."""

Hertz = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
"""A frequency in hertz."""

Decibels = Annotated[float, Field(allow_inf_nan=False)]
"""A level in decibels relative to full scale (dBFS), unless the field says otherwise."""

Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
"""A fraction from 0 to 1."""

Index = Annotated[int, Field(ge=0)]
"""A 0-based position."""


class Value(BaseModel):
    """Base of every record: frozen, without unknown fields, sequences as tuples."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
