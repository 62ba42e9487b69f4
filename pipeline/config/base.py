"""What all parts of a configuration are."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Base of all configuration: frozen, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
