"""The head of a card: YAML that Hugging Face reads."""

from typing import Any

import yaml

from ieat.pipeline.output.huggingface import features_for_card
from ieat.pipeline.output.sink import DATA_TABLES
from ieat.schemas.build import Manifest
from ieat.schemas.rows import TABLES

TITLE = "Injected emotional-attribution thinking"

FIRST = "stage2"
"""The table that most people come for; it opens first."""

TASKS = ("automatic-speech-recognition", "audio-classification")
"""What the rows are for, in the words of Hugging Face."""


def front_matter(manifest: Manifest, licenses: set[str], languages: list[str]) -> str:
    """Return the YAML.

    Args:
        manifest: The files of the build.
        licenses: Licenses that the corpora state.
        languages: Languages that are spoken.
    """
    # `datasets` before version 4 stops at a split without rows, so those are left out.
    splits = {
        table: [split for split in manifest.splits(table) if manifest.num_rows(table, split)]
        for table in DATA_TABLES
    }
    tables = [table for table in DATA_TABLES if splits[table]]
    tables.sort(key=lambda table: table != FIRST)
    front: dict[str, Any] = {
        "license": "other",
        "license_name": ", ".join(sorted(licenses)) or "unknown",
        "language": sorted(languages),
        "task_categories": list(TASKS),
        "pretty_name": TITLE,
        "configs": [
            {
                "config_name": table,
                "data_files": [
                    {"split": split, "path": f"{table}/{split}-*.parquet"}
                    for split in splits[table]
                ],
                **({"default": True} if table == FIRST else {}),
            }
            for table in tables
        ],
        "dataset_info": [
            {"config_name": table, "features": features_for_card(TABLES[table])} for table in tables
        ],
    }
    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=100)
