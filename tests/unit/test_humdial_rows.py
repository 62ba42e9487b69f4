"""Dialogues to the rows of HumDial's four tasks, and what becomes of rows that cannot be."""

import pytest

from ieat.pipeline.output.books import close_books, entries_of_humdial, entries_of_letter
from ieat.pipeline.output.dead_letters import letters_of_humdial
from ieat.pipeline.output.humdial_rows import HumdialRowSettings
from ieat.pipeline.output.humdial_turn_rows import find_target_turns, humdial_ends
from ieat.pipeline.output.stage2_rows import RowSettings
from ieat.schemas.arrow import from_record, to_record
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion, EmotionalState, EmotionLabel
from ieat.schemas.humdial_rows import (
    HumdialRow,
    HumdialT1Row,
    HumdialT2Row,
    HumdialT3Row,
    HumdialT4Row,
    QuestionCell,
)
from ieat.schemas.retrospection import RowEnd
from tests.builders import composed
from tests.fakes import ScriptedModel, in_turn
from tests.looking_back import CHINESE, ENGLISH, TALKS, looked_back, rules, spoiled

EN, ZH = Language.EN, Language.ZH
FEAR, NEUTRAL, ANGER, SAD = Emotion.FEAR, Emotion.NEUTRAL, Emotion.ANGER, Emotion.SAD
ALL = ("humdial_t1", "humdial_t2", "humdial_t3", "humdial_t4")
KINDS = {
    "humdial_t1": HumdialT1Row,
    "humdial_t2": HumdialT2Row,
    "humdial_t3": HumdialT3Row,
    "humdial_t4": HumdialT4Row,
}


def settings(*tables, t3_rule="last_non_neutral", audio="embed"):
    return RowSettings(
        20,
        120.0,
        audio,
        HumdialRowSettings(
            tables=tables or ALL, user_speaker="ann", t3_rule=t3_rule, is_embedded=audio == "embed"
        ),
    )


def ends(dialogue, *tables, **options):
    return list(humdial_ends(dialogue, settings(*tables, **options)))


def the_row(dialogue, table, **options):
    ((name, row),) = ends(dialogue, table, **options)
    assert (name, type(row)) == (table, KINDS[table])
    return row


def said(row):
    return [(m.role, m.kind, m.content, m.loss) for m in row.messages]


@pytest.mark.parametrize("language", Language)
def test_every_row_reads_back_as_it_was_written(language):
    found = looked_back(TALKS[language], language=language)
    rows = [row for _, row in ends(found)]
    assert len(rows) == 7
    for row in rows:
        assert isinstance(row, HumdialRow)
        assert from_record(type(row), to_record(row)) == row


def test_t1_tells_the_path_with_its_changes():
    row = the_row(looked_back(TALKS[ZH], language=ZH), "humdial_t1")
    assert row.row_id == "corpus/d1/humdial_t1"
    assert row.emotion_sequence == (FEAR, NEUTRAL, ANGER)
    assert row.emotion_words == ("恐惧", "平静", "愤怒")
    assert row.anchor == "情绪序列: 恐惧 -> 平静 -> 愤怒"
    assert (row.sequence_from, row.includes_question_emotion) == ("gold", False)
    assert [(s.turn_index, s.word, s.is_question) for s in row.steps] == [
        (0, "恐惧", False), (2, "平静", False), (4, "愤怒", False), (6, "平静", True)
    ]  # fmt: skip
    assert [
        (t.from_turn, t.turn_index, t.to_emotion, t.direction, t.intensity_change, t.held_turns)
        for t in row.transitions
    ] == [(0, 2, NEUTRAL, "better", "falls", 1), (2, 4, ANGER, "worse", "rises", 1)]
    assert row.transitions[1].trigger_evidence[0].quote == CHINESE[4][1]
    assert row.question == QuestionCell(
        text=CHINESE[6][1], turn_index=6, is_synthetic=False, question_id=None
    )
    assert row.label_source == "retrospective"
    assert row.retrospection.prompt_id == "retrospection@1.zh"
    assert "key-1" in row.provenance.response_keys
    assert (row.trainable.is_trainable, row.flags) == (True, ())


