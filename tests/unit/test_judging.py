"""A judge's answers become scores as the rubric says, and the rubric is filled as it is written."""

import json

import pytest

from ieat.pipeline.answers import read_answer
from ieat.pipeline.failures import ConfigError
from ieat.pipeline.judging.evidence import judged_of
from ieat.pipeline.judging.rubric import Judged, OwnRubric, fill, read_rubric
from ieat.pipeline.judging.scoring import (
    DIMENSIONS,
    Figure,
    ScoresForm,
    figures,
    map_score,
    read_dimensions,
)
from ieat.prompts.library import PromptLibrary, answer_schema, digest
from ieat.schemas.dialogue import Language
from ieat.schemas.engine import Answer, Sampling
from ieat.schemas.score_rows import DimensionCell, ScoreRow
from tests.humdial_rows import ANSWER, t1_row, t2_row, t3_row


@pytest.mark.parametrize(
    ("given", "score"),
    [(5, 5), (4, 3), (3, 3), (2, 1), (1, 1), (0, 1), (9, 5), ("5", 5), (" 3 ", 3), (4.9, 3),
     ("4/5", 1), ("good", 1), (None, 1), ([5], 1), (float("inf"), 1), (True, 1)],
)  # fmt: skip
def test_scores_of_t1_and_t2_are_one_three_or_five(given, score):
    assert map_score(given, "t1") == map_score(given, "t2") == score


@pytest.mark.parametrize(
    ("given", "score"), [(5, 5), (4, 4), (2, 2), (0, 1), (-3, 1), (7, 5), ("4", 4), ("four", 1)]
)
def test_scores_of_t3_are_one_to_five(given, score):
    assert map_score(given, "t3") == score


OFFICIAL = """Here you are:
```json
{
"scores": {"Accuracy_Completeness": 5, "Depth_Granularity": "4", "Added_Value": "n/a"},
"justification": {"Accuracy_Completeness_reason": "All there.", "Depth_Granularity": "Weak."},
"overall_comment": "Fine."
}
```"""


def test_an_answer_in_the_form_of_the_official_rubric_is_read():
    form = read_answer(Answer(text=OFFICIAL), ScoresForm)
    assert read_dimensions(form, "t1") == (
        DimensionCell(name="Accuracy_Completeness", score=5, given="5", reason="All there."),
        DimensionCell(name="Depth_Granularity", score=3, given="4", reason="Weak."),
        DimensionCell(name="Added_Value", score=1, given="n/a", reason=None),
    )
    # A missing dimension is the lowest, and is seen to be missing.
    (only,) = read_dimensions(ScoresForm(scores={"vocal_empathy_congruence": 5}), "t3")
    assert (only.score, only.given) == (1, None)


def row(scores, failure=None):
    return ScoreRow(
        row_id="a", table="humdial_t1", judged_row_id="a", judged_sha256="0" * 64, dialogue_id="d",
        language=Language.EN, split="train", task="t1", judge_id="openai:j", is_self=False,
        rubric_id="r", rubric_sha256="0" * 64, is_own_rubric=True, sampling="{}",
        dimensions=tuple(
            DimensionCell(name=name, score=score, given=str(score), reason=None)
            for name, score in zip(DIMENSIONS["t1"], scores, strict=False)
        ),
        mean=None, comment=None, failure=failure, response_keys=(),
    )  # fmt: skip


def test_means_pool_all_scores_and_count_what_failed():
    rows = [row((5, 3, 1)), row((3, 3, 3)), row((), failure="broken_json")]
    assert figures(rows, "t1") == [
        Figure("Accuracy_Completeness", 2, 1, 4.0, 3.0),
        Figure("Depth_Granularity", 2, 1, 3.0, pytest.approx(7 / 3)),
        Figure("Added_Value", 2, 1, 2.0, pytest.approx(5 / 3)),
        Figure("overall", 2, 1, 3.0, pytest.approx(21 / 9)),
    ]


def test_no_mean_is_made_up_where_nothing_was_understood():
    for figure in figures([row((), failure="refusal")], "t1"):
        assert (figure.mean, figure.mean_with_failures) == (None, 1.0)


def test_a_rubric_is_filled_where_its_places_are_and_nowhere_else():
    template = 'H:\n{history}\n{"scores": {"A": <1>}} {history} {other}'
    assert fill(template, {"history": "a {x} {history}"}) == (
        'H:\na {x} {history}\n{"scores": {"A": <1>}} a {x} {history} {other}'
    )


def test_braces_that_were_doubled_for_formatting_become_single():
    assert fill('{c}\n{{"scores": {{"a": 1}}}}', {"c": "said {{so}}"}) == (
        'said {{so}}\n{"scores": {"a": 1}}'
    )


def test_a_users_rubric_is_asked_as_it_is_and_known_by_its_hash(tmp_path):
    file = tmp_path / "mine.txt"
    text = "{conversation_history}|{user_question}|{final_model_response}|{\n}"
    file.write_text(text)
    rubric = read_rubric(str(file), "t2")
    assert (rubric.rubric_id, rubric.sha256, rubric.is_own) == ("mine.txt", digest(text), False)
    question = rubric.ask(Judged("h", "q", "a"), Sampling())
    assert [(m.role, m.content) for m in question.messages] == [("user", "h|q|a|{\n}")]
    assert question.answer_schema.is_plain


def test_a_rubric_without_its_places_is_refused_with_their_names(tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text("{conversation_history} {user_question}")
    with pytest.raises(ConfigError, match=r"no place for \{final_model_response\}"):
        read_rubric(str(file), "t1")
    with pytest.raises(ConfigError, match="cannot read the rubric"):
        read_rubric(str(tmp_path / "none.txt"), "t1")


def test_the_judge_of_t1_sees_every_emotion_and_the_answer_at_the_end():
    judged = judged_of(t1_row())
    assert judged.history.splitlines() == [
        "用户(emotion:sad): My bag is gone [sigh]",
        "AI: Oh no.",
        "用户(emotion:anger): They stole it!",
        "AI: That is bad.",
        "用户(emotion:neutral): How did I feel?",
        f"AI: {ANSWER}",
    ]
    assert (judged.question, judged.answer) == ("How did I feel?", ANSWER)


def test_a_question_from_the_list_is_shown_without_an_emotion():
    lines = judged_of(t1_row(synthetic=True)).history.splitlines()
    assert lines[-2:] == ["用户: What did I go through?", f"AI: {ANSWER}"]
    assert len(lines) == 6


def test_the_judge_of_t2_sees_the_same_and_the_one_of_t3_the_turns_up_to_the_target():
    assert judged_of(t2_row()).history == judged_of(t1_row()).history
    assert judged_of(t3_row()).history.splitlines() == [
        "User(sad): My bag is gone [sigh]",
        "AI: Oh no.",
        "User(anger): They stole it!",
        "AI: Anybody would be furious.",
    ]


@pytest.mark.parametrize("task", DIMENSIONS)
@pytest.mark.parametrize("language", Language)
def test_our_rubrics_ask_for_the_dimensions_of_the_task_in_both_languages(task, language):
    rubric = OwnRubric(task, language, PromptLibrary({}))
    question = rubric.ask(Judged("HISTORY", "QUESTION", "ANSWER"), Sampling())
    words = "\n".join(message.content for message in question.messages)
    assert all(name in words for name in DIMENSIONS[task])
    assert "HISTORY" in words
    schema = json.loads(answer_schema(f"judge_{task}").text)
    assert tuple(schema["properties"]["scores"]["required"]) == DIMENSIONS[task]
    assert rubric.is_own
