"""What a build may be made with: commercial services, closed models, closed synthesizers."""

from typing import Literal

from ieat.pipeline.config.base import Settings

Gate = Literal["allow", "refuse"]


class ResourceSettings(Settings):
    """What a build may be made with; what is refused is told before anything is asked."""

    commercial_api: Gate = "allow"
    """Whether an engine may be a commercial service; `refuse` takes known ones by their host, and
    wants `service: own` of every other host that is not in the local network."""
    closed_models: Gate = "allow"
    """Whether models behind endpoints may be closed; `refuse` wants `model_is_open: true` of
    each."""
    closed_synthesizers: Gate = "allow"
    """Whether the speech of an input may come from a closed synthesizer; `refuse` wants
    `synthesizer_is_open: true` of each input that names its `synthesizer`."""
