"""Every section of a card from facts made by hand, whole."""

from collections import Counter
from fractions import Fraction
from typing import Any

import datasets
import pytest
import yaml
from sklearn.metrics import cohen_kappa_score

from ieat.pipeline.output.card.agreement import Agreement, agreement_lines, kappa
from ieat.pipeline.output.card.balance import Balance, balance_lines, evenness
from ieat.pipeline.output.card.causes import Causes, cause_lines
from ieat.pipeline.output.card.emotions import Emotions, emotion_lines, shift_lines
from ieat.pipeline.output.card.fitness import Fitness, FitPart, fit_parts, fitness_lines
from ieat.pipeline.output.card.flags import Flags, flag_lines
from ieat.pipeline.output.card.front import front_matter
from ieat.pipeline.output.card.funnel import funnel_lines
from ieat.pipeline.output.card.lengths import Lengths, length_lines, quantile
from ieat.pipeline.output.card.markdown import clock, share, table
from ieat.pipeline.output.card.resources import (
    Origins,
    gate_lines,
    library_lines,
    model_lines,
    prompt_lines,
    synthesizers,
)
from ieat.pipeline.output.card.size import Sizes, corpus_lines, row_lines, size_lines
from ieat.pipeline.output.card.speakers import (
    NUM_TOP,
    Speakers,
    pseudonym,
    speaker_lines,
    word_error_lines,
)
from ieat.pipeline.output.huggingface import features, features_for_card
from ieat.schemas.base import Value
from ieat.schemas.build import (
    Books,
    DataResource,
    LibraryResource,
    Manifest,
    ModelResource,
    Resources,
    ShardFile,
    UnitCounts,
)
from ieat.schemas.cells import AudioCell, ModesCell, TrainableCell
from ieat.schemas.rows import TABLES


def manifest(*files: tuple[str, str, int], **changes: Any) -> Manifest:
    shards = tuple(
        ShardFile(
            table=table, split=split, file=f"{table}/{split}", num_rows=rows, num_bytes=1, sha256=""
        )
        for table, split, rows in files
    )
    return Manifest.model_validate(
        {"books": Books(), "shards": shards, "codes": {}, "not_configured": (), **changes}
    )


def said(
    speaker: str = "ann",
    clean: str = "my bag is gone",
    source: str | None = None,
    seconds: float | None = None,
    flags: tuple[str, ...] = (),
    *,
    conflict: bool = False,
    **labels: str | None,
) -> dict[str, Any]:
    """A turn of a row of `dialogues`."""
    sources = {
        name: {"emotion": labels[name]} if name in labels else None
        for name in ("gold", "text", "voice")
    }
    return {
        "speaker": speaker,
        "clean": clean,
        "source_text": source,
        "audio": None if seconds is None else {"duration": seconds},
        "flags": flags,
        "conflict": conflict,
        **sources,
    }


