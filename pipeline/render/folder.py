"""The folder of a rendering: whole or not there."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ieat.pipeline.failures import ConfigError, unwritable

REPORT = "render.json"
"""What a rendering came from; a folder that holds it is a rendering."""


@contextmanager
def new_folder(output: str, *, overwrite: bool) -> Iterator[Path]:
    """Give a folder to write into, and put it in place of `output` when the block ends well.

    Args:
        output: The folder that is wanted. It is local, as trainers read local files.
        overwrite: Whether an earlier rendering may be there; its folder is removed.

    Raises:
        ConfigError: It is a URL, it cannot be written, or something else is there.
    """
    if "://" in output:
        raise ConfigError(f"{output}: trainers read local files; give --output a local folder")
    final = Path(output)
    _refuse_others(final, overwrite=overwrite)
    mark = secrets.token_hex(6)
    new = final.with_name(f"{final.name}.{mark}.tmp")
    try:
        new.mkdir(parents=True)
        try:
            yield new
            if final.exists():
                old = final.with_name(f"{final.name}.{mark}.old")
                os.replace(final, old)
                os.replace(new, final)
                shutil.rmtree(old)
            else:
                os.replace(new, final)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    except OSError as error:
        raise unwritable(output, error) from error


def _refuse_others(final: Path, *, overwrite: bool) -> None:
    if not final.exists():
        return
    if not final.is_dir():
        raise ConfigError(f"{final} is a file; give --output a folder")
    if not any(final.iterdir()):
        return
    if not (final / REPORT).exists():
        raise ConfigError(
            f"{final} holds files that are no rendering; give --output an empty or a new folder"
        )
    if not overwrite:
        raise ConfigError(
            f"{final} holds a rendering already; give another --output, or --overwrite"
        )
