"""Which stored answers are asked again: those behind the failures of an earlier run."""

from collections.abc import Collection, Iterator

import pyarrow.parquet as pq

from ieat.pipeline.codes import CODES
from ieat.pipeline.failures import ConfigError
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.sink import DEAD_LETTERS


def keys_to_retry(out: str, codes: Collection[str]) -> frozenset[str]:
    """Return the keys of the answers that ended with the given codes in a build.

    Args:
        out: Folder or fsspec URL of the build.
        codes: Codes of failures, as docs/codes.md lists them.

    Raises:
        ConfigError: A code is unknown, or the build has no dead letters to look into.
    """
    if not codes:
        return frozenset()
    unknown = sorted(set(codes) - set(CODES))
    if unknown:
        raise ConfigError(f"--retry {unknown[0]}: there is no such code; docs/codes.md lists them")
    folder = BuildFolder(out)
    files = [
        name
        for name in folder.names()
        if name.startswith(f"{DEAD_LETTERS}/") and name.endswith(".parquet")
    ]
    if not files:
        raise ConfigError(f"--retry: {out} holds no dead letters of an earlier run")
    return frozenset(key for name in files for key in _keys(folder, name, set(codes)))


def _keys(folder: BuildFolder, name: str, codes: set[str]) -> Iterator[str]:
    with folder.files.open(folder.path(name), "rb") as stream:
        table = pq.read_table(stream, columns=["code", "response_keys"])
    for code, keys in zip(
        table["code"].to_pylist(), table["response_keys"].to_pylist(), strict=True
    ):
        if code in codes:
            yield from keys
