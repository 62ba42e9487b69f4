"""Which of HumDial's tables a dialogue can give rows of, and whom they are about."""

from collections.abc import Iterable

from ieat.pipeline.history import attributed_speakers
from ieat.schemas.dialogue import Dialogue

TASKS_OF_TABLE: dict[str, frozenset[str]] = {
    "humdial_t1": frozenset({"T1"}),
    "humdial_t2": frozenset({"T2"}),
    # HumDial takes the dialogues of T3 from those of T1 and T2.
    "humdial_t3": frozenset({"T1", "T2", "T3"}),
    "humdial_t4": frozenset({"T4"}),
}
"""Tasks of the corpus whose dialogues give rows of a table."""


def tables_of(dialogue: Dialogue, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return the wanted tables of a dialogue; one whose corpus names no task gives all of them."""
    return tuple(
        table
        for table in TASKS_OF_TABLE
        if table in wanted and (not dialogue.tasks or TASKS_OF_TABLE[table] & set(dialogue.tasks))
    )


def user_of(dialogue: Dialogue, user_speaker: str) -> str:
    """Return the speaker whose emotions the rows are about: the first of the attributed ones.

    Raises:
        BadInput: The dialogue has no such speaker.
    """
    return attributed_speakers(dialogue, user_speaker)[0]
