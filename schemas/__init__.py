"""Every record of the pipeline: frozen, closed pydantic models, one sentence a field."""
