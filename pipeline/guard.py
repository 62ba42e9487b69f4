"""Fingerprints of test sets, and what of them stands in a dialogue; holds no text of theirs."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import fsspec
import pyarrow as pa
from pydantic import Field, ValidationError

from ieat.pipeline.failures import ConfigError, RecordError
from ieat.pipeline.fingerprints import (
    NORMALIZATION,
    has_length,
    hash_grams,
    hash_sound,
    hash_words,
    words_of,
)
from ieat.pipeline.ports import Samples
from ieat.schemas.base import Index, Value

FORMAT = "ieat guard"
VERSION = 1

COMPRESSED = ".zst"
"""Ending of a compressed guard."""

TEXT = (8, 12)
"""Least words, or Chinese characters, of a text that counts when it is said as a whole. Of 7,816
comments of GoEmotions' dev and test splits with 8 words or more 3 stand among the 43,410 of train,
a proverb and thanks; of 1,633 with 5 to 7 words 15 do."""

QUESTION = (5, 8)
"""The same for the questions of a test set (columns `query`, `question`): these are short, and
rarely asked by chance."""


class Match(NamedTuple):
    """What of a test set was found."""

    kind: str
    """What is alike: the whole text, a stretch of it, or the sound."""
    set_name: str
    """The test set."""
    item_id: str
    """The item in it."""

    def __str__(self) -> str:
        return f"{self.kind} of {self.set_name}: {self.item_id}"


class GuardSet(Value):
    """A test set as it was read."""

    name: str
    """Its name."""
    files: Index
    """Files that were read."""
    items: Index
    """Rows, lines and sounds of their own."""
    texts: Index
    """Texts that were long enough to count."""
    short: Index
    """Texts that were too short to count."""
    sounds: Index
    """Sounds that were hashed."""
    missing: Index
    """Sounds that are named but not there or not to be decoded."""


class GuardFile(Value):
    """The file of fingerprints; hashes point into `items`."""

    format: str = FORMAT
    """What the file is."""
    version: int = VERSION
    """Version of its form."""
    normalization: int = NORMALIZATION
    """Version of how words and sound are normalized and hashed."""
    sets: tuple[GuardSet, ...]
    """The test sets."""
    items: tuple[tuple[Index, str], ...]
    """Every item: its set, 0-based, and its id."""
    texts: dict[str, Index] = Field(default_factory=dict)
    """Whole texts: hash of the words to item."""
    grams: dict[str, Index] = Field(default_factory=dict)
    """Stretches of 13 words or 20 characters: hash to item."""
    sounds: dict[str, Index] = Field(default_factory=dict)
    """Sounds: hash of the samples at 16 kHz to item."""


class Guard:
    """Looks up words and sound.

    Args:
        file: The fingerprints.
    """

    def __init__(self, file: GuardFile) -> None:
        self.file = file

    @property
    def has_sounds(self) -> bool:
        """Whether there is any sound to compare with."""
        return bool(self.file.sounds)

    def find_text(self, words: tuple[str, ...]) -> Match | None:
        """Return the item whose whole text the words are, or which shares a stretch with them."""
        if has_length(words, *QUESTION):
            item = self.file.texts.get(hash_words(words))
            if item is not None:
                return self._match("the text", item)
        return self.find_stretch(words)

    def find_stretch(self, words: tuple[str, ...]) -> Match | None:
        """Return the item that shares 13 words or 20 characters in a row with the words."""
        for gram in hash_grams(words):
            item = self.file.grams.get(gram)
            if item is not None:
                return self._match("a stretch", item)
        return None

    def find_sound(self, samples: Samples) -> Match | None:
        """Return the item that is the same sound, sample by sample at 16 kHz."""
        item = self.file.sounds.get(hash_sound(samples))
        return None if item is None else self._match("the sound", item)

    def _match(self, kind: str, item: int) -> Match:
        number, item_id = self.file.items[item]
        return Match(kind, self.file.sets[number].name, item_id)


def find_in_talk(guard: Guard, said: Iterable[tuple[str, str]]) -> tuple[str, Match] | None:
    """Look for what somebody says, turn by turn and over all their turns.

    Args:
        guard: The fingerprints.
        said: Speaker and words of every turn, in order.

    Returns:
        Where it is said, and the match; null where nothing is found.
    """
    spoken: dict[str, list[str]] = {}
    for number, (speaker, text) in enumerate(said):
        words = words_of(text)
        match = guard.find_text(words)
        if match is not None:
            return f"turn {number}", match
        spoken.setdefault(speaker, []).extend(words)
    for speaker, all_words in spoken.items():
        match = guard.find_text(tuple(all_words))
        if match is not None:
            return f"the turns of {speaker}", match
    return None


def contaminated(where: str, match: Match) -> RecordError:
    """Return the failure of what stands in a test set."""
    return RecordError(
        "contaminated",
        f"{where} has {match}; leave it out, or take that set out of the guard if it is none of "
        "your test sets",
    )


def read_guard(place: str) -> Guard:
    """Return the guard of a file, read once a process.

    Raises:
        ConfigError: It cannot be read, or is of another version.
    """
    return Guard(_parse(place, _read(place)))


def hash_guard(place: str) -> str:
    """Return the SHA-256 of a guard, compressed or not, which is part of what makes a build.

    Raises:
        ConfigError: It cannot be read.
    """
    return hashlib.sha256(_read(place)).hexdigest()


def write_guard(place: Path, file: GuardFile) -> None:
    """Write a guard, compressed by zstd where the name ends so; equal guards are equal bytes.

    Raises:
        ConfigError: The file cannot be written.
    """
    text = json.dumps(file.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
    content = f"{text}\n".encode("utf-8", "surrogatepass")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(_compress(content) if place.suffix == COMPRESSED else content)
    except OSError as error:
        raise ConfigError(f"cannot write {place}: {error.strerror}") from error


def _compress(content: bytes) -> bytes:
    with pa.BufferOutputStream() as plain:
        with pa.CompressedOutputStream(plain, "zstd") as stream:
            stream.write(content)
        return bytes(plain.getvalue())


def _read(place: str) -> bytes:
    try:
        with fsspec.open(place, "rb") as stream:
            content = bytes(stream.read())
        if place.endswith(COMPRESSED):
            content = bytes(pa.CompressedInputStream(pa.BufferReader(content), "zstd").read())
    except (OSError, ValueError, ImportError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ConfigError(
            f"cannot read the guard {place}: {reason}; `ieat guard build` makes one"
        ) from error
    return content


def _parse(place: str, content: bytes) -> GuardFile:
    try:
        found = GuardFile.model_validate_json(content)
    except ValidationError as error:
        raise ConfigError(
            f"{place} is no file of `ieat guard build`; give the guard one"
        ) from error
    if (found.format, found.version, found.normalization) != (FORMAT, VERSION, NORMALIZATION):
        raise ConfigError(
            f"{place} was made by another version, whose hashes differ; build it again"
        )
    return found
