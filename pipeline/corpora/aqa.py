"""Read a file of spoken questions: JSON lines, or Parquet as TELEVAL and Hugging Face write it."""

import json
import unicodedata
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from ieat.pipeline.config import AqaSettings, describe_validation
from ieat.pipeline.corpora.lines import find_lines, parse_line
from ieat.pipeline.corpora.naming import check_id, to_language
from ieat.pipeline.corpora.places import Place, find_place, join, open_place, parent
from ieat.pipeline.failures import BadInput, ConfigError
from ieat.schemas.dialogue import Language
from ieat.schemas.spoken_question import SpokenQuestion

PARQUET = ".parquet"
"""Ending of files that are read as Parquet; all others are JSON lines."""

BATCH_ROWS = 64
"""Rows of Parquet, clips included, that are in memory at a time."""

MAX_ANSWERS = 64
"""Most answers that the alternatives of one question may come to."""

TUPLE = "__tuple__"
"""Key that marks a tuple in TELEVAL's JSON: all of its items have to be said."""


class RawQuestion(NamedTuple):
    """One line or row, not checked yet."""

    source: str
    """File and line, or row."""
    values: dict[str, Any]
    """What it says."""
    problem: BadInput | None = None
    """Why it cannot be read."""


class _Line(BaseModel):
    """One question as a file writes it; further keys, such as those of TELEVAL, are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    key: str
    query: str
    answer: Any
    audio: str | dict[str, Any] | None = None
    target_text: str | None = None
    language: str | None = None
    split: str | None = None
    license: str | None = None


def find_questions(settings: AqaSettings) -> Iterator[RawQuestion]:
    """Yield every line or row of the file, in order.

    Raises:
        ConfigError: There is no such file, or it is no Parquet.
    """
    place = find_place(settings.path)
    if place.is_folder:
        raise ConfigError(f"{place.uri} is a folder; aqa needs a file of questions")
    try:
        yield from _rows(place) if place.name.endswith(PARQUET) else _lines(place)
    except BadInput as error:
        raise ConfigError(error.message) from error


def refuse_soundless(settings: AqaSettings) -> int:
    """Look through the file for a question with sound and return how many questions there are.

    Raises:
        ConfigError: It holds no question, or none that says where its sound is.
    """
    count = 0
    has_sound = False
    for raw in find_questions(settings):
        count += 1
        has_sound |= bool(_said_audio(raw.values.get("audio")))
    if not count:
        raise ConfigError(f"{settings.path} holds no question; aqa needs one a line")
    if not has_sound:
        raise ConfigError(
            f"none of the {count} questions in {settings.path} has audio: rows of `aqa` are "
            "questions that are heard; give each line `audio` (a path from the file's folder), or "
            "leave aqa out"
        )
    return count


def name_questions(settings: AqaSettings) -> str:
    """Return the name of the corpus: as set, else that of the file."""
    return settings.corpus or find_place(settings.path).stem


def read_question(raw: RawQuestion, settings: AqaSettings) -> SpokenQuestion:
    """Read one question.

    Raises:
        BadInput: It lacks a key, its answer or its sound, or has a value that does not fit.
    """
    if raw.problem is not None:
        raise raw.problem
    try:
        line = _Line.model_validate(raw.values)
    except ValidationError as error:
        raise BadInput("invalid_question", f"{raw.source}: {describe_validation(error)}") from error
    if not line.query.strip():
        raise BadInput("invalid_question", f"{raw.source}: query is empty; write the question")
    split = line.split or settings.split
    if not split.replace("_", "").isalnum() or not split.isascii():
        raise BadInput(
            "invalid_question",
            f"{raw.source}: split {split!r}; use letters, digits and underscores",
        )
    if not _said_audio(raw.values.get("audio")):
        raise BadInput(
            "question_without_audio", f"{raw.source}: no audio; give a path, or leave it out"
        )
    language = _language(line, settings, raw.source)
    answers = read_answers(line.answer, raw.source)
    between = ", " if language is Language.EN else "、"
    own = (line.target_text or "").strip()
    # Hugging Face's `Audio` feature keeps bytes, a path, or both.
    sound = line.audio if isinstance(line.audio, dict) else {"path": line.audio}
    content, named = sound.get("bytes"), str(sound.get("path") or "")
    if content is not None and not isinstance(content, bytes):
        raise BadInput("invalid_question", f"{raw.source}: audio.bytes are no bytes; give a path")
    return SpokenQuestion(
        question_id=f"{name_questions(settings)}/{check_id(line.key, raw.source)}",
        language=language,
        split=split,
        license=line.license or settings.license,
        source=raw.source,
        query=line.query.strip(),
        answers=answers,
        target_text=own or between.join(answers[0]),
        uri=raw.source if content is not None else join(parent(settings.path), named),
        content=content,
    )


def read_answers(answer: Any, source: str) -> tuple[tuple[str, ...], ...]:
    """Return the answers that count as right; a list is OR, a tuple is AND.

    Raises:
        BadInput: There is none, or it is in no known form.
    """
    found = tuple(dict.fromkeys(_alternatives(_decoded(answer), source)))
    if not found:
        raise BadInput("question_without_answer", f"{source}: no answer; write one")
    return found


def _alternatives(answer: Any, source: str) -> Iterator[tuple[str, ...]]:
    """Yield the alternatives, each with all words that have to be said."""
    if isinstance(answer, list):
        for part in answer:
            yield from _alternatives(part, source)
    elif isinstance(answer, dict) and answer.get(TUPLE) is True and "items" in answer:
        parts = [tuple(_alternatives(part, source)) for part in answer["items"]]
        count = 1
        for part in parts:
            count *= len(part)
        if count > MAX_ANSWERS:
            raise BadInput(
                "invalid_question", f"{source}: answer has more than {MAX_ANSWERS} alternatives"
            )
        for choice in product(*parts):
            words = tuple(dict.fromkeys(word for part in choice for word in part))
            if words:
                yield words
    elif isinstance(answer, str | int | float) and not isinstance(answer, bool):
        if str(answer).strip():
            yield (str(answer).strip(),)
    elif answer is not None:
        raise BadInput(
            "invalid_question",
            f"{source}: answer is a {type(answer).__name__}; write a text, a list of texts of "
            f'which one is enough, or {{"{TUPLE}": true, "items": [...]}} of which all are needed',
        )


def _decoded(answer: Any) -> Any:
    """Return an answer, decoded where it is JSON within a text, as in TELEVAL's Parquet."""
    if isinstance(answer, str) and answer.strip().startswith(("[", "{")):
        try:
            return json.loads(answer)
        except ValueError:
            return answer
    return answer