def test_t1_is_heard_from_the_user_and_read_from_the_other():
    row = the_row(looked_back(), "humdial_t1")
    assert said(row) == [
        ("user", "listen", "<audio>", False),
        ("assistant", "write", ENGLISH[1][1], False),
        ("user", "listen", "<audio>", False),
        ("assistant", "write", ENGLISH[3][1], False),
        ("user", "listen", "<audio>", False),
        ("assistant", "write", ENGLISH[5][1], False),
        ("user", "listen", "<audio>", False),
        ("assistant", "write", row.answer, True),
    ]
    assert [(t.turn_index, t.role, t.clip_index, t.is_question) for t in row.turns] == [
        (0, "user", 0, False), (1, "assistant", None, False), (2, "user", 1, False),
        (3, "assistant", None, False), (4, "user", 2, False), (5, "assistant", None, False),
        (6, "user", 3, True),
    ]  # fmt: skip
    assert [clip.path for clip in row.audios] == [f"corpus/d1/00{n}.flac" for n in (0, 2, 4, 6)]
    assert [span.turn_index for span in row.audio_spans] == [0, 2, 4, 6]


def test_an_emotion_that_lasts_is_one_of_the_sequence():
    found = looked_back(emotions={0: FEAR, 2: FEAR, 4: ANGER, 6: NEUTRAL})
    row = the_row(found, "humdial_t1")
    assert row.emotion_sequence == (FEAR, ANGER)
    assert [(t.from_turn, t.turn_index, t.held_turns) for t in row.transitions] == [(2, 4, 2)]
    same = looked_back(emotions=dict.fromkeys((0, 2, 4, 6), FEAR))
    assert the_row(same, "humdial_t1").flags == ("no_transition",)


@pytest.mark.parametrize("language", Language)
def test_a_last_turn_that_does_not_ask_gets_a_question_without_sound(language):
    tells = {EN: "I will call the police", ZH: "我去报警"}[language]
    talk = (*TALKS[language][:6], ("ann", tells))
    row = the_row(looked_back(talk, language=language), "humdial_t1")
    assert row.question.is_synthetic
    assert row.question.turn_index is None
    assert row.question.question_id.startswith(f"questions@1.{language.value}/t1/")
    assert row.messages[-2].content == f"<audio>\n{row.question.text}"
    assert row.emotion_sequence == (FEAR, NEUTRAL, ANGER, NEUTRAL)
    assert not any(turn.is_question for turn in row.turns)
    assert row.trainable.reasons == ("synthetic_question",)
    assert f"questions@1.{language.value}" in row.provenance.prompt_ids


def test_a_question_of_the_list_follows_a_reply_as_a_turn_of_its_own():
    row = the_row(looked_back(ENGLISH[:6]), "humdial_t2")
    assert said(row)[-3:] == [
        ("assistant", "write", ENGLISH[5][1], False),
        ("user", "listen", row.question.text, False),
        ("assistant", "write", row.answer, True),
    ]


def test_a_question_for_the_one_task_is_no_question_for_the_other():
    found = looked_back()
    assert not the_row(found, "humdial_t1").question.is_synthetic
    other = the_row(found, "humdial_t2")
    assert other.question.question_id.startswith("questions@1.en/t2/")
    assert other.trainable.reasons == ("synthetic_question",)


def test_t2_tells_causes_of_two_turns_and_the_chain():
    why = (*ENGLISH[:6], ("ann", "Why do I feel so bad about this?"))
    row = the_row(looked_back(why), "humdial_t2")
    assert row.evidence_turns == (0, 2)
    assert [cause.evidence[0].quote for cause in row.causes] == [ENGLISH[0][1], ENGLISH[2][1]]
    for part in (row.conclusion, *row.arguments, row.takeaway):
        assert part in row.answer
    assert row.question.turn_index == 6
    assert row.trainable.is_trainable


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"texts_only": [2]}, ("no_audio",)),
        ({"recognizer_id": "openai:ear"}, ("unscored_words",)),
        ({"recognizer_id": "openai:ear", "confidence": 0.9}, ()),
    ],
)
def test_what_speaks_against_training_on_a_look_back(changes, reasons):
    assert the_row(looked_back(**changes), "humdial_t1").trainable.reasons == reasons


