"""Read benchmark files: own columns, RECCON's JSON, and the JSON of ECF and SemEval-2024 Task 3."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from ieat.pipeline.bench.gold import (
    FileFormat,
    GoldDialogue,
    GoldFile,
    GoldSpan,
    emotion_of,
)
from ieat.pipeline.config import describe_validation
from ieat.pipeline.failures import ConfigError
from ieat.pipeline.quotes import locate
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion

BACKGROUND = "b"
"""What RECCON writes in place of a turn for a cause outside the dialogue."""

FORMATS = (
    'JSON lines with "dialogue_id", "turns" and "causes", RECCON\'s JSON, or the JSON of ECF and '
    "SemEval-2024 Task 3"
)
"""The formats, as messages name them."""


class _Part(BaseModel):
    # Files carry more than is read here: acts, genders, names of videos.
    model_config = ConfigDict(frozen=True, extra="ignore")


class _ColumnTurn(_Part):
    speaker: str
    text: str
    emotion: str | None = None


class _ColumnCause(_Part):
    turn: int
    cause_turns: tuple[int, ...] = ()
    spans: tuple[str, ...] = ()
    background: bool = False
    type: tuple[str, ...] = ()


class _ColumnDialogue(_Part):
    dialogue_id: str
    language: Language | None = None
    turns: tuple[_ColumnTurn, ...]
    causes: tuple[_ColumnCause, ...] = ()


class _RecconTurn(_Part):
    turn: int
    speaker: str
    utterance: str
    emotion: str
    evidence: Annotated[
        tuple[int | str, ...], Field(validation_alias="expanded emotion cause evidence")
    ] = ()
    # The table of RECCON's description names the field in the plural, its files in the singular.
    spans: Annotated[
        tuple[str, ...],
        Field(
            validation_alias=AliasChoices(
                "expanded emotion cause span", "expanded emotion cause spans"
            )
        ),
    ] = ()
    type: tuple[str, ...] = ()


class _RecconDialogue(_Part):
    turns: tuple[_RecconTurn, ...]


class _EcfUtterance(_Part):
    utterance_id: Annotated[int, Field(validation_alias="utterance_ID")]
    text: str
    speaker: str
    emotion: str | None = None


class _EcfConversation(_Part):
    conversation_id: Annotated[int | str, Field(validation_alias="conversation_ID")]
    conversation: tuple[_EcfUtterance, ...]
    pairs: Annotated[
        tuple[tuple[str, str], ...], Field(validation_alias="emotion-cause_pairs")
    ] = ()


Read = TypeVar("Read", bound=BaseModel)


class _Reader:
    """Makes gold dialogues of what a file holds.

    Args:
        path: The file, as messages name it.
        language: Language of dialogues that do not say it.
        emotion_map: The user's own emotion words.
    """

    def __init__(self, path: str, language: Language, emotion_map: Mapping[str, Emotion]) -> None:
        self._path = path
        self._language = language
        self._emotion_map = emotion_map

    def columns(self, line: Any, where: str) -> GoldDialogue:
        """Read one line of the own columns; turns count from 0."""
        read = self._check(_ColumnDialogue, line, where)
        texts = [turn.text for turn in read.turns]
        return self._dialogue(
            f"{where}, {read.dialogue_id}",
            name=read.dialogue_id,
            language=read.language or self._language,
            turns=[self._turn(turn.speaker, turn.text, turn.emotion) for turn in read.turns],
            causes=[
                {
                    "turn_index": cause.turn,
                    "cause_turns": sorted(set(cause.cause_turns)),
                    "spans": _place(cause.spans, cause.cause_turns, texts),
                    "is_background": cause.background,
                    "kinds": list(dict.fromkeys(cause.type)),
                }
                for cause in read.causes
            ],
        )

    def reccon(self, name: str, value: Any) -> GoldDialogue:
        """Read one dialogue of RECCON's JSON; turns count from 1, `b` is the background."""
        # Each id holds a list of one list of turns.
        is_nested = isinstance(value, list) and len(value) == 1 and isinstance(value[0], list)
        where = f"dialogue {name}"
        read = self._check(_RecconDialogue, {"turns": value[0] if is_nested else value}, where)
        self._expect_order([turn.turn for turn in read.turns], where)
        texts = [turn.utterance for turn in read.turns]
        causes = []
        for turn in read.turns:
            if not turn.evidence:
                continue
            cited = [self._number(entry, where) - 1 for entry in turn.evidence if not _is_b(entry)]
            is_background = any(_is_b(entry) for entry in turn.evidence)
            causes.append(
                {
                    "turn_index": turn.turn - 1,
                    "cause_turns": sorted(set(cited)),
                    "spans": _place(turn.spans, cited, texts),
                    "is_background": is_background,
                    "kinds": list(dict.fromkeys(turn.type)),
                }
            )
        return self._dialogue(
            where,
            name=name,
            language=self._language,
            turns=[self._turn(turn.speaker, turn.utterance, turn.emotion) for turn in read.turns],
            causes=causes,
        )

    def ecf(self, value: Any, where: str) -> GoldDialogue:
        """Read one conversation of ECF; utterances count from 1, `3_joy` is caused by `1_words`."""
        read = self._check(_EcfConversation, value, where)
        name = str(read.conversation_id)
        where = f"conversation {name}"
        self._expect_order([said.utterance_id for said in read.conversation], where)
        texts = [said.text for said in read.conversation]
        shown: dict[int, list[tuple[int, str]]] = {}
        for state, cause in read.pairs:
            emotional = self._number(state.partition("_")[0], where) - 1
            number, _, span = cause.partition("_")
            shown.setdefault(emotional, []).append((self._number(number, where) - 1, span))
        return self._dialogue(
            where,
            name=name,
            language=self._language,
            turns=[self._turn(said.speaker, said.text, said.emotion) for said in read.conversation],
            causes=[
                {
                    "turn_index": emotional,
                    "cause_turns": sorted({turn for turn, _ in pairs}),
                    "spans": _place(
                        [span for _, span in pairs], [turn for turn, _ in pairs], texts
                    ),
                }
                for emotional, pairs in sorted(shown.items())
            ],
        )

    def mistake(self, where: str, what: str) -> ConfigError:
        """Return a mistake in the file."""
        return ConfigError(f"{self._path}: {where}: {what}")

    def _turn(self, speaker: str, text: str, word: str | None) -> dict[str, Any]:
        return {
            "speaker": speaker,
            "text": text.strip(),
            "word": word,
            "emotion": emotion_of(word, self._emotion_map),
        }

    def _dialogue(self, where: str, **fields: Any) -> GoldDialogue:
        return self._check(GoldDialogue, fields, where)

    def _check(self, kind: type[Read], value: Any, where: str) -> Read:
        try:
            return kind.model_validate(value)
        except ValidationError as error:
            raise self.mistake(where, describe_validation(error)) from error

    def _number(self, entry: int | str, where: str) -> int:
        try:
            return int(entry)
        except ValueError as error:
            raise self.mistake(where, f"{entry!r} is no number of a turn") from error

    def _expect_order(self, numbers: Sequence[int], where: str) -> None:
        if list(numbers) != list(range(1, len(numbers) + 1)):
            raise self.mistake(where, "its turns are not numbered 1, 2, 3, ... in order")


