"""Read test sets as people have them: rows of JSON or Parquet, lines of text, files of sound.

Nothing is known of their columns but their names: what is called text, query, answer and the like
is text, what names a file of sound or holds its bytes is sound.
"""

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ieat.pipeline.audio.decode import decode_span
from ieat.pipeline.corpora.humdial_files import find_audio
from ieat.pipeline.corpora.lines import find_lines, parse_line
from ieat.pipeline.corpora.places import AUDIO_NAME, Place, find_place, open_place, read_place, walk
from ieat.pipeline.failures import BadAudio, BadInput, ConfigError
from ieat.pipeline.fingerprints import has_length, hash_grams, hash_sound, hash_words, words_of
from ieat.pipeline.guard import QUESTION, TEXT, GuardFile, GuardSet
from ieat.schemas.audio import AudioSpan

TEXT_KEY = re.compile(
    r"(?P<family>(?:\w+_)?(?:text|txt|query|question|answer|sentence|transcript|transcription"
    r"|utterance|content|words))_?\d*",
    re.IGNORECASE,
)
"""Names of columns that hold words: HumDial's (text, input_text, response_text, response_txt),
TELEVAL's (query, answer, user_text1, bot_text1) and what others use."""

QUESTIONS = ("query", "question")
"""Ends of the names of columns that hold questions."""

ANSWER = re.compile(r"(response|answer|bot|assistant|reply|output|target)_?", re.IGNORECASE)
"""Starts of the names of columns, or of speakers, that hold answers."""

MOST_ITEMS = 2
"""Items that may have one answer: what stands in more is a phrase, which says nothing of any."""

ID_KEYS = ("dialogue_id", "key", "id", "utt_id", "uid", "sample_id")
"""Names of columns that hold the id of a row, in this order."""

TUPLE = "__tuple__"
"""Mark of answers that TELEVAL writes as JSON within text."""

BATCH_ROWS = 64
"""Rows of Parquet that are in memory at a time."""


class _Said(NamedTuple):
    """A text of a row."""

    family: str
    """Name of its column without its number, and who says it: texts of one family are one talk."""
    is_question: bool
    """Whether its column is one of questions."""
    is_answer: bool
    """Whether its column or its speaker is one of answers."""
    text: str


class _Heard(NamedTuple):
    """A sound of a row."""

    content: bytes | None
    """The file itself; null for a file that is named, or looked for."""
    name: str | None
    """Name of the file; null where the place of the turn says it."""
    turn_id: str
    is_response: bool


class _Row:
    """What is found in a row."""

    def __init__(self, item_id: str) -> None:
        self.item_id = item_id
        self.said: list[_Said] = []
        self.heard: list[_Heard] = []

    def gather(self, value: Any, key: str = "", speaker: str = "", turn_id: str = "1") -> None:
        """Take texts and sounds out of a value, whatever it is nested in."""
        if isinstance(value, dict):
            self._gather_fields(value, speaker, turn_id)
        elif isinstance(value, list | tuple):
            for number, part in enumerate(value, start=1):
                own = part.get("turn_id", number) if isinstance(part, dict) else turn_id
                self.gather(part, key, speaker, str(own))
        elif isinstance(value, str) and value.strip():
            if AUDIO_NAME.fullmatch(value.rpartition("/")[2]):
                self.heard.append(_Heard(None, value, turn_id, "response" in key.lower()))
            elif named := TEXT_KEY.fullmatch(key):
                self._gather_text(value, named["family"].lower(), key, speaker)

    def _gather_fields(self, value: dict[str, Any], speaker: str, turn_id: str) -> None:
        if isinstance(value.get("bytes"), bytes):
            self.heard.append(_Heard(value["bytes"], None, turn_id, is_response=False))
            return
        given = value.get("speaker") or value.get("role")
        speaker = given if isinstance(given, str) else speaker
        num_heard = len(self.heard)
        for key, part in value.items():
            self.gather(part, key, speaker, turn_id)
        if "turn_id" in value and len(self.heard) == num_heard:
            self.heard.append(_Heard(None, None, turn_id, is_response=False))

    def _gather_text(self, text: str, family: str, key: str, speaker: str) -> None:
        if TUPLE in text:
            # TELEVAL writes answers with several parts as JSON within the text.
            try:
                inner = json.loads(text)
            except ValueError:
                inner = None
            if isinstance(inner, dict | list):
                parts = inner.get("items", []) if isinstance(inner, dict) else inner
                for part in parts:
                    items = part.get("items", []) if isinstance(part, dict) else part
                    self.gather(items, key, speaker)
                return
        is_answer = any(ANSWER.match(name) for name in (family, speaker))
        is_question = family.endswith(QUESTIONS) and not is_answer
        self.said.append(_Said(f"{family} {speaker}", is_question, is_answer, text))


class _Hashes:
    """Hashes with the first item that has each; those of answers with how many items do."""

    def __init__(self) -> None:
        self._items: dict[str, int] = {}
        self._answers: dict[str, tuple[int, int, int]] = {}

    def add(self, digest: str, item: int, *, is_answer: bool) -> None:
        if not is_answer:
            self._items.setdefault(digest, item)
            return
        first, last, count = self._answers.get(digest, (item, -1, 0))
        self._answers[digest] = (first, item, count + (item != last))

    def kept(self) -> dict[str, int]:
        """Return all hashes but those of answers that too many items have."""
        answers = {
            digest: first
            for digest, (first, _, count) in self._answers.items()
            if count <= MOST_ITEMS
        }
        return answers | self._items


