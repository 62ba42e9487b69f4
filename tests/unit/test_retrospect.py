"""One look back over a whole dialogue: what is asked, what is taken, and that it stays apart."""

import json

import pytest

from ieat.pipeline.output.sink import rows_of
from ieat.pipeline.output.stage2_rows import RowSettings
from ieat.prompts.library import PromptLibrary
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion
from ieat.schemas.records import DistilledDialogue
from ieat.schemas.retrospection import RowEnd
from tests.fakes import NeverAsked, ScriptedModel, in_turn
from tests.look_back_script import SPOILED
from tests.looking_back import CHINESE, ENGLISH, PATH, TALKS, looked_back, rules, scripted, spoiled

EN, ZH = Language.EN, Language.ZH
BOTH = pytest.mark.parametrize("language", Language)


def ends(found):
    return [(end.table, end.end, end.code) for end in found.row_ends] + [
        (end.table, end.end, end.code) for end in found.retrospection.ends
    ]


@BOTH
def test_one_question_gives_path_and_reasons(language):
    model = ScriptedModel(scripted)
    found = looked_back(TALKS[language], language=language, model=model)
    assert len(model.questions) == 1
    look, reasons = found.retrospection.trajectory, found.retrospection.reasons
    assert look.sequence == (Emotion.FEAR, Emotion.NEUTRAL, Emotion.ANGER)
    assert [step.turn_index for step in look.steps] == [0, 2, 4, 6]
    assert [step.is_question for step in look.steps] == [False, False, False, True]
    for step in look.steps:
        (shown,) = step.evidence
        assert shown.quote == TALKS[language][step.turn_index][1]
    assert [cause.evidence[0].turn_index for cause in reasons.causes] == [0, 2]
    assert found.retrospection.response_keys == ("key-1",)
    assert ends(found) == []


def test_the_question_shows_gold_emotions_and_no_label_of_an_engine():
    model = ScriptedModel(scripted)
    looked_back(model=model)
    asked = model.questions[0].messages[1].content
    assert "[0] fear\n[2] neutral\n[4] anger\n[6] neutral (the question)\n" in asked
    assert asked.endswith("The path runs over the turns [0], [2], [4]. Look back.")
    other = ScriptedModel(scripted)
    found = looked_back(model=other, label_source="text", emotions=dict.fromkeys(PATH, Emotion.SAD))
    assert "sad" not in other.questions[0].messages[1].content
    assert "[0] to be found\n" in other.questions[0].messages[1].content
    assert {step.source for step in found.retrospection.trajectory.steps} == {"retrospective"}


def test_the_emotion_of_the_question_is_part_of_the_path_where_the_switch_says_so():
    found = looked_back(with_rules=rules(includes_question=True))
    assert found.retrospection.trajectory.sequence == (
        Emotion.FEAR, Emotion.NEUTRAL, Emotion.ANGER, Emotion.NEUTRAL
    )  # fmt: skip


def test_what_answers_the_question_in_the_corpus_is_not_shown():
    model = ScriptedModel(scripted)
    looked_back((*ENGLISH, ("bob", "You were surprised and excited")), model=model)
    assert "excited" not in model.questions[0].messages[1].content


@BOTH
@pytest.mark.parametrize("how", SPOILED)
def test_an_answer_that_breaks_a_check_fails_its_own_row_alone(language, how):
    model = ScriptedModel(scripted)
    found = looked_back(spoiled(language, how), language=language, model=model)
    code = SPOILED[how]
    table = f"humdial_{code[:2]}"
    assert ends(found) == [(table, "dead", code)]
    assert len(model.questions) == 2
    (end,) = found.retrospection.ends
    assert end.response_keys == ("key-1", "key-2")
    other = found.retrospection.reasons if table == "humdial_t1" else found.retrospection.trajectory
    assert other is not None


@BOTH
@pytest.mark.parametrize("how", SPOILED)
def test_it_is_asked_again_once_in_words_of_its_code(language, how):
    model = ScriptedModel(scripted)
    found = looked_back(spoiled(language, how, "once"), language=language, model=model)
    assert ends(found) == []
    words = PromptLibrary({}).template("retrospection_reask", language).sections[SPOILED[how]]
    assert model.last_prompts[1] == words
    assert found.retrospection.response_keys == ("key-1", "key-2")


def test_what_the_first_answer_got_right_is_kept_when_the_second_is_broken():
    good = scripted(_question())
    bad = good | {"trajectory_answer": "You were furious about the bag."}
    found = looked_back(model=ScriptedModel(in_turn(bad, '{"steps": [')))
    assert ends(found) == [("humdial_t1", "dead", "t1_vocab_deviation")]
    assert found.retrospection.reasons.conclusion == good["conclusion"]


