"""The books account for every unit, and say so when they do not."""

import pytest

from ieat.pipeline.output.books import (
    close_books,
    entries_of_composed,
    entries_of_letter,
    entries_of_set_aside,
    entry_of_unit,
)
from ieat.pipeline.output.dead_letters import letters_of_parts
from ieat.schemas.build import Books, UnbalancedBooksError, UnitCounts
from ieat.schemas.records import SourceUnit
from tests.builders import aside, composed


def test_turns_and_targets_end_with_their_dialogue() -> None:
    unit = SourceUnit(input_index=0, source="talks.jsonl:1", uri="talks.jsonl")
    left = aside(num_turns=7, num_targets=3)
    books, _ = close_books([entry_of_unit(unit), *entries_of_set_aside(left)])
    assert books.dialogues == UnitCounts(read=1, dead={"audio_missing": 1})
    assert books.turns == UnitCounts(read=7, dead={"audio_missing": 7})
    assert books.targets == UnitCounts(read=3, dead={"audio_missing": 3})
    books.balance()


def test_a_dialogue_that_never_ended_unbalances_the_books() -> None:
    unit = SourceUnit(input_index=0, source="talks.jsonl:1", uri="talks.jsonl")
    books, _ = close_books([entry_of_unit(unit), entry_of_unit(unit), ("dialogues|written|", 1)])
    with pytest.raises(UnbalancedBooksError, match="dialogues: read 2, but written 1"):
        books.balance()


def test_a_turn_without_words_is_filtered() -> None:
    books, _ = close_books(entries_of_composed(composed(silent=(3,))))
    assert books.turns == UnitCounts(read=5, written=4, filtered={"no_words": 1})


def test_a_failed_state_is_a_dead_letter_but_its_turn_is_written() -> None:
    found = composed(failed_states={2: "quote_unfound"})
    entries = [*entries_of_composed(found)]
    for letter in letters_of_parts(found):
        entries += entries_of_letter(letter)
    books, codes = close_books(entries)
    assert books.turns == UnitCounts(read=5, written=5)
    assert codes == {"turn:quote_unfound": 1}


def test_books_that_do_not_balance_are_refused() -> None:
    books = Books(turns=UnitCounts(read=3, written=1, dead={"x": 1}))
    with pytest.raises(UnbalancedBooksError, match=r"turns: read 3, but written 1 \+ dead 1"):
        books.balance()
