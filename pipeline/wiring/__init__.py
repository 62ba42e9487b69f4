"""Engine names of a configuration to engines; the only importer of `engines/`."""

from ieat.pipeline.wiring.asking import limits_folder
from ieat.pipeline.wiring.build import (
    Engines,
    asks_jointly,
    engine_ids,
    engine_opener,
    open_engines,
    open_store,
)
from ieat.pipeline.wiring.judge import JudgeEngines, open_judge

__all__ = [
    "Engines",
    "JudgeEngines",
    "asks_jointly",
    "engine_ids",
    "engine_opener",
    "limits_folder",
    "open_engines",
    "open_judge",
    "open_store",
]