def talk(*turns: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A row of `dialogues`."""
    return {
        "corpus": "queen",
        "language": "en",
        "license": "freeware",
        "tasks": (),
        "turns": turns,
        "shifts": (),
        "causes": (),
        "provenance": {
            "recognizer_id": "ear",
            "prompt_ids": (),
            "prompt_sha256s": (),
            "response_keys": (),
        },
        **changes,
    }


def test_a_table_puts_numbers_to_the_right_and_keeps_its_columns() -> None:
    rows = [("a|b", 1234, "5%", 0.5, "1:02:03"), ("c\nd", None, "–", None, "0:00:00")]
    assert list(table(("name", "n", "share", "x", "time"), rows)) == [
        "| name | n | share | x | time |",
        "|--|--:|--:|--:|--:|",
        "| a\\|b | 1,234 | 5% | 0.50 | 1:02:03 |",
        "| c d | – | – | – | 0:00:00 |",
    ]
    assert list(table(("host",), [("127.0.0.1",)])) == ["| host |", "|--|", "| 127.0.0.1 |"]


def test_shares_and_times_are_written_for_people() -> None:
    assert (share(1, 3), share(0, 0)) == ("33%", "–")
    assert (clock(59.6), clock(360_061.0)) == ("0:01:00", "100:01:01")


def test_sizes_are_told_by_split_and_language_with_speakers_counted_once() -> None:
    sizes, speakers = Sizes(), Speakers()
    for split, row in (
        ("train", talk(said(seconds=3.0), said("bob"))),
        ("test", talk(said(seconds=60.0), license=None)),
        ("train", talk(said("小明"), corpus="cped", language="zh", license="Apache-2.0")),
    ):
        sizes.add_dialogue(split, row, speakers.add_dialogue(row))
    assert list(size_lines(sizes))[2:] == [
        "| test | en | 1 | 1 | 1 | 0:01:00 | 1 |",
        "| train | en | 1 | 2 | 1 | 0:00:03 | 2 |",
        "| train | zh | 1 | 1 | 0 | 0:00:00 | 1 |",
        "| all | en, zh | 3 | 4 | 2 | 0:01:03 | 3 |",
    ]
    assert list(corpus_lines(sizes, {"cped": "Voice 9 (open: yes)"}))[2:] == [
        "| cped | Apache-2.0 1 | 1 | 0:00:00 | Voice 9 (open: yes) |",
        "| queen | freeware 1, none stated 1 | 2 | 0:01:03 | not declared |",
    ]


def test_rows_are_told_by_table_and_split() -> None:
    found = manifest(("stage1", "train", 5), ("stage1", "train", 2), ("aqa", "test", 1))
    assert list(row_lines(found, ("stage1", "stage2", "aqa"))) == [
        "| table | test | train | rows |",
        "|--|--:|--:|--:|",
        "| `stage1` | 0 | 7 | 7 |",
        "| `aqa` | 1 | 0 | 1 |",
    ]


def test_speakers_have_ids_in_place_of_names_and_the_rest_is_summed() -> None:
    speakers = Speakers()
    speakers.add_dialogue(
        talk(
            said("ann", "my bag is gone", "my bag was gone", 7200.0),
            said("ann", "oh", "oh", 0.0),
            *(said(f"s{number:02}") for number in range(NUM_TOP)),
            said("s00"),
        )
    )
    lines = list(speaker_lines(speakers))
    ann = pseudonym("queen", "ann")
    assert len(ann) == 8
    assert lines[4] == f"| `{ann}` | en | 1 | 2 | 15% | 2:00:00 | 20.0% of 5 |"
    assert lines[5] == f"| `{pseudonym('queen', 's00')}` | en | 1 | 2 | 15% | 0:00:00 | – |"
    assert lines[-1] == "| 1 others | – | – | 1 | 8% | 0:00:00 | – |"
    assert len(lines) == 4 + NUM_TOP + 1
    assert not any("ann" in line for line in lines)


def test_word_errors_are_those_of_a_recognizer_against_words_of_sound() -> None:
    speakers = Speakers()
    speakers.add_dialogue(
        talk(
            said("ann", "my bag is gone", "my bag was gone", 1.0),
            said("bob", "oh", "oh", 1.0),
            said("bob", "text only", "text alone"),
        )
    )
    speakers.add_dialogue(talk(said("小明", "我的包", "我的书包", 1.0), language="zh"))
    gold = {**talk()["provenance"], "recognizer_id": "gold"}
    speakers.add_dialogue(talk(said("eve", "one", "two", 1.0), provenance=gold))
    assert list(word_error_lines(speakers))[2:4] == [
        "| en | words | 20.0% | 1 | 5 | 2 | 0.0% to 25.0% |",
        "| zh | characters | 25.0% | 1 | 4 | 1 | 25.0% to 25.0% |",
    ]


def felt(emotion: str | None, intensity: str | None, language: str = "en") -> dict[str, Any]:
    return {"language": language, "attributes": {"emotion": emotion, "intensity": intensity}}


def test_emotions_are_told_by_split_language_and_intensity() -> None:
    emotions = Emotions()
    for split, row in (
        ("train", felt("sad", "high")),
        ("train", felt("sad", "low")),
        ("train", felt("happy", "high", "zh")),
        ("test", felt(None, None)),
    ):
        emotions.add_turn(split, row)
    for emotion in ("neutral", "sad", "sad"):
        state = {"turn_index": 2, "emotion": emotion}
        emotions.add_target({"turn_index": 2, "trajectory_so_far": [state]})
    assert list(emotion_lines(emotions))[2:] == [
        "| split | language | intensity | happy | sad | anger | fear | neutral | surprise "
        "| disgust | unknown | all |",
        "|--|--|--|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        "| test | en | unknown | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 1 | 1 |",
        "| train | en | low | 0 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 1 |",
        "| train | en | high | 0 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 1 |",
        "| train | zh | high | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 1 |",
        "",
        "Neutral targets: 1 of 3 (33%).",
    ]


def test_shifts_are_a_matrix_from_the_old_to_the_new_emotion() -> None:
    emotions = Emotions()
    changes = (("sad", "happy", "better"), ("sad", "happy", "better"), ("happy", "anger", "worse"))
    emotions.add_dialogue(
        talk(
            shifts=[
                {"from_emotion": old, "to_emotion": new, "direction": direction}
                for old, new, direction in changes
            ]
        )
    )
    assert list(shift_lines(emotions))[2:] == [
        "| from | to happy | to anger | all |",
        "|--|--:|--:|--:|",
        "| happy | – | 1 | 1 |",
        "| sad | 2 | 0 | 2 |",
        "",
        "By valence: 2 to the better, 1 to the worse, 0 between equals.",
    ]


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
        "| `wrong_language` | 2 | The answer is not in the language of the dialogue. |",
    ]


def test_agreement_is_told_for_every_pair_of_sources() -> None:
    agreement = Agreement()
    for turn in (
        said(gold="sad", text="sad", voice="sad"),
        said(gold="anger", text="sad", conflict=True),
        said(gold="anger", text="anger"),
        said(gold="anger"),
        said(gold=None, text="happy", flags=("voice_failed",)),
    ):
        agreement.add_turn(turn)
    lines = list(agreement_lines(agreement))
    assert lines[2:5] == [
        "| the corpus and the words | 3 | 2 | 67% | 0.40 |",
        "| the corpus and the voice | 1 | 1 | 100% | – |",
        "| the words and the voice | 1 | 1 | 100% | – |",
    ]
    assert lines[8:14] == [
        "Rows: the corpus; columns: the words.",
        "",
        "|  | sad | anger | all | named alike |",
        "|--|--:|--:|--:|--:|",
        "| sad | 1 | 0 | 1 | 100% |",
        "| anger | 1 | 1 | 2 | 50% |",
    ]
    assert lines[-1] == (
        "Voices labeled: 1; that could not be: 1. Turns whose sources name different emotions: 1."
    )


def test_kappa_is_that_of_the_library_everybody_uses() -> None:
    confusion = Counter(
        {("sad", "sad"): 20, ("sad", "anger"): 5, ("anger", "sad"): 10, ("happy", "anger"): 3}
    )
    first, second = zip(*confusion.elements(), strict=True)
    assert kappa(confusion) == pytest.approx(cohen_kappa_score(first, second))
    assert kappa(Counter({("sad", "sad"): 4})) is None
    assert kappa(Counter()) is None


def caused(kind: str, turn: int, *quotes: tuple[int, str], appraisal: str | None = "It hurts."):
    return {
        "kind": kind,
        "turn_index": turn,
        "speaker": "ann",
        "appraisal": appraisal,
        "evidence": [
            {"turn_index": quoted, "speaker": speaker, "is_word_timed": quoted == turn}
            for quoted, speaker in quotes
        ],
    }


def test_causes_are_told_by_kind_with_distance_and_speaker_of_their_quotes() -> None:
    causes = Causes()
    causes.add_dialogue(
        talk(
            causes=[
                caused("explicit", 4, (4, "ann"), (3, "bob"), (1, "bob"), (0, "ann")),
                caused("explicit", 6, (6, "ann")),
                caused("latent", 6, appraisal=None),
            ]
        )
    )
    assert list(cause_lines(causes)) == [
        "3 causes of 2 states. Quotes are counted by how far they lie before the state, and by "
        "whose words they are.",
        "",
        "| kind | causes | without quote | without appraisal | quotes | own turn | turn before "
        "| earlier | own words | another's |",
        "|--|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        "| explicit | 2 | 0 | 0 | 5 | 2 | 1 | 2 | 3 | 2 |",
        "| latent | 1 | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0 |",
        "| all | 3 | 1 | 1 | 5 | 2 | 1 | 2 | 3 | 2 |",
        "",
        "Quotes timed to the word: 2 of 5 (40%); the others have the times of their turn.",
    ]


class Pair(Value):
    """A part that a later table may have."""

    text: str
    trainable: TrainableCell


class LaterRow(Value):
    """A row with two parts that say whether they are fit, one of which may be missing."""

    row_id: str
    pair: Pair | None
    clips: tuple[AudioCell, ...]
    trainable: ModesCell


def test_parts_that_say_whether_they_are_fit_are_found_in_every_table() -> None:
    assert fit_parts(LaterRow) == (
        FitPart(("pair", "trainable"), has_modes=False),
        FitPart(("trainable",), has_modes=True),
    )
    assert [part.column for part in fit_parts(TABLES["stage1"])] == [
        "words.trainable",
        "attributes.trainable",
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
        "| turns | `short` | 2 | 67% | The sound is very short. |",
        "| turns | `abstained` | 1 | 33% | The labeler was too unsure to name an emotion. |",
        "| `aqa` | `a_code_to_come` | 1 | 100% | A code of another version. |",
    ]


def test_a_quantile_is_a_length_that_occurs() -> None:
    lengths = Counter({1: 1, 2: 18, 50: 1})
    found = [quantile(lengths, Fraction(share, 100)) for share in (5, 6, 50, 95, 96)]
    assert found == [1, 2, 2, 2, 50]
    with pytest.raises(ValueError, match="no lengths"):
        quantile(Counter(), Fraction(1, 2))


def test_lengths_are_in_words_or_characters_and_seconds() -> None:
    lengths = Lengths()
    for words, seconds in (("oh", 0.31), ("my bag is gone", 2.0), ("I see it", None)):
        lengths.add_turn({"language": "en", "words": {"clean": words}, "duration": seconds})
    lengths.add_target(
        {"language": "zh", "thinking": {"text": "他很生气。"}, "response": {"text": "我明白。"}}
    )
    lengths.add_dialogue(talk(said(), said()))
    assert list(length_lines(lengths)) == [
        "| length of | language | count | 5 % | median | 95 % |",
        "|--|--|--:|--:|--:|--:|",
        "| turn, seconds | en | 2 | 0.3 | 0.3 | 2.0 |",
        "| turn, words | en | 3 | 1 | 3 | 4 |",
        "| thinking, characters | zh | 1 | 4 | 4 | 4 |",
        "| response, characters | zh | 1 | 3 | 3 | 3 |",
        "| dialogue, turns | en | 1 | 2 | 2 | 2 |",
    ]


def test_evenness_is_one_for_equal_groups_and_none_for_a_single_one() -> None:
    assert evenness(Counter(a=5, b=5, c=5)) == pytest.approx(1.0)
    assert evenness(Counter({"a": 5, "b": 0})) == 0.0
    assert evenness(Counter(a=5)) is None


def test_balance_tells_the_largest_and_the_smallest_group() -> None:
    emotions, sizes, speakers, balance = Emotions(), Sizes(), Speakers(), Balance()
    for row in (
        talk(said(), said("bob"), tasks=("T1", "T3")),
        talk(said(), tasks=("T1",)),
        talk(said("eve", ""), language="zh"),
    ):
        sizes.add_dialogue("train", row, speakers.add_dialogue(row))
        balance.add_dialogue(row)
    emotions.add_turn("train", felt("sad", None))
    ann, eve = pseudonym("queen", "ann"), pseudonym("queen", "eve")
    bob = pseudonym("queen", "bob")
    lines = list(balance_lines(balance, emotions, sizes, speakers))[4:]
    assert lines == [
        "| turns by emotion, where known | 7 | sad | 100% | surprise | 0% | 0.00 |",
        "| dialogues by language | 2 | en | 67% | zh | 33% | 0.92 |",
        "| dialogues by corpus | 1 | queen | 100% | – | – | – |",
        "| dialogues by task | 2 | T1 | 67% | T3 | 33% | 0.92 |",
        "| dialogues by number of turns | 2 | 1 | 67% | 2 | 33% | 0.92 |",
        f"| turns by speaker | 3 | `{ann}` | 50% | `{max(bob, eve)}` | 25% | 0.95 |",
    ]


MODEL = {"model_id": "openai:m", "license": None, "source": None, "host": "gpu"}


def test_models_are_told_once_with_all_that_they_did() -> None:
    resources = Resources(
        models=(
            ModelResource(role="labeler", is_commercial=None, **MODEL),
            ModelResource(role="attributor", is_commercial=None, **MODEL),
            ModelResource(
                role="recognizer",
                model_id="moonshine:tiny",
                license="MIT",
                source=None,
                is_commercial=False,
                is_open=True,
            ),
        ),
        data=(),
        prompts=(),
    )
    identity = {
        "sampling": {"temperature": 0.0, "top_p": None, "seed": 1},
        "voice_sampling": {"temperature": None, "extra_body": {}},
    }
    assert list(model_lines(resources, identity)) == [
        "| part | model | license | open | ran at | commercial service |",
        "|--|--|--|--|--|--|",
        "| labeler, attributor | `openai:m` | not known | not known | gpu | not known |",
        "| recognizer | `moonshine:tiny` | MIT | yes | this process | no |",
        "",
        "The language model is asked with temperature 0.0, seed 1.",
        "",
        "The voice labeler is asked with the settings of its server.",
    ]


def test_rules_on_resources_are_told_as_the_build_knows_them() -> None:
    data = DataResource(corpus="deep", path="d", licenses=(), synthesizer="Voice 9")
    known = Resources(models=(), data=(data,), prompts=(), commercial_api=True)
    assert list(gate_lines(known)) == [
        "* A commercial service had a part (`commercial_api`): yes.",
        "* The build itself synthesizes no speech; declared as synthesized: deep by Voice 9.",
        "* All declared synthesizers are open (`tts_open_source`): not known.",
    ]
    assert synthesizers(known) == {"deep": "Voice 9 (open: not known)"}
    assert list(gate_lines(Resources(models=(), data=(), prompts=()))) == [
        "* A commercial service had a part (`commercial_api`): not known.",
        "* The build itself synthesizes no speech, and no input is declared as synthesized "
        "(`tts_open_source`: not known).",
    ]


def test_prompts_are_those_that_dialogues_rest_on() -> None:
    origins = Origins()
    asked = {
        "prompt_ids": ["labeling@1.en", "thinking@1.en"],
        "prompt_sha256s": ["ab" * 32, "cd" * 32],
        "response_keys": ["k1", "k2", "k3"],
    }
    origins.add_dialogue(talk(provenance=asked))
    origins.add_dialogue(talk())
    assert list(prompt_lines(origins, manifest(not_configured=("labels from the voice",)))) == [
        "| prompt or template | SHA-256 begins with | dialogues |",
        "|--|--|--:|",
        "| `labeling@1.en` | `abababababababab` | 1 |",
        "| `thinking@1.en` | `cdcdcdcdcdcdcdcd` | 1 |",
        "",
        "build.json has the whole hashes, also those of prompts that no row rests on.",
        "Stored answers behind the dialogues: 3.",
        "",
        "Done without: labels from the voice.",
    ]


def test_libraries_are_told_by_license() -> None:
    libraries = tuple(
        LibraryResource(name=name, license=license)
        for name, license in (("a", "MIT"), ("b", None), ("c", "MIT"))
    )
    found = Resources(models=(), data=(), prompts=(), libraries=libraries)
    assert list(library_lines(found))[2:] == ["| MIT | a, c |", "| not known | b |"]


def test_a_build_without_rows_has_sentences_in_place_of_empty_tables() -> None:
    sizes, speakers, emotions = Sizes(), Speakers(), Emotions()
    assert [
        *size_lines(sizes),
        *corpus_lines(sizes, {}),
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
        "No dialogue was written.",
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
