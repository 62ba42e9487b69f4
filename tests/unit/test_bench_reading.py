"""Benchmark files in their three formats, and what is wrong with some."""

import json

import pytest

from ieat.pipeline.bench.gold import GoldSpan, as_dialogue
from ieat.pipeline.bench.reading import read_gold
from ieat.pipeline.failures import ConfigError
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion
from tests.gold_files import DIED, YEARS, columns, ecf, reccon, write


@pytest.mark.parametrize("form", ["columns", "reccon", "ecf"])
def test_the_same_dialogues_are_read_from_each_format(tmp_path, form):
    file = read_gold(write(tmp_path, form))
    assert file.format == form
    first, second = file.dialogues
    assert [turn.emotion for turn in first.turns] == [
        Emotion.HAPPY, Emotion.HAPPY, Emotion.ANGER, Emotion.NEUTRAL
    ]  # fmt: skip
    assert [turn.word for turn in first.turns] == ["happiness", "excited", "angry", "neutral"]
    assert [(c.turn_index, c.cause_turns) for c in first.causes] == [
        (0, (0,)),
        (1, (0,)),
        (2, (2,)),
    ]
    cause = second.causes[1]
    assert (cause.turn_index, cause.cause_turns) == (1, (0, 1))
    assert cause.spans == (GoldSpan(turn_index=0, text=DIED), GoldSpan(turn_index=1, text=YEARS))
    has_more = form != "ecf"
    assert cause.is_background is has_more
    assert cause.kinds == (("inter-personal", "no-context") if has_more else ())


def test_stages_see_the_emotions_of_scored_causes_and_no_others(tmp_path):
    first, _ = read_gold(write(tmp_path, "columns")).dialogues
    given = as_dialogue(first, shows_emotions=True)
    assert [turn.emotion for turn in given.turns] == ["happy", "happy", "anger", None]
    hidden = as_dialogue(first, shows_emotions=False)
    assert [turn.emotion for turn in hidden.turns] == [None] * 4
    assert [turn.text for turn in hidden.turns] == [turn.text for turn in first.turns]


def test_a_word_outside_the_seven_is_no_emotion_unless_the_user_maps_it(tmp_path):
    lines = columns()
    lines[0]["turns"][0]["emotion"] = "frustrated"
    file = tmp_path / "talks.jsonl"
    file.write_text(json.dumps(lines[0]), encoding="utf-8")
    (unmapped,) = read_gold(file).dialogues
    assert unmapped.turns[0].emotion is None
    assert [cause.turn_index for cause in unmapped.scored_causes()] == [1, 2]
    (mapped,) = read_gold(file, emotion_map={"frustrated": Emotion.ANGER}).dialogues
    assert mapped.turns[0].emotion is Emotion.ANGER


def test_a_span_is_found_in_another_cited_turn_than_the_one_it_is_listed_with(tmp_path):
    whole = reccon()
    turn = whole["d2"][0][1]
    turn["expanded emotion cause span"] = [YEARS, DIED, "never said"]
    file = tmp_path / "gold.json"
    file.write_text(json.dumps(whole), encoding="utf-8")
    cause = read_gold(file).dialogues[1].causes[1]
    assert [(span.turn_index, span.text) for span in cause.spans] == [
        (1, YEARS), (0, DIED), (None, "never said")
    ]  # fmt: skip


def test_pairs_may_name_turns_without_words(tmp_path):
    conversation = ecf()[1]
    conversation["emotion-cause_pairs"] = [["1_sadness", "1"], ["2_sadness", "1"]]
    file = tmp_path / "gold.json"
    file.write_text(json.dumps([conversation]), encoding="utf-8")
    (found,) = read_gold(file).dialogues
    assert [(c.turn_index, c.cause_turns, c.spans) for c in found.causes] == [
        (0, (0,), ()), (1, (0,), ())
    ]  # fmt: skip


def test_a_file_that_does_not_say_its_language_has_the_one_that_is_given(tmp_path):
    file = write(tmp_path, "ecf")
    assert read_gold(file).dialogues[0].language is Language.EN
    assert read_gold(file, language=Language.ZH).dialogues[0].language is Language.ZH
    # What the file says itself stays.
    assert read_gold(write(tmp_path, "columns"), language=Language.ZH).dialogues[0].language is (
        Language.EN
    )


def test_a_limit_takes_the_first_dialogues(tmp_path):
    file = read_gold(write(tmp_path, "reccon"), limit=1)
    assert [dialogue.name for dialogue in file.dialogues] == ["d1"]


def spoiled(form, change):
    whole = {"columns": columns, "reccon": reccon, "ecf": ecf}[form]()
    change(whole)
    if form == "columns":
        return "\n".join(map(json.dumps, whole))
    return json.dumps(whole)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no dialogue"),
        ("turn,speaker\n", "line 1: is no JSON"),
        ('{"a": 1}', "no known format"),
        ("3", "no known format"),
        ("[]", "holds no dialogue"),
        (
            spoiled("columns", lambda lines: lines[1]["causes"][0].update(turn=7)),
            "line 2, d2: the cause of turn 7 names turn 7, and the last of the dialogue is 1",
        ),
        (spoiled("columns", lambda lines: lines[1].pop("turns")), "line 2: turns: missing"),
        (
            spoiled("columns", lambda lines: lines[1].update(dialogue_id="d1")),
            "the dialogue d1 is there twice",
        ),
        (
            spoiled("columns", lambda lines: lines[0]["turns"][0].update(text=" ")),
            "line 1, d1: turns.0.text",
        ),
        (
            spoiled("reccon", lambda whole: whole["d1"][0][1].update(turn=1)),
            "dialogue d1: its turns are not numbered 1, 2, 3",
        ),
        (
            spoiled(
                "reccon",
                lambda whole: whole["d1"][0][0].update({"expanded emotion cause evidence": ["x"]}),
            ),
            "dialogue d1: 'x' is no number of a turn",
        ),
        (
            spoiled(
                "ecf",
                lambda talks: talks[0].update({"emotion-cause_pairs": [["1_joy", "9_words"]]}),
            ),
            "conversation d1: the cause of turn 0 names turn 8",
        ),
        (
            spoiled("ecf", lambda talks: talks[1].pop("conversation_ID")),
            "conversation number 2 of the list: conversation_ID: missing",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(tmp_path, text, problem):
    file = tmp_path / "gold.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_gold(file)
    assert problem in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        read_gold(tmp_path / "none.json")
    (tmp_path / "latin.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_gold(tmp_path / "latin.json")