def _is_b(entry: int | str) -> bool:
    return isinstance(entry, str) and entry.strip().lower() == BACKGROUND


def _place(
    spans: Sequence[str], cited: Sequence[int], texts: Sequence[str]
) -> list[dict[str, Any]]:
    """Find the turn in which each span stands: the one it is listed with, else another cited one.

    RECCON's lists of spans and of turns are not always of the same length.
    """
    placed = []
    for number, span in enumerate(spans):
        if not span.strip() or not span.strip(" .…"):
            continue
        listed = [cited[number]] if len(spans) == len(cited) else []
        turns = [turn for turn in (*listed, *cited) if 0 <= turn < len(texts)]
        found = next((turn for turn in turns if locate(span, texts[turn]) is not None), None)
        placed.append(GoldSpan(turn_index=found, text=span.strip()).model_dump())
    return placed


def read_gold(
    file: Path,
    *,
    language: Language = Language.EN,
    emotion_map: Mapping[str, Emotion] | None = None,
    limit: int | None = None,
) -> GoldFile:
    """Read a benchmark file in whichever of the three formats it is.

    Args:
        file: The file.
        language: Language of dialogues that do not say it.
        emotion_map: Emotion of words of the file, before those that are known.
        limit: Most dialogues to take, the first ones; null takes all.

    Raises:
        ConfigError: It cannot be read, is in none of the formats, or holds a mistake; a benchmark
            is taken whole or not at all.
    """
    try:
        content = file.read_bytes()
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"cannot read the benchmark {file}: {reason}") from error
    reader = _Reader(str(file), language, emotion_map or {})
    form, dialogues = _dialogues(text, reader)
    read: list[GoldDialogue] = []
    for dialogue in dialogues:
        if limit is not None and len(read) == limit:
            break
        read.append(dialogue)
    if not read:
        raise ConfigError(f"{file}: holds no dialogue; it may be {FORMATS}")
    names = [dialogue.name for dialogue in read]
    if len(names) != len(set(names)):
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f"{file}: the dialogue {twice} is there twice")
    return GoldFile(
        path=str(file),
        sha256=hashlib.sha256(content).hexdigest(),
        format=form,
        dialogues=tuple(read),
    )


def _dialogues(text: str, reader: _Reader) -> tuple[FileFormat, Iterable[GoldDialogue]]:
    try:
        whole = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return "columns", _lines(text, reader)
    if isinstance(whole, list):
        return "ecf", (
            reader.ecf(value, f"conversation number {number} of the list")
            for number, value in enumerate(whole, 1)
        )
    if isinstance(whole, dict) and "dialogue_id" in whole:
        return "columns", [reader.columns(whole, "line 1")]
    if isinstance(whole, dict) and all(isinstance(value, list) for value in whole.values()):
        return "reccon", (reader.reccon(name, value) for name, value in whole.items())
    raise reader.mistake("the file", f"is in no known format; it may be {FORMATS}")


def _lines(text: str, reader: _Reader) -> Iterator[GoldDialogue]:
    # Other line ends may stand inside of JSON strings.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise reader.mistake(
                f"line {number}", f"is no JSON; the file may be {FORMATS}"
            ) from error
        yield reader.columns(value, f"line {number}")
