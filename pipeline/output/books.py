"""Count what became of every dialogue, turn and target, so that nothing vanishes unseen."""

from collections.abc import Iterable, Iterator

from ieat.pipeline.output.humdial_turn_rows import humdial_ends
from ieat.pipeline.output.stage2_rows import RowSettings
from ieat.schemas.build import Books, UnitCounts
from ieat.schemas.records import ComposedDialogue, SetAside, SourceUnit
from ieat.schemas.retrospection import RowEnd
from ieat.schemas.rows import DeadLetterRow

Entry = tuple[str, int]
"""A line of the books, `unit|end|code`, and by how much it rises; lines are summed by name."""

NO_WORDS = "no_words"
"""Why a turn that voice activity cut has no row."""

UNIT_OF_TABLE = {"stage1": "turns", "stage2": "targets"}
"""What one row of a table stands for; a row of a further table stands for itself."""

OF_TABLE = "table:"
"""Start of the unit of a further table, before its name."""

READ = "dialogues|read|"
"""The line that counts dialogues which corpora gave."""

LETTERS = "letters"
"""Start of the lines that count dead letters."""


def entry_of_unit(unit: SourceUnit | str) -> Entry:
    """Return the line of a dialogue that a corpus gave; its end is counted where it ends.

    Args:
        unit: The unit, or the line that it was kept as.
    """
    return READ, 1


def entries_of_composed(composed: ComposedDialogue) -> Iterator[Entry]:
    """Yield the lines of a dialogue that reached its rows."""
    said = composed.transcript.utterances
    num_written = sum(1 for utterance in said if utterance.clean)
    yield _line("dialogues", "written", ""), 1
    yield _line("turns", "read", ""), len(composed.dialogue.turns)
    yield _line("turns", "written", ""), num_written
    yield _line("turns", "filtered", NO_WORDS), len(said) - num_written
    yield from _end("targets", "written", "", len(composed.samples))
    for _, code in composed.filtered:
        yield from _end("targets", "filtered", code, 1)
    for failure in composed.failures:
        if failure.unit == "target":
            yield from _end("targets", "dead", failure.code, 1)


def entries_of_set_aside(aside: SetAside) -> Iterator[Entry]:
    """Yield the lines of a dialogue that left before; its turns and targets end as it does."""
    yield _line("dialogues", aside.end, aside.code), 1
    yield from _end("turns", aside.end, aside.code, aside.num_turns)
    yield from _end("targets", aside.end, aside.code, aside.num_targets)


def entries_of_letter(letter: DeadLetterRow) -> Iterator[Entry]:
    """Yield the lines of a dead letter; a row that was lost late moves from written to dead."""
    yield _line(LETTERS, letter.unit, letter.code), 1
    if letter.unit == "row":
        unit = UNIT_OF_TABLE.get(str(letter.table), f"{OF_TABLE}{letter.table}")
        yield _line(unit, "written", ""), -1
        yield _line(unit, "dead", letter.code), 1


def entries_of_rows(table: str, end: str, code: str, count: int) -> Iterator[Entry]:
    """Yield the lines of rows of a further table, which end as written, dead or filtered.

    A row that is checked after it was counted as written is a dead letter of its own, and
    `entries_of_letter` moves it.
    """
    yield from _end(f"{OF_TABLE}{table}", end, code, count)


def entries_of_humdial(composed: ComposedDialogue, settings: RowSettings) -> Iterator[Entry]:
    """Yield the lines of the rows of HumDial's tasks; the letter of a dead one moves it."""
    for table, end in humdial_ends(composed, settings):
        if isinstance(end, RowEnd) and end.end == "filtered":
            yield from entries_of_rows(table, "filtered", end.code, 1)
        else:
            yield from entries_of_rows(table, "written", "", 1)


def sum_entries(entries: Iterable[Entry]) -> dict[str, int]:
    """Sum the lines by name; sorted, so that equal books are equal bytes."""
    totals: dict[str, int] = {}
    for line, count in entries:
        totals[line] = totals.get(line, 0) + count
    return dict(sorted(totals.items()))


def close_books(entries: Iterable[Entry]) -> tuple[Books, dict[str, int]]:
    """Sum the lines.

    Returns:
        The books, and the number of dead letters by `unit:code`.
    """
    totals = sum_entries(entries)
    letters = {}
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for line in totals:
        unit, end, code = line.split("|")
        if totals[line] == 0:
            continue
        if unit == LETTERS:
            letters[f"{end}:{code}"] = totals[line]
        else:
            counts.setdefault(unit, {}).setdefault(end, {})[code] = totals[line]
    further = sorted(unit for unit in counts if unit.startswith(OF_TABLE))
    books = Books(
        dialogues=_unit_counts(counts.get("dialogues", {})),
        turns=_unit_counts(counts.get("turns", {})),
        targets=_unit_counts(counts.get("targets", {})),
        tables={unit.removeprefix(OF_TABLE): _unit_counts(counts[unit]) for unit in further},
    )
    return books, letters


def _unit_counts(ends: dict[str, dict[str, int]]) -> UnitCounts:
    return UnitCounts(
        read=ends.get("read", {}).get("", 0),
        written=ends.get("written", {}).get("", 0),
        dead=ends.get("dead", {}),
        filtered=ends.get("filtered", {}),
        not_reached=ends.get("not_reached", {}),
    )


def _end(unit: str, end: str, code: str, count: int) -> Iterator[Entry]:
    yield _line(unit, "read", ""), count
    yield _line(unit, end, code), count


def _line(unit: str, end: str, code: str) -> str:
    return f"{unit}|{end}|{code}"
