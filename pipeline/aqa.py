"""Write the table `aqa` beside the dialogues: questions that are heard, nobody being asked."""

import json
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ieat.pipeline.audio.decode import decode_span
from ieat.pipeline.audio.examine import examine
from ieat.pipeline.config import AqaSettings
from ieat.pipeline.corpora.aqa import RawQuestion, find_questions, name_questions, read_question
from ieat.pipeline.corpora.naming import check_id
from ieat.pipeline.failures import BadInput, RecordError
from ieat.pipeline.guard import Guard, contaminated, find_in_talk
from ieat.pipeline.output.aqa_rows import aqa_row, is_held_out
from ieat.pipeline.output.books import Entry, entries_of_letter, entries_of_rows
from ieat.pipeline.output.clips import read_clip
from ieat.pipeline.output.closing import Beside
from ieat.pipeline.output.row_checks import find_in_sound
from ieat.pipeline.output.sink import DEAD_LETTERS, SinkSettings, shard_key, shard_of, write_rows
from ieat.pipeline.run_state import RunState
from ieat.schemas.aqa_rows import AqaRow
from ieat.schemas.audio import AudioSpan, Sound
from ieat.schemas.build import ShardFile
from ieat.schemas.cells import SpanCell
from ieat.schemas.rows import DeadLetterRow
from ieat.schemas.spoken_question import SpokenQuestion

TABLE = "aqa"
STAGE = "aqa"
"""Name of this part of a build among the stages of dead letters; also their split."""

AT_ONCE = 256
"""Questions that are looked at together."""


class _LeftOut(NamedTuple):
    """How a question ends that is neither written nor failed."""

    end: Literal["filtered", "not_reached"]
    code: str


@dataclass
class _Gathered:
    """What became of the questions so far."""

    rows: dict[str, list[AqaRow]] = field(default_factory=dict)
    """Rows by their ids: an id that stands twice has several."""
    letters: list[DeadLetterRow] = field(default_factory=list)
    """What failed."""
    entries: list[Entry] = field(default_factory=list)
    """The books, in which every question that was reached is written until a letter moves it."""


def write_questions(
    settings: AqaSettings, sink: SinkSettings, state: RunState, guard: Guard | None = None
) -> Beside:
    """Write the questions of a file as rows; those that cannot be used become dead letters.

    Args:
        settings: The file.
        sink: Where and how to write.
        state: Tells when to stop, and what was withdrawn.
        guard: Keeps test sets out; null where none is configured.

    Returns:
        The files and their lines of the books.

    Raises:
        ConfigError: The file is gone.
    """
    gathered = _Gathered()
    with tempfile.TemporaryDirectory(prefix="ieat-aqa-") as folder:
        kept = _KeptSounds(Path(folder))
        look = _Looking(settings, sink, state, guard, kept)
        raws = iter(find_questions(settings))
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            while some := list(islice(raws, AT_ONCE)):
                for raw, found in zip(some, pool.map(look, some), strict=True):
                    _add(gathered, raw, found, settings)
        rows = list(_unique(gathered))
        files = list(_write(sink, rows, gathered, kept))
    return Beside(tuple(files), tuple(gathered.entries))


