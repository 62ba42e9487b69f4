"""Release a prompt version: write its answer schema and add its hashes to the lock."""

import json
import sys
from pathlib import Path

from ieat.prompts.library import FOLDER, LOCK_FILE, canonical_json, digest


def lock(name: str, version: int, folder: Path = FOLDER, lock_file: Path = LOCK_FILE) -> list[str]:
    """Add every file of a version to the lock and return the ids that were added.

    Raises:
        SystemExit: The version has no files, or is released already with other content.
    """
    found = sorted((folder / name).glob(f"v{version}.*"))
    if not found:
        raise SystemExit(f"there is no {name}/v{version}.*")
    locked: dict[str, str] = (
        json.loads(lock_file.read_text(encoding="utf-8")) if lock_file.exists() else {}
    )
    added = []
    for path in found:
        text = path.read_text(encoding="utf-8")
        if path.name.endswith(".schema.json"):
            text = canonical_json(json.loads(text))
        prompt_id = f"{name}@{version}.{path.name.split('.')[1]}"
        sha256 = digest(text)
        if locked.get(prompt_id, sha256) != sha256:
            raise SystemExit(f"{prompt_id} is released already; add a new version instead")
        if prompt_id not in locked:
            locked[prompt_id] = sha256
            added.append(prompt_id)
    lock_file.write_text(json.dumps(locked, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return added


if __name__ == "__main__":
    sys.stdout.write("\n".join(lock(sys.argv[1], int(sys.argv[2]))) + "\n")