def _said_audio(audio: Any) -> bool:
    """Tell whether a value says where sound is, or holds it."""
    if isinstance(audio, dict):
        return bool(audio.get("bytes") or audio.get("path"))
    return isinstance(audio, str) and bool(audio.strip())


def _language(line: _Line, settings: AqaSettings, source: str) -> Language:
    said = line.language or settings.language
    if said is not None:
        return to_language(said, source)
    letters = [character for character in line.query if character.isalpha()]
    chinese = sum(unicodedata.name(letter, "").startswith("CJK UNIFIED") for letter in letters)
    # A Chinese character carries about as much as two Latin letters of a foreign name.
    return Language.ZH if letters and chinese * 2 >= len(letters) - chinese else Language.EN


def _lines(place: Place) -> Iterator[RawQuestion]:
    for unit in find_lines(place.uri, 0):
        try:
            yield RawQuestion(unit.source, parse_line(unit))
        except BadInput as error:  # noqa: PERF203 - every line is read
            yield RawQuestion(unit.source, {}, error)


def _rows(place: Place) -> Iterator[RawQuestion]:
    wanted = _Line.model_fields
    with open_place(place.uri) as stream:
        try:
            parquet = pq.ParquetFile(stream)
        except pa.ArrowException as error:
            raise ConfigError(f"{place.uri} is no Parquet file: {error}") from error
        columns = [name for name in parquet.schema_arrow.names if name in wanted]
        number = 0
        for batch in parquet.iter_batches(batch_size=BATCH_ROWS, columns=columns):
            for row in batch.to_pylist():
                yield RawQuestion(f"{place.uri}#{number}", row)
                number += 1
