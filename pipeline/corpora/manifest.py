"""The layout `manifest`: JSON lines, one dialogue a line."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property

from pydantic import Field, ValidationError

from ieat.pipeline.config import InputSettings
from ieat.pipeline.corpora.lines import find_lines, hash_line, parse_line
from ieat.pipeline.corpora.naming import build_dialogue, check_id, name_corpus, refuse_invalid
from ieat.pipeline.corpora.naming import to_language as normalize_language
from ieat.pipeline.corpora.places import Place, find_place, join, parent, refuse_empty
from ieat.pipeline.failures import BadInput, ConfigError
from ieat.schemas.audio import AudioSpan
from ieat.schemas.base import Index, Seconds, Value
from ieat.schemas.dialogue import Dialogue, Turn
from ieat.schemas.records import SourceUnit


class ManifestTurn(Value):
    """One turn of a manifest line."""

    speaker: str = Field(min_length=1)
    """Who speaks."""
    audio: str | None = None
    """File of this turn; an explicit null makes it text only, whatever the line's file."""
    channel: Index | None = None
    """0-based channel of the file; null means the mean of all."""
    start: Seconds | None = None
    """Start within the file, seconds."""
    end: Seconds | None = None
    """End within the file, seconds."""
    text: str | None = None
    """The words."""
    emotion: str | None = None
    """The emotion as the corpus writes it."""
    turn_id: str | int | None = None
    """The turn's id in the corpus; null takes its place in the line."""
    source_turn_id: str | int | None = None
    """Another name of `turn_id`."""


class ManifestLine(Value):
    """One line of a manifest."""

    dialogue_id: str
    """Id of the dialogue within its corpus."""
    language: str | None = None
    """Language; null takes that of the input."""
    split: str | None = None
    """Split; null takes that of the input."""
    license: str | None = None
    """License; null takes that of the input."""
    script: str | None = None
    """Id of the script or group that it belongs to; dialogues of one go to one split."""
    audio: str | None = None
    """File of all turns that name none."""
    turns: tuple[ManifestTurn, ...] = Field(min_length=1)
    """The turns."""


class ManifestCorpus:
    """Reads a manifest; relative audio paths count from its folder."""

    def __init__(self, settings: InputSettings, input_index: int) -> None:
        self._settings = settings
        self._input_index = input_index

    @cached_property
    def _root(self) -> Place:
        return find_place(self._settings.path)

    def units(self) -> Iterator[SourceUnit]:
        """Yield one unit a line."""
        place = self._root
        if place.is_folder:
            raise ConfigError(
                f"{place.uri} is a folder; the layout `manifest` needs a file of JSON lines "
                "(for a subfolder a dialogue write `layout: folder`)"
            )
        return refuse_empty(
            find_lines(place.uri, self._input_index),
            f"{place.uri} holds no line; looked for one JSON object a line, one dialogue each",
        )

    def read(self, unit: SourceUnit) -> Dialogue:
        """Parse a line."""
        try:
            line = ManifestLine.model_validate(parse_line(unit))
        except ValidationError as error:
            raise refuse_invalid(error, unit.source) from error
        spans = [
            _span(line, number, join_from=parent(unit.uri), source=unit.source)
            for number in range(len(line.turns))
        ]
        order = _order(line.turns, spans)
        flags = []
        if order != sorted(order):
            flags.append("reordered")
        if _overlap([spans[number] for number in order]):
            flags.append("overlapping")
        settings = self._settings
        return build_dialogue(
            {
                "corpus": name_corpus(settings, self._root),
                "name": check_id(line.dialogue_id, unit.source),
                "language": normalize_language(line.language or settings.language, unit.source),
                "split": line.split or settings.split,
                "license": line.license or settings.license,
                "source": unit.source,
                "source_sha256": hash_line(unit),
                "script": line.script,
                "turns": tuple(
                    _turn(line.turns[number], spans[number], index, number, unit.source)
                    for index, number in enumerate(order)
                ),
                "flags": tuple(flags),
            },
            unit.source,
        )


def _span(line: ManifestLine, number: int, join_from: str, source: str) -> AudioSpan | None:
    """Return where a turn sounds; null for one that is text only."""
    turn = line.turns[number]
    where = f"{source}: turns.{number}"
    shares_file = "audio" not in turn.model_fields_set
    audio = line.audio if shares_file else turn.audio
    if audio is None:
        if turn.channel is not None:
            raise BadInput(
                "missing_audio", f"{where}: there is a channel but no audio; name the file"
            )
        return None
    if shares_file:
        _check_times(line, number, where)
    try:
        return AudioSpan(
            uri=join(join_from, audio), channel=turn.channel, start=turn.start or 0.0, end=turn.end
        )
    except ValidationError as error:
        raise refuse_invalid(error, where) from error


def _check_times(line: ManifestLine, number: int, where: str) -> None:
    """Refuse turns that share a file and a channel but do not say which part is theirs."""
    turn = line.turns[number]
    sharers = Counter(
        other.channel for other in line.turns if "audio" not in other.model_fields_set
    )
    if sharers[turn.channel] > 1 and (turn.start is None or turn.end is None):
        raise BadInput(
            "missing_times",
            f"{where}: it shares its audio file with other turns; give its start and end, "
            "or `audio: null` for a turn that is text only",
        )


def _order(turns: Sequence[ManifestTurn], spans: Sequence[AudioSpan | None]) -> list[int]:
    """Order by start where all turns have one in the same file; else keep the line's order."""
    starts = [turn.start for turn in turns]
    is_one_file = len({span.uri if span else None for span in spans}) == 1
    if not is_one_file or any(start is None for start in starts):
        return list(range(len(turns)))
    return sorted(range(len(turns)), key=lambda number: (starts[number] or 0.0, number))


def _overlap(spans: Sequence[AudioSpan | None]) -> bool:
    known = [span for span in spans if span is not None]
    if len({span.uri for span in known}) != 1:
        return False
    ends = 0.0
    for number, span in enumerate(known):
        if number and span.start < ends:
            return True
        ends = max(ends, span.end or span.start)
    return False


def _turn(turn: ManifestTurn, span: AudioSpan | None, index: int, number: int, source: str) -> Turn:
    given = turn.turn_id if turn.turn_id is not None else turn.source_turn_id
    try:
        return Turn(
            index=index,
            source_turn_id=check_id(str(number if given is None else given), source),
            speaker=check_id(turn.speaker, source),
            audio=span,
            text=turn.text,
            emotion=turn.emotion,
        )
    except ValidationError as error:
        raise refuse_invalid(error, f"{source}: turns.{number}") from error
