"""The layout `folder`: a subfolder a dialogue, an audio file a turn."""

import re
from collections.abc import Iterator
from functools import cached_property

from ieat.pipeline.config import InputSettings
from ieat.pipeline.corpora.naming import build_dialogue, check_id, name_corpus, require_language
from ieat.pipeline.corpora.places import (
    Place,
    find_place,
    list_folder,
    read_place,
    refuse_empty,
)
from ieat.pipeline.failures import BadInput, ConfigError
from ieat.schemas.audio import AudioSpan
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.records import SourceUnit

GROUPS = frozenset({"index", "speaker"})
"""What the pattern must find in a file's name."""


class FolderCorpus:
    """Reads folders of files such as `turn03_joe.mp3`, words beside each as `turn03_joe.txt`."""

    def __init__(self, settings: InputSettings, input_index: int) -> None:
        self._settings = settings
        self._input_index = input_index
        self._language = require_language(settings)
        try:
            self._pattern = re.compile(settings.folder.pattern)
        except re.error as error:
            raise ConfigError(f"folder.pattern is no regular expression: {error}") from error
        if missing := GROUPS - set(self._pattern.groupindex):
            raise ConfigError(
                f"folder.pattern lacks the group {min(missing)}; write (?P<{min(missing)}>...)"
            )

    @cached_property
    def _root(self) -> Place:
        return find_place(self._settings.path)

    def units(self) -> Iterator[SourceUnit]:
        """Yield one unit a subfolder, in natural order."""
        place = self._root
        if not place.is_folder:
            raise ConfigError(f"{place.uri} is no folder; the layout `folder` needs one")
        return refuse_empty(
            (
                SourceUnit(input_index=self._input_index, source=found.uri, uri=found.uri)
                for found in list_folder(place.uri)
                if found.is_folder
            ),
            f"{place.uri} holds no subfolder; looked for one a dialogue, with an audio file a turn",
        )

    def read(self, unit: SourceUnit) -> Dialogue:
        """Put the audio files of a folder in order; other files are left alone."""
        place = find_place(unit.uri)
        files = list_folder(unit.uri)
        words = {file.stem: file for file in files if file.name.lower().endswith(".txt")}
        found = sorted(
            (self._parse(file, unit.source) for file in files if file.is_audio),
            key=lambda parsed: parsed[0],
        )
        if not found:
            raise BadInput(
                "no_audio", f"{unit.source}: no audio file; remove the folder or fill it"
            )
        numbers = [number for number, _, _ in found]
        for number in set(numbers):
            if numbers.count(number) > 1:
                names = ", ".join(file.name for index, _, file in found if index == number)
                raise BadInput(
                    "duplicate_turn", f"{unit.source}: turn {number} stands twice: {names}"
                )
        gap = numbers != list(range(numbers[0], numbers[0] + len(numbers)))
        return build_dialogue(
            {
                "corpus": name_corpus(self._settings, self._root),
                "name": check_id(place.name, unit.source),
                "language": self._language,
                "split": self._settings.split,
                "license": self._settings.license,
                "source": unit.source,
                "turns": tuple(
                    {
                        "index": index,
                        "source_turn_id": check_id(file.stem, unit.source),
                        "speaker": speaker,
                        "audio": AudioSpan(uri=file.uri),
                        "text": _read_words(words.get(file.stem)),
                    }
                    for index, (_, speaker, file) in enumerate(found)
                ),
                "flags": ("missing_turns",) if gap else (),
            },
            unit.source,
        )

    def _parse(self, file: Place, source: str) -> tuple[int, str, Place]:
        matched = self._pattern.fullmatch(file.stem)
        if matched is None or not (matched["index"] or "").isdecimal():
            raise BadInput(
                "file_name",
                f"{source}: the name {file.name!r} does not fit the pattern "
                f"{self._pattern.pattern}; rename it, move it away, or set folder.pattern",
            )
        speaker = (matched["speaker"] or "").strip(" _-")
        if not speaker:
            raise BadInput(
                "file_name",
                f"{source}: no speaker in the name {file.name!r}; name it like turn03_joe.mp3",
            )
        return int(matched["index"]), check_id(speaker, source), file


def _read_words(file: Place | None) -> str | None:
    if file is None:
        return None
    try:
        return read_place(file.uri).decode("utf-8-sig").strip() or None
    except UnicodeDecodeError as error:
        raise BadInput("not_utf8", f"{file.uri}: not UTF-8; write it again as UTF-8") from error
