"""Read dialogues from corpora, and refuse ids that occur twice before money is spent."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PBegin, PCollection, TaggedOutput

from ieat.pipeline.config import InputSettings
from ieat.pipeline.corpora import open_corpus
from ieat.pipeline.failures import Filtered, RecordError
from ieat.pipeline.history import attributed_speakers
from ieat.pipeline.run_state import RunState
from ieat.pipeline.spill import parse_spilled, spilled_lines
from ieat.pipeline.steps import ASIDE, DeadLetters, EngineRoom, set_aside
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.records import SetAside, SourceUnit

STAGE = "read"


def list_units(inputs: Iterable[InputSettings], limit: int | None) -> Iterator[SourceUnit]:
    """Yield what there is to read, input after input, at most `limit` units in all.

    Raises:
        ConfigError: An input holds nothing; says what was looked for.
    """
    return islice(
        (
            unit
            for index, settings in enumerate(inputs)
            for unit in open_corpus(settings, index).units()
        ),
        limit,
    )


def refuse_empty_inputs(inputs: Iterable[InputSettings]) -> None:
    """Look for one dialogue in every input, so that an empty one ends the run before it begins.

    Raises:
        ConfigError: An input holds nothing; says what was looked for.
    """
    for index, settings in enumerate(inputs):
        next(open_corpus(settings, index).units())


def read_or_set_aside(
    unit: SourceUnit, settings: InputSettings, state: RunState, user_speaker: str
) -> Dialogue | SetAside:
    """Read one dialogue and count it; nothing more is read once the run stops."""
    stop = state.stop_reason
    # Finding the turns of a call takes a while: a person who stops does not wait for all.
    if stop is not None:
        return _aside(unit, "not_reached", stop.code, stop.message)
    try:
        dialogue = read_unit(unit, settings, user_speaker)
        if state.is_withdrawn(dialogue.dialogue_id):
            raise Filtered("withdrawn", f"{unit.source}: its people withdrew their consent")
    except RecordError as error:
        end = "filtered" if isinstance(error, Filtered) else "dead"
        state.read(is_failed=True)
        return _aside(unit, end, error.code, error.message)
    state.read(is_failed=False)
    return dialogue


def read_unit(unit: SourceUnit, settings: InputSettings, user_speaker: str) -> Dialogue:
    """Read one dialogue.

    Raises:
        RecordError: It cannot be read, or lacks the speaker whose states are wanted.
    """
    dialogue = open_corpus(settings, unit.input_index).read(unit)
    attributed_speakers(dialogue, user_speaker)
    scope = settings.speaker_scope or "dialogue"
    return dialogue.model_copy(update={"speaker_scope": scope})


class ListDialogues(beam.PTransform):
    """What there is to read, spread over the workers."""

    def __init__(self, inputs: tuple[InputSettings, ...], limit: int | None) -> None:
        super().__init__()
        self._inputs = inputs
        self._limit = limit

    def expand(self, begin: PBegin) -> PCollection[SourceUnit]:
        """Return one unit for each dialogue that the corpora hold."""
        return (
            begin
            | "Inputs" >> beam.Create([self._inputs])
            | "List" >> beam.FlatMap(list_units, self._limit).with_output_types(SourceUnit)
            | "Spread" >> beam.Reshuffle()
        )


class ReadDialogues(beam.PTransform):
    """Units in, dialogues out, each id once."""

    def __init__(
        self, inputs: tuple[InputSettings, ...], room: EngineRoom[Any], dead_letters: DeadLetters
    ) -> None:
        super().__init__()
        self._inputs = inputs
        self._room = room
        self._dead_letters = dead_letters

    def expand(self, units: PCollection[SourceUnit]) -> PCollection[Dialogue]:
        """Return the dialogues; broken ones and both holders of one id are set aside."""
        read = units | "Read" >> beam.ParDo(_ReadDoFn(self._inputs, self._room)).with_outputs(
            ASIDE, main="read"
        )
        read[ASIDE].element_type = SetAside
        self._dead_letters.take(read[ASIDE])
        return _once_each(read["read"], self._room.user_speaker, self._dead_letters)


class _ReadDoFn(beam.DoFn):
    def __init__(self, inputs: tuple[InputSettings, ...], room: EngineRoom[Any]) -> None:
        self._inputs = inputs
        self._room = room

    def setup(self) -> None:
        self._state = self._room.enter().state

    def process(self, unit: SourceUnit) -> Iterator[Any]:
        settings = self._inputs[unit.input_index]
        read = read_or_set_aside(unit, settings, self._state, self._room.user_speaker)
        yield _routed(read)


class ListSpilled(beam.PTransform):
    """What was read of a group of shards, a line each.

    Args:
        files: Files of the work folder.
    """

    def __init__(self, files: tuple[str, ...]) -> None:
        super().__init__()
        self._files = files

    def expand(self, begin: PBegin) -> PCollection[str]:
        """Return the lines."""
        return (
            begin
            | "Files" >> beam.Create([self._files])
            | "List" >> beam.FlatMap(spilled_lines).with_output_types(str)
        )


class ReadSpilled(beam.PTransform):
    """Lines in, dialogues out, each id once: `ReadDialogues` for what was read before."""

    def __init__(self, user_speaker: str, dead_letters: DeadLetters) -> None:
        super().__init__()
        self._user_speaker = user_speaker
        self._dead_letters = dead_letters

    def expand(self, lines: PCollection[str]) -> PCollection[Dialogue]:
        """Return the dialogues; what was set aside before, and both holders of one id, leave."""
        read = lines | "Read" >> beam.FlatMap(_read_line).with_outputs(ASIDE, main="read")
        read[ASIDE].element_type = SetAside
        self._dead_letters.take(read[ASIDE])
        return _once_each(read["read"], self._user_speaker, self._dead_letters)


def _once_each(
    read: PCollection[Dialogue], user_speaker: str, dead_letters: DeadLetters
) -> PCollection[Dialogue]:
    """Return the dialogues whose ids stand once; all holders of the other ids are set aside."""
    # Grouping also cuts the chain: what follows is one straight line from here.
    unique = (
        read
        | "Key by id" >> beam.Map(_keyed).with_output_types(tuple[str, Dialogue])
        | "Group by id" >> beam.GroupByKey()
        | "Refuse duplicates"
        >> beam.FlatMap(_refuse_duplicates, user_speaker).with_outputs(ASIDE, main="unique")
    )
    unique[ASIDE].element_type = SetAside
    unique["unique"].element_type = Dialogue
    dead_letters.take(unique[ASIDE])
    return unique["unique"]


def _read_line(line: str) -> Iterator[Any]:
    yield _routed(parse_spilled(line))


def _routed(read: Dialogue | SetAside) -> Dialogue | TaggedOutput:
    """Return a dialogue, or what leaves the pipeline unread."""
    return read if isinstance(read, Dialogue) else TaggedOutput(ASIDE, read)


def _aside(unit: SourceUnit, end: Any, code: str, message: str) -> SetAside:
    """Return what leaves the pipeline unread; its turns are unknown and count nowhere."""
    record = "" if end == "not_reached" else unit.line or unit.uri
    return SetAside(
        dialogue_id=None,
        source=unit.source,
        end=end,
        stage=STAGE,
        code=code,
        message=message,
        record=record,
    )


def _keyed(dialogue: Dialogue) -> tuple[str, Dialogue]:
    return dialogue.dialogue_id, dialogue


def _refuse_duplicates(group: tuple[str, Iterable[Dialogue]], user_speaker: str) -> Iterator[Any]:
    dialogue_id, holders = group
    dialogues = sorted(holders, key=lambda dialogue: dialogue.source)
    if len(dialogues) == 1:
        yield dialogues[0]
        return
    places = ", ".join(dialogue.source for dialogue in dialogues)
    for dialogue in dialogues:
        message = f"the id {dialogue_id} stands in {places}; give each dialogue its own"
        yield TaggedOutput(
            ASIDE, set_aside(dialogue, "dead", STAGE, "duplicate_id", message, user_speaker)
        )