def test_two_answers_that_cannot_be_read_fail_both_rows():
    found = looked_back(model=ScriptedModel(in_turn("{", "{")))
    assert found.retrospection is None
    assert [(e.table, e.end, e.code, e.response_keys) for e in found.row_ends] == [
        (table, "dead", "broken_json", ("key-1", "key-2")) for table in ("humdial_t1", "humdial_t2")
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"event": "The label says they are afraid."}, "label_named"),
        ({"event": "In turn [0] they lose a bag."}, "surrogate_leak"),
        ({"event": "他们的包不见了。"}, "wrong_language"),
        ({"event": "They are sobbing over their bag."}, "vocal_claim"),
        ({"emotion": "sad"}, "t1_steps"),
        ({"evidence": [{"turn": 0, "quote": "My bog"}]}, "span_not_verbatim"),
        ({"evidence": [{"turn": 4, "quote": "Somebody stole it"}]}, "future_evidence"),
        ({"evidence": []}, "evidence_missing"),
    ],
)
def test_steps_are_held_to_the_checks_of_causes(change, code):
    answer = scripted(_question())
    answer["steps"][0] |= change
    found = looked_back(model=ScriptedModel(in_turn(answer, answer)))
    assert ends(found) == [("humdial_t1", "dead", code)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"reasons_answer": "As an AI, I see that your bag is gone."}, "self_reference"),
        ({"reasons_answer": "- Your bag is gone.\n- It was stolen."}, "markup"),
        ({"reasons_answer": "你的包不见了。"}, "wrong_language"),
        ({"reasons_answer": "bag " * 131}, "too_long"),
        ({"causes": []}, "evidence_missing"),
        ({"takeaway": ""}, "empty_answer"),
    ],
)
def test_reasons_are_held_to_the_checks_of_responses(change, code):
    answer = scripted(_question()) | change
    found = looked_back(model=ScriptedModel(in_turn(answer, answer)))
    assert ends(found) == [("humdial_t2", "dead", code)]


def test_a_turn_that_does_not_tell_its_emotion_leaves_the_path_out():
    answer = scripted(_question())
    answer["steps"][2]["emotion"] = "unclear"
    model = ScriptedModel(in_turn(answer))
    found = looked_back(model=model, label_source="text")
    assert ends(found) == [("humdial_t1", "dead", "t1_unclear")]
    assert found.retrospection.reasons is not None
    answer["steps"][2]["emotion"] = "anger"
    answer["steps"][3]["emotion"] = "unclear"
    found = looked_back(model=ScriptedModel(in_turn(answer)), label_source="text")
    assert ends(found) == []
    assert [step.turn_index for step in found.retrospection.trajectory.steps] == [0, 2, 4]


@pytest.mark.parametrize(
    ("talk", "code"),
    [
        (ENGLISH[:2] + ENGLISH[6:], "too_few_turns"),
        (CHINESE[:1], "too_few_turns"),
        (ENGLISH[:2] * 13, "too_many_turns"),
        ((("bob", "Hello"), ("cal", "Hello"), ("ann", "Oh")), "too_few_turns"),
    ],
)
def test_dialogues_too_short_or_too_long_for_a_path_are_left_out_unasked(talk, code):
    language = ZH if talk == CHINESE[:1] else EN
    found = looked_back(talk, language=language, emotions={}, model=NeverAsked())
    assert [(end.table, end.end, end.code) for end in found.row_ends] == [
        ("humdial_t1", "filtered", code), ("humdial_t2", "filtered", code)
    ]  # fmt: skip
    assert found.retrospection is None


def test_only_the_tables_of_the_corpus_tasks_are_looked_back_for():
    assert looked_back(tasks=["T1"]).look_back.wanted == ("humdial_t1",)
    assert looked_back(tasks=["T1"]).retrospection.reasons is None
    assert looked_back(tasks=["T2"]).look_back.wanted == ("humdial_t2",)
    untouched = looked_back(tasks=["T4"], model=NeverAsked())
    assert (untouched.look_back, untouched.row_ends) == (None, ())
    off = looked_back(with_rules=rules(tables=("humdial_t3",)), model=NeverAsked())
    assert (off.look_back, off.row_ends) == (None, ())


def test_the_last_turn_asks_by_the_rule_of_the_corpus_or_by_its_words():
    assert looked_back().look_back.asked_for == ("humdial_t1",)
    told = (*ENGLISH[:6], ("ann", "I will call the police"))
    assert looked_back(told).look_back.asked_for == ()
    assert looked_back(told).look_back.path == (0, 2, 4, 6)
    odd = (*ENGLISH[:6], ("ann", "So what do you make of all this"))
    assert looked_back(odd, tasks=["T1"]).look_back.asked_for == ("humdial_t1",)
    assert looked_back(odd).look_back.asked_for == ()


def test_nothing_that_is_causal_rests_on_the_look_back():
    found = looked_back()
    before = DistilledDialogue.model_validate(
        {name: getattr(found, name) for name in DistilledDialogue.model_fields}
    )
    other = looked_back(model=ScriptedModel(in_turn("{", "{")))
    settings = RowSettings(20, 120.0, "reference")
    plain = [(table, row.model_dump_json()) for table, row in rows_of(before, settings)]
    assert {table for table, _ in plain} == {"dialogues", "stage1", "stage2"}
    for dialogue in (found, other):
        again = [(table, row.model_dump_json()) for table, row in rows_of(dialogue, settings)]
        assert again == plain
    words = json.dumps([row for _, row in plain])
    assert "retrospect" not in words
    assert found.retrospection.trajectory.answer not in words
    assert found.retrospection.source == "retrospective"


def _question():
    model = ScriptedModel(scripted)
    looked_back(model=model)
    return model.questions[0]


def test_an_end_says_why():
    found = looked_back(spoiled(EN, "adding"))
    assert found.retrospection.ends == (
        RowEnd(
            table="humdial_t1",
            end="dead",
            code="t1_addition",
            message="names 'anxiety', which is not in the path",
            response_keys=("key-1", "key-2"),
        ),
    )