def test_rows_of_the_test_tree_are_never_trained_on():
    found = looked_back(split="test")
    flagged = found.model_copy(
        update={"dialogue": found.dialogue.model_copy(update={"flags": ("inference_only",)})}
    )
    rows = [row for _, row in ends(flagged)]
    assert {type(row) for row in rows} == set(KINDS.values())
    assert all("held_out" in row.trainable.reasons for row in rows)
    assert not any(row.trainable.is_trainable for row in rows)


def states(*emotions):
    return [
        EmotionalState(
            turn_index=2 * at, speaker="ann", chosen=emotion, chosen_from=emotion and "gold"
        )
        for at, emotion in enumerate(emotions)
    ]


@pytest.mark.parametrize(
    ("emotions", "last", "second"),
    [
        ((NEUTRAL, NEUTRAL), None, None),
        ((NEUTRAL, SAD, NEUTRAL), 2, None),
        ((FEAR, NEUTRAL, NEUTRAL, Emotion.SURPRISE, NEUTRAL), 6, 6),
        ((FEAR, SAD, NEUTRAL, ANGER, NEUTRAL), 6, 2),
        ((FEAR, None, SAD), 4, 4),
    ],
)
def test_both_rules_of_the_target_turn(emotions, last, second):
    assert find_target_turns(states(*emotions)) == {
        "last_non_neutral": last,
        "second_non_neutral": second,
    }


def test_t3_takes_the_target_of_its_rule_and_tells_both():
    made = composed(ENGLISH, emotions={0: FEAR, 2: SAD, 4: ANGER, 6: NEUTRAL}, label_source="gold")
    for rule, turn, emotion in (("last_non_neutral", 4, ANGER), ("second_non_neutral", 2, SAD)):
        row = the_row(made, "humdial_t3", t3_rule=rule)
        assert (row.turn_index, row.target_emotion, row.t3_rule) == (turn, emotion, rule)
        assert (row.target_turn_last_non_neutral, row.target_turn_second_non_neutral) == (4, 2)
        assert row.flags == ("t3_rules_differ",)
        assert row.stage2_row_id == f"corpus/d1/00{turn}/stage2"
        assert [m.kind for m in row.messages[-2:]] == ["think", "write"]
        assert max(t.turn_index for t in row.turns) == turn
        assert [s.turn_index for s in row.trajectory_so_far][-1] == turn
        assert row.trainable.is_trainable


def test_t3_does_without_a_row_where_there_is_no_target_or_no_answer():
    calm = composed(ENGLISH, emotions={0: NEUTRAL, 2: NEUTRAL, 4: NEUTRAL})
    last = composed(ENGLISH[:1] * 2, emotions={0: NEUTRAL, 1: FEAR})
    unknown = composed(ENGLISH, emotions={0: FEAR}, left_out={0: "state_unknown"})
    failed = composed(ENGLISH, emotions={0: FEAR, 2: ANGER}, failed_targets={2: "wrong_language"})
    assert [
        [(end.end, end.code) for _, end in ends(made, "humdial_t3")]
        for made in (calm, last, unknown, failed)
    ] == [
        [("filtered", "t3_no_target")],
        [("filtered", "t3_no_answer")],
        [("filtered", "state_unknown")],
        [("dead", "needs_failed_target")],
    ]


def test_the_corpus_own_answer_is_no_gold_for_empathy():
    row = the_row(composed(ENGLISH, emotions={0: FEAR}, response="corpus"), "humdial_t3")
    assert row.trainable.reasons == ("corpus_response",)
    assert row.flags == ("t3_unknown_states",)