class _KeptSounds:
    """Sounds that stand within the file itself, as files of their own while a table is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, question: SpokenQuestion) -> str:
        """Return where the sound of a question lies as a file."""
        if question.content is None:
            return question.uri
        path = self._path(question.uri)
        path.write_bytes(question.content)
        return str(path)

    def read_clip(self, span: SpanCell) -> bytes:
        """Cut and encode a clip, wherever its sound lies.

        Raises:
            BadAudio: The source is gone, cannot be decoded, or is not the file that was heard.
        """
        path = self._path(span.uri)
        return read_clip(span.model_copy(update={"uri": str(path)}) if path.exists() else span)

    def _path(self, uri: str) -> Path:
        return self._folder / uri.rpartition("#")[2].replace("/", "_")[-64:]


@dataclass(frozen=True)
class _Looking:
    """Makes a row of a question, or says why there is none; used by several threads at once."""

    settings: AqaSettings
    sink: SinkSettings
    state: RunState
    guard: Guard | None
    kept: _KeptSounds

    def __call__(self, raw: RawQuestion) -> AqaRow | RecordError | _LeftOut:
        """Return the row, why there is none, or how it was left out; a stopped run hears none."""
        if self.state.stop_reason is not None:
            return _LeftOut("not_reached", self.state.stop_reason.code)
        try:
            question = read_question(raw, self.settings)
            if self.state.is_withdrawn(question.question_id):
                return _LeftOut("filtered", "withdrawn")
            span = AudioSpan(uri=self.kept.keep(question))
            sound = examine(span)
            self._refuse_contaminated(question, span)
            flags = self._check(question, sound)
        except RecordError as error:
            return error
        template = self.sink.rows.prompts.template("instructions", question.language)
        return aqa_row(question, sound, template, flags)

    def _refuse_contaminated(self, question: SpokenQuestion, span: AudioSpan) -> None:
        """Refuse a question of a test set, unless it is held out anyway."""
        if self.guard is None or is_held_out(question.split):
            return
        found = find_in_talk(self.guard, [("", question.query)])
        if found is not None:
            raise contaminated("the question", found[1])
        match = self.guard.find_sound(decode_span(span)) if self.guard.has_sounds else None
        if match is not None:
            raise contaminated("the question", match)

    def _check(self, question: SpokenQuestion, sound: Sound) -> tuple[str, ...]:
        """Return what is odd about the sound, as codes; refuse what the checks keep out."""
        checks = self.sink.checks
        found = list(find_in_sound(sound, checks))
        for problem in found:
            if problem.code in checks.hard:
                raise RecordError(problem.code, f"{question.source}: {problem.message}")
        return tuple(problem.code for problem in found)


def _add(
    gathered: _Gathered,
    raw: RawQuestion,
    found: AqaRow | RecordError | _LeftOut,
    settings: AqaSettings,
) -> None:
    if isinstance(found, _LeftOut):
        gathered.entries += entries_of_rows(TABLE, found.end, found.code, 1)
        return
    if isinstance(found, AqaRow):
        gathered.rows.setdefault(found.row_id, []).append(found)
    else:
        gathered.letters.append(_letter(raw, found, settings))
    gathered.entries += entries_of_rows(TABLE, "written", "", 1)


def _unique(gathered: _Gathered) -> Iterator[AqaRow]:
    """Yield the rows whose ids stand once; all holders of the other ids become dead letters."""
    for rows in gathered.rows.values():
        if len(rows) == 1:
            yield rows[0]
            continue
        places = ", ".join(row.source for row in rows)
        message = f"the key of {rows[0].dialogue_id} stands in {places}; give each question its own"
        error = BadInput("duplicate_id", message)
        gathered.letters += [
            _letter_of(row.source, row.dialogue_id, row.model_dump_json(), error) for row in rows
        ]


def _write(
    sink: SinkSettings, rows: list[AqaRow], gathered: _Gathered, kept: _KeptSounds
) -> Iterator[ShardFile]:
    """Write the rows, then what failed; yield the files."""
    shards = range(sink.num_shards)
    shelves: dict[str, list[tuple[str, str]]] = {
        shard_key(TABLE, split, shard): []
        for split in sorted({row.split for row in rows})
        for shard in shards
    }
    for row in rows:
        key = shard_key(TABLE, row.split, shard_of(row.dialogue_id, sink.num_shards))
        shelves[key].append((row.row_id, row.model_dump_json()))
    for key, shelf in shelves.items():
        written = write_rows(sink, key, shelf, kept.read_clip)
        gathered.letters += written.lost
        yield written.file
    letters: dict[str, list[tuple[str, str]]] = {
        shard_key(DEAD_LETTERS, STAGE, shard): [] for shard in shards
    }
    for letter in gathered.letters:
        shard = shard_of(letter.dialogue_id or letter.unit_id, sink.num_shards)
        key = shard_key(DEAD_LETTERS, STAGE, shard)
        letters[key].append((letter.row_id, letter.model_dump_json()))
        gathered.entries += entries_of_letter(letter)
    for key, shelf in letters.items():
        yield write_rows(sink, key, shelf, None).file


def _letter(raw: RawQuestion, error: RecordError, settings: AqaSettings) -> DeadLetterRow:
    """Return the dead letter of a line; sound within it is left out."""
    question_id = None
    with suppress(BadInput):
        key = raw.values.get("key")
        if isinstance(key, str | int):
            question_id = f"{name_questions(settings)}/{check_id(str(key), raw.source)}"
    record = json.dumps(raw.values, ensure_ascii=False, default=_without_bytes)
    return _letter_of(raw.source, question_id, record, error)


def _letter_of(
    source: str, question_id: str | None, record: str, error: RecordError
) -> DeadLetterRow:
    unit_id = f"{question_id}/{TABLE}" if question_id else source
    return DeadLetterRow(
        row_id=f"{STAGE}:{unit_id}",
        unit="row",
        unit_id=unit_id,
        dialogue_id=question_id,
        source=source,
        table=TABLE,
        stage=STAGE,
        code=error.code,
        message=error.message,
        record=record,
    )


def _without_bytes(value: Any) -> str:
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)


def tables_of(aqa: AqaSettings | None) -> tuple[str, ...]:
    """Return the tables that a build has for its file of questions."""
    return () if aqa is None else (TABLE,)
