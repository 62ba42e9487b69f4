"""What failed, as rows of `_dead_letters`."""

from ieat.pipeline.failures import RecordError
from ieat.pipeline.output.humdial_turn_rows import humdial_ends
from ieat.pipeline.output.rows import turn_cell
from ieat.pipeline.output.stage2_rows import RowSettings
from ieat.schemas.records import ComposedDialogue, Failure, SetAside
from ieat.schemas.retrospection import RowEnd
from ieat.schemas.rows import DeadLetterRow, Row

TABLE_OF_UNIT = {"turn": "dialogues", "target": "stage2"}
"""Table in which a failed part of a dialogue is missing."""

STAGE_OF_TABLE = {
    "humdial_t1": "retrospect",
    "humdial_t2": "retrospect",
    "humdial_t3": "compose",
}
"""Stage in which a row of a further table fails before it is made."""


TABLE_OF_STAGE = {"distill": "stage1"}
"""Table that lacks a part for a stage, where it is not that of the unit."""

WRITE_STAGE = "write"
"""Name of the sink among the stages."""

CHECK_STAGE = "check"
"""Name of the gate before the sink among the stages."""


def letter_of_dialogue(aside: SetAside) -> DeadLetterRow | None:
    """Return the dead letter of a dialogue that failed; null for one that ended otherwise."""
    if aside.end != "dead":
        return None
    unit_id = aside.dialogue_id or aside.source
    return DeadLetterRow(
        row_id=f"{aside.stage}:{unit_id}",
        unit="dialogue",
        unit_id=unit_id,
        dialogue_id=aside.dialogue_id,
        source=aside.source,
        table="dialogues",
        stage=aside.stage,
        code=aside.code,
        message=aside.message,
        record=aside.record,
        response_keys=aside.response_keys,
    )


def letters_of_parts(composed: ComposedDialogue) -> tuple[DeadLetterRow, ...]:
    """Return the dead letters of the states and targets that failed within a dialogue."""
    return tuple(_letter_of_part(composed, failure) for failure in composed.failures)


def letters_of_humdial(
    composed: ComposedDialogue, settings: RowSettings
) -> tuple[DeadLetterRow, ...]:
    """Return the dead letters of the rows of HumDial's tasks that failed."""
    dialogue = composed.dialogue
    return tuple(
        DeadLetterRow(
            row_id=f"{STAGE_OF_TABLE[table]}:{dialogue.dialogue_id}/{table}",
            unit="row",
            unit_id=f"{dialogue.dialogue_id}/{table}",
            dialogue_id=dialogue.dialogue_id,
            source=dialogue.source,
            table=table,
            stage=STAGE_OF_TABLE[table],
            code=end.code,
            message=end.message,
            record=dialogue.model_dump_json(),
            response_keys=end.response_keys,
        )
        for table, end in humdial_ends(composed, settings)
        if isinstance(end, RowEnd) and end.end == "dead"
    )


def letter_of_row(
    row: Row, table: str, source: str, error: RecordError, stage: str = WRITE_STAGE
) -> DeadLetterRow:
    """Return the dead letter of a row that is made, but not written.

    Args:
        row: The row that is not written.
        table: The table that lacks it.
        source: File from which the clip was to be read, or from which the dialogue was read.
        error: Why it is not written.
        stage: Where it was kept out: where a clip is read again, or at the checks.
    """
    return DeadLetterRow(
        row_id=f"{stage}:{row.row_id}",
        unit="row",
        unit_id=row.row_id,
        dialogue_id=row.dialogue_id,
        source=source,
        table=table,
        stage=stage,
        code=error.code,
        message=error.message,
        record=row.model_dump_json(),
    )


def _letter_of_part(composed: ComposedDialogue, failure: Failure) -> DeadLetterRow:
    dialogue = composed.dialogue
    unit_id = dialogue.turn_id(failure.turn_index)
    if failure.unit == "target":
        unit_id = f"{unit_id}/stage2"
    return DeadLetterRow(
        row_id=f"{failure.stage}:{unit_id}",
        unit=failure.unit,
        unit_id=unit_id,
        dialogue_id=dialogue.dialogue_id,
        source=dialogue.source,
        table=TABLE_OF_STAGE.get(failure.stage, TABLE_OF_UNIT[failure.unit]),
        stage=failure.stage,
        code=failure.code,
        message=failure.message,
        response_keys=failure.response_keys,
        record=turn_cell(composed, failure.turn_index).model_dump_json(),
    )
