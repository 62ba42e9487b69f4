"""Rows of HumDial's tasks for tests, and a folder that holds them."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.shards import open_writer
from ieat.schemas.arrow import to_record
from ieat.schemas.base import Value
from ieat.schemas.cells import (
    MessageCell,
    ProvenanceCell,
    ResponseCell,
    ThinkingCell,
    TrainableCell,
)
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion, Intensity
from ieat.schemas.humdial_rows import (
    AskedTurnCell,
    HumdialT1Row,
    HumdialT2Row,
    HumdialT3Row,
    QuestionCell,
    RetrospectionCell,
    RootedCauseCell,
    StepCell,
)
from tests.writing import sounding, write_build

SHA = "c" * 64
TURNS = (
    ("user", "My bag is gone [sigh]", Emotion.SAD),
    ("assistant", "Oh no.", None),
    ("user", "They stole it!", Emotion.ANGER),
    ("assistant", "That is bad.", None),
    ("user", "How did I feel?", Emotion.NEUTRAL),
)
"""Role, words and the corpus' emotion of each turn; the last one asks."""
ANSWER = "You were sad about the bag, and then angry, as it was stolen."


def turn_cells(question: int | None) -> tuple[AskedTurnCell, ...]:
    return tuple(
        AskedTurnCell(
            turn_index=index,
            source_turn_id=str(index),
            speaker="ann" if role == "user" else "bob",
            role=role,  # type: ignore[arg-type]
            clean=words.replace(" [sigh]", ""),
            tagged=words,
            gold=emotion,
            emotion=emotion,
            intensity=None,
            chosen_from="gold" if emotion else None,
            is_question=index == question,
            clip_index=None,
        )
        for index, (role, words, emotion) in enumerate(TURNS)
    )


def common(task: str, name: str, language: Language, writer: str | None = None) -> dict:
    return {
        "row_id": f"corpus/{name}/humdial_{task}",
        "dialogue_id": f"corpus/{name}",
        "user_speaker": "ann",
        "language": language,
        "split": "train",
        "license": None,
        "messages": (MessageCell(role="assistant", kind="write", content="a", loss=True),),
        "audios": (),
        "audio_spans": (),
        "trainable": TrainableCell(is_trainable=True, reasons=()),
        "provenance": ProvenanceCell(
            recognizer_id="gold",
            labeler_id="gold",
            attributor_id=None,
            writer_id=writer,
            prompt_ids=(),
            prompt_sha256s=(),
            response_keys=(),
        ),
        "flags": (),
    }


def looked_back(*, synthetic: bool, model: str, answer: str = ANSWER) -> dict:
    return {
        "turns": turn_cells(None if synthetic else 4)[: 4 if synthetic else 5],
        "question": QuestionCell(
            text="What did I go through?" if synthetic else TURNS[4][1],
            turn_index=None if synthetic else 4,
            is_synthetic=synthetic,
            question_id="questions@1.en/t1/0" if synthetic else None,
        ),
        "label_source": "retrospective",
        "retrospection": RetrospectionCell(
            retrospector_id=model,
            prompt_id="retrospection@1.en",
            prompt_sha256=SHA,
            response_keys=(),
        ),
        "answer": answer,
    }


def t1_row(
    name: str = "d1",
    *,
    language: Language = Language.EN,
    synthetic: bool = False,
    model: str = "openai:writer",
    answer: str = ANSWER,
) -> HumdialT1Row:
    emotions = (Emotion.SAD, Emotion.ANGER)
    return HumdialT1Row(
        **common("t1", name, language),
        **looked_back(synthetic=synthetic, model=model, answer=answer),
        steps=tuple(
            StepCell(
                turn_index=turn,
                emotion=emotion,
                word=emotion.value,
                intensity=Intensity.LOW,
                source="gold",
                event="the bag",
                evidence=(),
                is_question=False,
            )
            for turn, emotion in zip((0, 2), emotions, strict=True)
        ),
        sequence_from="gold",
        includes_question_emotion=False,
        emotion_sequence=emotions,
        emotion_words=("sad", "anger"),
        transitions=(),
        anchor="emotions: sad -> anger",
    )


def t2_row(name: str = "d1", *, model: str = "openai:writer") -> HumdialT2Row:
    return HumdialT2Row(
        **common("t2", name, Language.EN),
        **looked_back(synthetic=False, model=model),
        causes=(RootedCauseCell(cause="the theft", evidence=()),),
        evidence_turns=(0, 2),
        root_cause="She does not feel safe.",
        conclusion="c",
        arguments=("a",),
        takeaway="t",
    )


def t3_row(name: str = "d1", *, writer: str | None = "openai:writer") -> HumdialT3Row:
    return HumdialT3Row(
        **common("t3", name, Language.EN, writer),
        turns=turn_cells(None)[:3],
        turn_index=2,
        t3_rule="last_non_neutral",
        target_turn_last_non_neutral=2,
        target_turn_second_non_neutral=2,
        target_emotion=Emotion.ANGER,
        trajectory_so_far=(),
        stage2_row_id=f"corpus/{name}/002/stage2",
        thinking=ThinkingCell(
            text="t", template_id="thinking@1.en", template_sha256=SHA, state_turns=(), causes=()
        ),
        response=ResponseCell(
            text="Anybody would be furious.",
            source="written" if writer else "corpus",
            style=None,
            conditioned_on=("words", "thinking"),
            audio_spans=(),
        ),
    )


def build_with(folder: Path, table: str, rows: Sequence[Value]) -> Path:
    """Write a finished build of one dialogue, and beside it rows of one more table."""
    out = folder / "out"
    write_build(out, [sounding(folder / "sounds")])
    place = f"{table}/train-00000-of-00001.parquet"
    with BuildFolder(str(out)).write(place) as file, open_writer(file, type(rows[0])) as writer:
        records = [to_record(row) for row in rows]
        writer.write_table(pa.Table.from_pylist(records, schema=writer.schema))
    return out
