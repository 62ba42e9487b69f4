"""What a card tells of ends: the funnel, what is fit, flags, and the head for loaders."""

from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from ieat.pipeline.output.card import facts
from ieat.pipeline.output.card.fitness import Fitness, FitPart, fit_parts, fitness_lines
from ieat.pipeline.output.card.flags import Flags, flag_lines
from ieat.pipeline.output.card.front import front_matter
from ieat.pipeline.output.card.funnel import funnel_lines
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.huggingface import features, features_for_card
from ieat.schemas.arrow import arrow_schema, to_record
from ieat.schemas.base import Value
from ieat.schemas.build import (
    Books,
    UnitCounts,
)
from ieat.schemas.cells import AudioCell, ModesCell, TrainableCell
from ieat.schemas.rows import TABLES
from tests.card_rows import manifest


def test_the_funnel_says_what_became_of_every_unit_and_what_codes_mean() -> None:
    books = Books(
        dialogues=UnitCounts(
            read=10, written=7, dead={"audio_missing": 1}, not_reached={"interrupted": 2}
        ),
        tables={"humdial_t1": UnitCounts(read=4, written=1, filtered={"a_code_to_come": 3})},
    )
    found = manifest(books=books, codes={"turn:wrong_language": 2, "dialogue:audio_missing": 1})
    assert list(funnel_lines(found))[2:] == [
        "|  | read | written | kept | dead | filtered | not reached |",
        "|--|--:|--:|--:|--:|--:|--:|",
        "| dialogues | 10 | 7 | 70% | 1 | 0 | 2 |",
        "| turns | 0 | 0 | – | 0 | 0 | 0 |",
        "| targets | 0 | 0 | – | 0 | 0 | 0 |",
        "| humdial_t1 | 4 | 1 | 25% | 0 | 3 | 0 |",
        "",
        "| what | end | code | count | what the code means |",
        "|--|--|--|--:|--|",
        "| dialogues | dead | `audio_missing` | 1 | The audio file does not exist or is not a "
        "file. |",
        "| dialogues | not reached | `interrupted` | 2 | A person or the system stopped the run. |",
        "| humdial_t1 | filtered | `a_code_to_come` | 3 | A code of another version. |",
        "",
        "Labels and causes that failed for one turn; the turn and its dialogue are there:",
        "",
        "| code | turns | what the code means |",
        "|--|--:|--|",
        "| `wrong_language` | 2 | The answer or the thinking is not in the language "
        "of the dialogue; as a flag: the words of a turn, or the corpus' own answer. |",
    ]


class Pair(Value):
    """A part that a later table may have."""

    text: str
    trainable: TrainableCell
    flags: tuple[str, ...]


class LaterRow(Value):
    """A row with two parts that say whether they are fit, one of which may be missing."""

    row_id: str
    pair: Pair | None
    clips: tuple[AudioCell, ...]
    trainable: ModesCell
    flags: tuple[str, ...]


def test_parts_that_say_whether_they_are_fit_are_found_in_every_table() -> None:
    assert fit_parts(LaterRow) == (
        FitPart(("pair", "trainable"), has_modes=False),
        FitPart(("trainable",), has_modes=True),
    )
    assert [part.column for part in fit_parts(TABLES["stage1"])] == [
        "words.trainable",
        "attributes.trainable",
        "distillation.trainable",
    ]
    assert [part.column for part in fit_parts(TABLES["stage2"])] == ["trainable"]