class GuardBuilder:
    """Gathers the fingerprints of test sets."""

    def __init__(self) -> None:
        self._sets: list[GuardSet] = []
        self._items: list[tuple[int, str]] = []
        self._texts = _Hashes()
        self._grams = _Hashes()
        self._sounds: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._known: set[str] = set()

    def add(self, name: str, path: str) -> GuardSet:
        """Read a file, or all files in a folder that hold rows, text or sound.

        Raises:
            ConfigError: There is nothing to read, or a file is broken.
        """
        self._counts = dict.fromkeys(GuardSet.model_fields, 0)
        self._known = set()
        before = len(self._items)
        root = find_place(path)
        try:
            for place in walk(root.uri) if root.is_folder else [root]:
                self._add_file(place, root)
        except BadInput as error:
            raise ConfigError(error.message) from error
        counts = {
            key: self._counts[key] for key in ("files", "texts", "short", "sounds", "missing")
        }
        found = GuardSet(name=name, items=len(self._items) - before, **counts)
        if not found.items:
            raise ConfigError(
                f"{path} holds no text and no sound; looked for .jsonl, .json, .parquet, .txt and "
                "audio files, and in rows for columns such as text, query, answer and audio"
            )
        self._sets.append(found)
        return found

    def file(self) -> GuardFile:
        """Return what was gathered."""
        return GuardFile(
            sets=tuple(self._sets),
            items=tuple(self._items),
            texts=self._texts.kept(),
            grams=self._grams.kept(),
            sounds=self._sounds,
        )

    def _add_file(self, place: Place, root: Place) -> None:
        name = place.name.lower()
        shown = place.uri.removeprefix(root.uri).lstrip("/\\") or place.name
        if place.is_audio:
            self._counts["files"] += 1
            self._add_sound(place.uri, shown)
            return
        readers = {
            ".jsonl": _json_lines,
            ".json": _json_file,
            ".parquet": _parquet,
            ".txt": _text_lines,
        }
        read = next((found for end, found in readers.items() if name.endswith(end)), None)
        if read is None:
            return
        self._counts["files"] += 1
        for row in read(place.uri):
            self._add_row(row, place)

    def _add_row(self, row: _Row, place: Place) -> None:
        item = self._item(row.item_id)
        families: dict[tuple[str, bool], list[str]] = {}
        for said in row.said:
            words = words_of(said.text)
            least = QUESTION if said.is_question else TEXT
            is_long = has_length(words, *least)
            if is_long:
                self._texts.add(hash_words(words), item, is_answer=said.is_answer)
            if words:
                self._counts["texts" if is_long else "short"] += 1
            families.setdefault((said.family, said.is_answer), []).extend(words)
        for (_, is_answer), talk in families.items():
            if has_length(talk, *TEXT):
                self._texts.add(hash_words(talk), item, is_answer=is_answer)
            for gram in hash_grams(talk):
                self._grams.add(gram, item, is_answer=is_answer)
        for heard in row.heard:
            self._add_heard(heard, row.item_id, place, item)

    def _item(self, item_id: str) -> int:
        self._items.append((len(self._sets), item_id))
        return len(self._items) - 1

    def _add_heard(self, heard: _Heard, item_id: str, place: Place, item: int) -> None:
        if heard.content is not None:
            with tempfile.TemporaryDirectory(prefix="ieat-") as folder:
                file = Path(folder, "sound")
                file.write_bytes(heard.content)
                self._counts["missing"] += not self._hash_file(str(file), item)
            return
        uri, _ = find_audio(
            place.uri, item_id, heard.turn_id, heard.name, is_response=heard.is_response
        )
        is_there = uri is not None and (uri in self._known or self._hash_file(uri, item))
        # Not every row has sound: one that names none misses none.
        self._counts["missing"] += heard.name is not None and not is_there

    def _add_sound(self, uri: str, shown: str) -> None:
        if uri not in self._known and not self._hash_file(uri, self._item(shown)):
            self._counts["missing"] += 1

    def _hash_file(self, uri: str, item: int) -> bool:
        """Hash the sound of a file; tells whether it could be decoded."""
        try:
            samples = decode_span(AudioSpan(uri=uri))
        except BadAudio:
            return False
        self._known.add(uri)
        self._sounds.setdefault(hash_sound(samples), item)
        self._counts["sounds"] += 1
        return True


def _json_lines(uri: str) -> Iterator[_Row]:
    for unit in find_lines(uri, 0):
        yield _row_of(parse_line(unit), unit.source)


def _json_file(uri: str) -> Iterator[_Row]:
    try:
        value = json.loads(read_place(uri).decode("utf-8-sig"))
    except ValueError as error:
        raise BadInput("broken_json", f"{uri}: {error}; give valid JSON") from error
    for number, row in enumerate(value if isinstance(value, list) else [value], start=1):
        yield _row_of(row, f"{uri}:{number}")


def _parquet(uri: str) -> Iterator[_Row]:
    number = 0
    try:
        with open_place(uri) as stream, pq.ParquetFile(stream) as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield _row_of(row, f"{uri}:{number}")
    except pa.ArrowException as error:
        raise ConfigError(f"{uri}: is no Parquet file ({error})") from error


def _text_lines(uri: str) -> Iterator[_Row]:
    try:
        lines = read_place(uri).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BadInput("not_utf8", f"{uri}: not UTF-8; write it again as UTF-8") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            row = _Row(f"{PurePosixPath(uri).name}:{number}")
            row.gather(line, "text")
            yield row


def _row_of(value: Any, source: str) -> _Row:
    if not isinstance(value, dict):
        raise BadInput("broken_json", f"{source}: this is no JSON object")
    given = next((value[key] for key in ID_KEYS if value.get(key) not in (None, "")), None)
    row = _Row(PurePosixPath(source).name if given is None else str(given))
    row.gather(value)
    return row
