"""Answers of a store as one portable file: JSON lines, compressed by zstd.

The first line says what the file is; each further line holds one answer with its SHA-256 and the
dialogues that use it, sorted by key, so that equal stores give equal bytes.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa

from ieat.pipeline.failures import ConfigError
from ieat.pipeline.ports import SealedAnswer, StoreUpkeep
from ieat.pipeline.store.seal import BrokenAnswer, check_seal, sha256_of

FORMAT = "ieat answers"
VERSION = 1


class Exported(NamedTuple):
    """What was written."""

    num_answers: int
    num_broken: int
    """Answers that are not as they were stored, and were left out."""


class Imported(NamedTuple):
    """What was read."""

    num_new: int
    num_known: int
    """Answers that the store had already; its own stay."""


def export_answers(store: StoreUpkeep, file: Path, keys: Set[str] | None = None) -> Exported:
    """Write answers to a file.

    Args:
        store: Where they lie.
        file: The file to write; replaced when it is there.
        keys: The answers to write; null writes all.

    Raises:
        ConfigError: The file cannot be written.
    """
    users: dict[str, list[str]] = defaultdict(list)
    for dialogue_id, key in store.uses():
        users[key].append(dialogue_id)
    num_answers, num_broken = 0, 0
    with (
        _mending(file, "write"),
        pa.OSFile(str(file), "wb") as plain,
        pa.CompressedOutputStream(plain, "zstd") as stream,
    ):
        _write_line(stream, {"format": FORMAT, "version": VERSION})
        for sealed in store.answers():
            if keys is not None and sealed.key not in keys:
                continue
            try:
                check_seal(sealed)
            except BrokenAnswer:
                num_broken += 1
                continue
            num_answers += 1
            _write_line(
                stream,
                {
                    "stored": sealed.text,
                    "sha256": sealed.sha256 or sha256_of(sealed.text),
                    "dialogues": sorted(users[sealed.key]),
                },
            )
        _write_line(stream, {"answers": num_answers})
    return Exported(num_answers, num_broken)


async def import_answers(store: StoreUpkeep, file: Path) -> Imported:
    """Take over the answers of a file; those that the store has stay as they are.

    Raises:
        ConfigError: The file is no export, or is cut or changed; nothing of it is taken over.
    """
    # Read twice: a file that is broken at its end must not be taken over in part.
    for _ in read_export(file):
        pass
    num_new, num_known = 0, 0
    for sealed, dialogues in read_export(file):
        stored = check_seal(sealed)
        if store.contains([sealed.key]):
            num_known += 1
        else:
            num_new += 1
            await store.put(stored, dialogues[0] if dialogues else "")
        for dialogue_id in dialogues:
            store.note(sealed.key, dialogue_id)
    return Imported(num_new, num_known)


def read_export(file: Path) -> Iterator[tuple[SealedAnswer, list[str]]]:
    """Yield each answer of a file with the dialogues that use it.

    Raises:
        ConfigError: The file is no export, or is cut or changed; names the line.
    """
    number = 0
    with (
        _mending(file, "read"),
        pa.OSFile(str(file), "rb") as plain,
        pa.CompressedInputStream(plain, "zstd") as stream,
    ):
        lines = (json.loads(line) for line in _lines(stream))
        told = next(lines, None)
        if not isinstance(told, dict) or told.get("format") != FORMAT:
            raise ConfigError(f"{file} is no export of a response store")
        if told.get("version") != VERSION:
            raise ConfigError(
                f"{file} has version {told.get('version')}, this ieat reads version {VERSION}"
            )
        for line in lines:
            if "answers" in line:
                if line["answers"] != number:
                    raise ConfigError(f"{file} lacks answers: {number} of {line['answers']}")
                return
            number += 1
            yield _answer_of(line, f"{file}, answer {number}"), line["dialogues"]
    raise ConfigError(f"{file} is cut after answer {number}; get it again")


def _answer_of(line: dict[str, Any], place: str) -> SealedAnswer:
    text = line["stored"]
    sealed = SealedAnswer(json.loads(text)["key"], text, line["sha256"])
    try:
        check_seal(sealed)
    except BrokenAnswer as problem:
        raise ConfigError(f"{place} {problem}; get the file again") from None
    return sealed


@contextmanager
def _mending(file: Path, verb: str) -> Iterator[None]:
    """Turn what the libraries raise about a file into one line."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        said = " ".join(str(error).split())[:200]
        raise ConfigError(f"cannot {verb} {file}: {said}") from None


def _write_line(stream: IO[bytes], line: dict[str, Any]) -> None:
    stream.write((json.dumps(line, sort_keys=True, ensure_ascii=True) + "\n").encode())


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while block := stream.read(1 << 20):
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
    if rest:
        yield rest
