"""What a card tells of the rows, gathered from the written tables in one pass over each."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow.parquet as pq

from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.word_errors import WordErrors, count_errors
from ieat.schemas.build import Manifest
from ieat.schemas.dialogue import Language

BATCH_ROWS = 64
"""Rows that are in memory at a time."""

UNKNOWN = "unknown"
"""Stands for an emotion that no label gives."""


@dataclass
class Facts:
    """Counts over all rows of a build."""

    languages: Counter[str] = field(default_factory=Counter)
    """Dialogues by language."""
    licenses: Counter[str] = field(default_factory=Counter)
    """Dialogues by license; an empty one when the corpus states none."""
    corpora: Counter[str] = field(default_factory=Counter)
    """Dialogues by corpus."""
    emotions: dict[str, Counter[str]] = field(default_factory=dict)
    """Turns of stage 1 by split and emotion."""
    word_errors: dict[str, WordErrors] = field(default_factory=dict)
    """Errors against the corpus' own words, by language; without the corpus as recognizer."""
    agreement: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Turns with both labels, by (gold, text)."""
    voice_agreement: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Turns with both labels, by (gold, voice)."""
    num_heard: int = 0
    """Turns whose voice was labeled."""
    num_unheard: int = 0
    """Turns whose voice could not be labeled."""
    num_conflicts: int = 0
    """Turns whose sources name different emotions."""
    seconds: float = 0.0
    """Sound of stage 1, seconds."""
    words_reasons: Counter[str] = field(default_factory=Counter)
    """Turns whose words are not fit, by reason."""
    attributes_reasons: Counter[str] = field(default_factory=Counter)
    """Turns whose emotion is not fit, by reason."""
    stage1_fit: Counter[str] = field(default_factory=Counter)
    """Turns that are fit, by part: words, attributes."""
    modes: Counter[str] = field(default_factory=Counter)
    """Targets that are fit, by think mode."""
    modes_reasons: Counter[str] = field(default_factory=Counter)
    """Targets that are not fit for all modes, by reason."""
    target_emotions: Counter[str] = field(default_factory=Counter)
    """Targets by the emotion that is answered."""
    template_ids: Counter[str] = field(default_factory=Counter)
    """Targets by template of the thinking."""


def gather_facts(folder: BuildFolder, manifest: Manifest) -> Facts:
    """Read the tables of a build once, in bounded memory and without their clips."""
    facts = Facts()
    for _, row in _rows(
        folder,
        manifest,
        "dialogues",
        ["corpus", "language", "license", "turns", "provenance.recognizer_id"],
    ):
        _add_dialogue(facts, row)
    for split, row in _rows(
        folder, manifest, "stage1", ["duration", "words.trainable", "attributes"]
    ):
        _add_turn(facts, split, row)
    for _, row in _rows(
        folder,
        manifest,
        "stage2",
        ["turn_index", "trajectory_so_far", "trainable", "thinking.template_id"],
    ):
        _add_target(facts, row)
    return facts


def _rows(
    folder: BuildFolder, manifest: Manifest, table: str, columns: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for shard in manifest.shards:
        if shard.table != table:
            continue
        with (
            folder.files.open(folder.path(shard.file), "rb") as stream,
            pq.ParquetFile(stream) as parquet,
        ):
            for batch in parquet.iter_batches(batch_size=BATCH_ROWS, columns=list(columns)):
                for row in batch.to_pylist():
                    yield shard.split, row


def _add_dialogue(facts: Facts, row: dict[str, Any]) -> None:
    language = row["language"]
    facts.languages[language] += 1
    facts.corpora[row["corpus"]] += 1
    facts.licenses[row["license"] or ""] += 1
    is_recognized = row["provenance"]["recognizer_id"] != "gold"
    for turn in row["turns"]:
        for source, agreement in (("text", facts.agreement), ("voice", facts.voice_agreement)):
            gold, label = turn["gold"], turn[source]
            if gold and label and gold["emotion"] and label["emotion"]:
                agreement[gold["emotion"], label["emotion"]] += 1
        facts.num_heard += turn["voice"] is not None
        facts.num_unheard += "voice_failed" in turn["flags"]
        facts.num_conflicts += turn["conflict"]
        # Words of a turn without sound are the corpus' own: they would count as all right.
        if is_recognized and turn["audio"] is not None and turn["source_text"]:
            errors = count_errors(turn["source_text"], turn["clean"], Language(language))
            before = facts.word_errors.get(language, WordErrors())
            facts.word_errors[language] = before.plus(errors)


def _add_turn(facts: Facts, split: str, row: dict[str, Any]) -> None:
    attributes = row["attributes"]
    facts.emotions.setdefault(split, Counter())[attributes["emotion"] or UNKNOWN] += 1
    facts.seconds += row["duration"] or 0.0
    for part, trainable, reasons in (
        ("words", row["words"]["trainable"], facts.words_reasons),
        ("attributes", attributes["trainable"], facts.attributes_reasons),
    ):
        facts.stage1_fit[part] += int(trainable["is_trainable"])
        reasons.update(trainable["reasons"])


def _add_target(facts: Facts, row: dict[str, Any]) -> None:
    emotion = next(
        (
            state["emotion"]
            for state in row["trajectory_so_far"]
            if state["turn_index"] == row["turn_index"]
        ),
        None,
    )
    facts.target_emotions[emotion or UNKNOWN] += 1
    facts.template_ids[row["thinking"]["template_id"]] += 1
    for mode in ("explicit", "injected", "implicit"):
        facts.modes[mode] += int(row["trainable"][mode])
    facts.modes_reasons.update(row["trainable"]["reasons"])