def heard_as(text, voice):
    made = composed(ENGLISH[:2], emotions={0: text}, golds={0: ANGER})
    (trajectory,) = made.trajectories
    (state,) = trajectory.states
    label = voice and EmotionLabel(source="voice", labeler_id="ear", emotion=voice, confidence=0.7)
    changed = trajectory.model_copy(update={"states": (state.model_copy(update={"voice": label}),)})
    return made.model_copy(update={"trajectories": (changed,)})


@pytest.mark.parametrize(
    ("text", "voice", "relation"),
    [
        (FEAR, FEAR, "aligned"),
        (FEAR, ANGER, "conflict"),
        (FEAR, None, "unknown"),
        (None, ANGER, "unknown"),
    ],
)
def test_t4_tells_whether_words_and_voice_agree(text, voice, relation):
    row = the_row(heard_as(text, voice), "humdial_t4")
    assert (row.text_emotion, row.audio_emotion, row.relation) == (text, voice, relation)
    assert (row.gold, row.emotion, row.word) == (ANGER, ANGER, "anger")
    assert row.audio_confidence == (0.7 if voice else None)
    assert row.row_id == "corpus/d1/000/humdial_t4"
    assert said(row) == [
        ("user", "listen", f"<audio>\n{row.instruction}", False),
        ("assistant", "write", "anger", True),
    ]
    assert row.instruction_id.startswith("questions@1.en/t4/")
    assert row.trainable.is_trainable


def test_t4_needs_sound_and_an_emotion():
    made = composed(ENGLISH[:4], emotions={0: FEAR}, texts_only=[0])
    (_, silent), (_, unknown) = ends(made, "humdial_t4")
    assert silent == RowEnd(table="humdial_t4", end="filtered", code="text_only")
    assert (unknown.emotion, unknown.word, len(unknown.messages)) == (None, None, 1)
    assert unknown.trainable.reasons == ("unknown_emotion",)
    baseline = composed(ENGLISH[:2], emotions={0: FEAR}, labeler_id="linear:1")
    assert the_row(baseline, "humdial_t4").trainable.reasons == ("baseline_labeler",)


def test_clips_are_kept_by_reference_where_stage_2_keeps_them_so():
    for _, row in ends(looked_back(), audio="reference"):
        assert [clip.path for clip in row.audios] == [span.uri for span in row.audio_spans]


@pytest.mark.parametrize(
    ("tasks", "tables"),
    [
        ((), ALL),
        (("T1",), ("humdial_t1", "humdial_t3")),
        (("T2",), ("humdial_t2", "humdial_t3")),
        (("T3",), ("humdial_t3",)),
        (("T4",), ("humdial_t4",)),
        (("T5",), ()),
    ],
)
def test_a_dialogue_gives_rows_of_its_own_tasks(tasks, tables):
    found = ends(looked_back(tasks=tasks))
    assert tuple(dict.fromkeys(table for table, _ in found)) == tables


@pytest.mark.parametrize(
    "found",
    [
        looked_back(),
        looked_back(spoiled(EN, "adding")),
        looked_back(spoiled(EN, "unchained"), failed_targets={4: "wrong_language"}),
        looked_back(model=ScriptedModel(in_turn("{", "{"))),
        looked_back(with_rules=rules(min_turns=9)),
        looked_back(emotions={}, texts_only=[0, 2]),
    ],
)
def test_the_books_of_every_table_balance_with_the_dead_letters(found):
    of = settings()
    letters = letters_of_humdial(found, of)
    lines = [*entries_of_humdial(found, of)]
    lines += [line for letter in letters for line in entries_of_letter(letter)]
    books, codes = close_books(lines)
    books.balance()
    written = dict.fromkeys(books.tables, 0)
    for table, end in humdial_ends(found, of):
        written[table] += not isinstance(end, RowEnd)
    assert {table: counts.written for table, counts in books.tables.items()} == written
    assert sum(codes.values()) == len(letters) == sum(c.num_dead for c in books.tables.values())
    for letter in letters:
        assert (letter.unit, letter.row_id) == ("row", f"{letter.stage}:{letter.unit_id}")
        assert letter.unit_id == f"corpus/d1/{letter.table}"
