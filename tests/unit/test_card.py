"""How a card is written: tables and numbers, and sentences where there is nothing."""

from ieat.pipeline.output.card.agreement import Agreement, agreement_lines
from ieat.pipeline.output.card.balance import Balance, balance_lines
from ieat.pipeline.output.card.causes import Causes, cause_lines
from ieat.pipeline.output.card.emotions import Emotions, emotion_lines, shift_lines
from ieat.pipeline.output.card.fitness import Fitness, fitness_lines
from ieat.pipeline.output.card.flags import Flags, flag_lines
from ieat.pipeline.output.card.lengths import Lengths, length_lines
from ieat.pipeline.output.card.markdown import clock, share, table
from ieat.pipeline.output.card.resources import (
    library_lines,
    model_lines,
)
from ieat.pipeline.output.card.size import Sizes, corpus_lines, row_lines, size_lines
from ieat.pipeline.output.card.speakers import (
    Speakers,
    speaker_lines,
    word_error_lines,
)
from ieat.schemas.build import (
    Resources,
)
from tests.card_rows import manifest


def test_a_table_puts_numbers_to_the_right_and_keeps_its_columns() -> None:
    rows = [("a|b", 1234, "5%", 0.5, "1:02:03"), ("c\nd", None, "–", None, "0:00:00")]
    assert list(table(("name", "n", "share", "x", "time"), rows)) == [
        "| name | n | share | x | time |",
        "|--|--:|--:|--:|--:|",
        "| a\\|b | 1,234 | 5% | 0.50 | 1:02:03 |",
        "| c d | – | – | – | 0:00:00 |",
    ]
    assert list(table(("x",), [(-0.001,)]))[2:] == ["| 0.00 |"]
    assert list(table(("host",), [("127.0.0.1",)])) == ["| host |", "|--|", "| 127.0.0.1 |"]


def test_shares_and_times_are_written_for_people() -> None:
    assert (share(1, 3), share(0, 0)) == ("33%", "–")
    assert (clock(59.6), clock(360_061.0)) == ("0:01:00", "100:01:01")


def test_a_build_without_rows_has_sentences_in_place_of_empty_tables() -> None:
    sizes, speakers, emotions = Sizes(), Speakers(), Emotions()
    assert [
        *size_lines(sizes),
        *corpus_lines(sizes, ()),
        *row_lines(manifest(), ("stage1",)),
        *fitness_lines(Fitness()),
        *flag_lines(Flags(), {}),
        *emotion_lines(emotions),
        *shift_lines(emotions),
        *agreement_lines(Agreement()),
        *cause_lines(Causes()),
        *word_error_lines(speakers),
        *speaker_lines(speakers),
        *length_lines(Lengths()),
        *balance_lines(Balance(), emotions, sizes, speakers),
        *model_lines(Resources(models=(), data=(), prompts=()), {}),
        *library_lines(Resources(models=(), data=(), prompts=())),
    ] == [
        "No dialogue was written.",
        "No corpus was read.",
        "No row was written.",
        "No row says whether it is fit.",
        "Nothing is odd about any row.",
        "No turn was written.",
        "No emotion changes between known states of one speaker.",
        "Nothing to compare: no turn has labels of two sources. `labels.also_gold` labels the "
        "turns that have the corpus' own label too.",
        "No cause was found.",
        "Nothing to compare: no turn has both words of the corpus and of a recognizer.",
        "Nobody speaks.",
        "There is nothing to measure.",
        "There is nothing to balance.",
        "No model had a part: words and emotions are the corpus' own.",
        "Not listed.",
    ]