def test_what_is_fit_is_told_for_every_part_and_mode_with_reasons_against_the_rest() -> None:
    fitness, parts = Fitness(), fit_parts(LaterRow)
    modes = {"explicit": True, "injected": False, "implicit": False, "reasons": ["corpus_response"]}
    none = dict.fromkeys(("explicit", "injected", "implicit"), False)
    fit = {"trainable": {"is_trainable": True, "reasons": []}}
    fitness.add_row("later", parts, {"pair": fit, "trainable": modes})
    fitness.add_row(
        "later", parts, {"pair": None, "trainable": {**none, "reasons": ["unscored_words"]}}
    )
    fitness.add_row("empty", parts[:1], {"pair": None})
    assert list(fitness_lines(fitness))[2:] == [
        "| what | fit | of | share | reasons against the others |",
        "|--|--:|--:|--:|--|",
        "| `later`, pair | 1 | 1 | 100% | none |",
        "| `later`, explicit | 1 | 2 | 50% | unscored_words 1 |",
        "| `later`, injected | 0 | 2 | 0% | corpus_response 1, unscored_words 1 |",
        "| `later`, implicit | 0 | 2 | 0% | corpus_response 1, unscored_words 1 |",
        "",
        "| reason | what it means |",
        "|--|--|",
        "| `corpus_response` | The answer is the corpus' own, not from the thinking: fit as "
        "explicit. |",
        "| `unscored_words` | The recognizer gives no confidence for its words. |",
    ]


def test_flags_are_counted_once_a_row_the_most_frequent_first() -> None:
    flags = Flags()
    flags.add("stage1", ("abstained", "short"))
    flags.add("stage1", ("short", "short"))
    flags.add("stage1", ())
    flags.add("aqa", ("a_code_to_come",))
    assert list(flag_lines(flags, {"stage1": "turns"}))[2:] == [
        "| turns | `short` | 2 | 67% | The sound is shorter than half a second. |",
        "| turns | `abstained` | 1 | 33% | The labeler was too unsure to name an emotion. |",
        "| `aqa` | `a_code_to_come` | 1 | 100% | A code of another version. |",
    ]


def test_the_head_lists_tables_with_rows_and_opens_with_stage_2() -> None:
    found = manifest(
        ("dialogues", "train", 1),
        ("stage2", "train", 2),
        ("stage2", "test", 0),
        ("_dead_letters", "all", 3),
    )
    front = yaml.safe_load(front_matter(found, {"MIT"}, ["zh", "en"]))
    assert (front["license_name"], front["language"]) == ("MIT", ["en", "zh"])
    assert front["configs"] == [
        {
            "config_name": "stage2",
            "data_files": [{"split": "train", "path": "stage2/train-*.parquet"}],
            "default": True,
        },
        {
            "config_name": "dialogues",
            "data_files": [{"split": "train", "path": "dialogues/train-*.parquet"}],
        },
    ]


@pytest.mark.parametrize("row_type", [*TABLES.values(), LaterRow], ids=lambda kind: kind.__name__)
def test_the_features_on_the_card_are_those_in_the_files(row_type: type[Value]) -> None:
    on_card = datasets.Features._from_yaml_list(features_for_card(row_type))
    assert on_card == datasets.Features.from_dict(features(row_type))


def test_a_table_that_comes_later_is_counted_without_a_word_about_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TABLES, "later", LaterRow)  # type: ignore[arg-type]
    monkeypatch.setattr(facts, "DATA_TABLES", ("later",))
    row = LaterRow(
        row_id="corpus/d1/later",
        pair=Pair(
            text="x",
            trainable=TrainableCell(is_trainable=False, reasons=("no_audio",)),
            flags=("abstained",),
        ),
        clips=(AudioCell(bytes=b"fLaC", path="a.flac"),),
        trainable=ModesCell(explicit=True, injected=False, implicit=False, reasons=()),
        flags=("short",),
    )
    (tmp_path / "later").mkdir()
    rows = [to_record(row), to_record(row.model_copy(update={"pair": None}))]
    pq.write_table(pa.Table.from_pylist(rows, arrow_schema(LaterRow)), tmp_path / "later/train")
    found = facts.gather_facts(BuildFolder(str(tmp_path)), manifest(("later", "train", 2)))
    assert list(fitness_lines(found.fitness))[4:8] == [
        "| `later`, pair | 0 | 1 | 0% | no_audio 1 |",
        "| `later`, explicit | 2 | 2 | 100% | none |",
        "| `later`, injected | 0 | 2 | 0% | none |",
        "| `later`, implicit | 0 | 2 | 0% | none |",
    ]
    assert list(flag_lines(found.flags, {}))[2:] == [
        "| `later` | `short` | 2 | 100% | The sound is shorter than half a second. |",
        "| `later` | `abstained` | 1 | 50% | The labeler was too unsure to name an emotion. |",
    ]
