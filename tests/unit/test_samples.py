"""Several answers to one question: what most of them say counts."""

import asyncio

import pytest

from ieat.pipeline.engines.asking import SampleRules
from ieat.pipeline.engines.joint import JointModel
from ieat.pipeline.engines.llm_attributor import LLMAttributor
from ieat.pipeline.engines.llm_labeler import JointLabeler, LLMLabeler
from ieat.pipeline.failures import NotInStore, UnusableAnswer
from ieat.pipeline.votes import take_vote
from ieat.prompts.library import PromptLibrary
from ieat.schemas.emotion import Emotion, EmotionalState, Intensity
from ieat.schemas.engine import Sampling
from tests.fakes import ScriptedModel
from tests.unit.test_llm_engines import ANGRY, CAUSE, LABEL, SICK, STOLEN

PROMPTS = PromptLibrary({})
SAMPLING = Sampling(temperature=0.7)
HERE = [{"turn": 2, "quote": "They took it"}]
BEFORE = [{"turn": 0, "quote": "My bag is gone"}]
BOTH = [*BEFORE, *HERE]


class Drawing:
    """Answers by sample index; a re-ask gets the same answer again."""

    def __init__(self, *answers):
        self.indices = []
        self._answers = answers

    def __call__(self, question):
        self.indices.append(question.sample_index)
        answer = self._answers[question.sample_index]
        if isinstance(answer, Exception):
            raise answer
        return answer


def label(*answers, min_agreement=0.5, history=STOLEN):
    rules = SampleRules(len(answers), min_agreement)
    labeler = LLMLabeler(ScriptedModel(Drawing(*answers)), PROMPTS, SAMPLING, rules)
    return asyncio.run(labeler.label(history))


def attribute(*answers, state=ANGRY):
    drawing = Drawing(*answers)
    rules = SampleRules(len(answers), 0.5)
    attributor = LLMAttributor(ScriptedModel(drawing), PROMPTS, SAMPLING, None, rules)
    return asyncio.run(attributor.attribute(STOLEN, state))


def jointly(*answers, min_agreement=0.5):
    """Return label and cause of a joint question; the cause is a problem where there is none."""
    rules = SampleRules(len(answers), min_agreement)
    model = ScriptedModel(Drawing(*answers))
    joint = JointModel(model, PROMPTS, SAMPLING, rules)
    found = asyncio.run(JointLabeler(joint).label(STOLEN))
    state = EmotionalState(
        turn_index=2, speaker="ann", text=found, chosen=found.emotion,
        chosen_from=None if found.emotion is None else "text",
    )  # fmt: skip
    if found.emotion in (None, Emotion.NEUTRAL):
        return found, None
    attributor = LLMAttributor(model, PROMPTS, SAMPLING, joint, rules)
    try:
        return found, asyncio.run(attributor.attribute(STOLEN, state))
    except UnusableAnswer as problem:
        return found, problem


def felt(emotion, **changes):
    return LABEL | {"emotion": emotion} | changes


@pytest.mark.parametrize(
    ("ballots", "num_asked", "chosen", "agreement"),
    [
        ({0: "a"}, 1, 0, 1.0),
        ({0: "a", 1: "b", 2: "b"}, 3, 1, 2 / 3),
        ({0: "b", 1: "a", 2: "a", 3: "b"}, 4, 0, 0.5),
        ({1: "b", 2: "a"}, 3, 1, 1 / 3),
        ({2: "c", 0: "a", 1: "c"}, 5, 1, 0.4),
    ],
)
def test_most_ballots_win_and_the_lower_index_breaks_a_tie(ballots, num_asked, chosen, agreement):
    assert take_vote(ballots, num_asked) == (chosen, pytest.approx(agreement))


def test_a_vote_without_ballots_is_none():
    with pytest.raises(ValueError, match="without ballots"):
        take_vote({}, 3)


def test_the_commonest_emotion_counts_and_its_share_is_the_confidence():
    found = label(felt("sad"), felt("anger"), felt("anger", intensity="low"))
    assert (found.emotion, found.intensity) == (Emotion.ANGER, Intensity.HIGH)
    assert found.confidence == pytest.approx(2 / 3)
    assert len(set(found.response_keys)) == 3


def test_of_emotions_with_as_many_answers_the_first_one_counts():
    found = label(felt("sad"), felt("anger"))
    assert (found.emotion, found.confidence) == (Emotion.SAD, 0.5)


def test_emotions_that_too_few_answers_name_are_an_abstention():
    answers = [felt("sad"), felt("anger"), felt("fear")]
    found = label(*answers)
    assert (found.emotion, found.intensity, found.confidence) == (None, None, pytest.approx(1 / 3))
    assert label(*answers, min_agreement=0.3).emotion is Emotion.SAD


def test_unclear_is_a_vote_of_its_own():
    unclear = felt("unclear", evidence=[])
    found = label(unclear, felt("sad"), unclear)
    assert (found.emotion, found.confidence) == (None, pytest.approx(2 / 3))


def test_an_answer_of_no_use_casts_no_vote_and_lowers_the_agreement():
    found = label("no JSON", felt("anger"), felt("anger"))
    assert (found.emotion, found.confidence) == (Emotion.ANGER, pytest.approx(2 / 3))
    # The useless one was asked twice, and everything that was paid for is kept.
    assert len(set(found.response_keys)) == 4


def test_answers_none_of_which_is_of_use_fail_with_the_code_of_the_first_and_all_keys():
    later = felt("sad", evidence=[{"turn": 3, "quote": "They took it"}])
    with pytest.raises(UnusableAnswer) as caught:
        label("no JSON", later)
    assert caught.value.code == "broken_json"
    assert len(set(caught.value.response_keys)) == 4


def test_a_vote_that_lacks_an_answer_is_not_taken():
    missing = NotInStore(message="not there")
    with pytest.raises(NotInStore):
        label(felt("sad"), missing, felt("sad"))


def test_one_answer_counts_as_before_without_a_confidence():
    found = label(felt("anger"))
    assert (found.emotion, found.confidence, len(found.response_keys)) == (Emotion.ANGER, None, 1)
    assert attribute(CAUSE).agreement is None


def test_the_first_answer_is_asked_for_alone():
    drawing = Drawing(*[felt("sad")] * 3)
    model = ScriptedModel(drawing)
    asyncio.run(LLMLabeler(model, PROMPTS, SAMPLING, SampleRules(3, 0.5)).label(STOLEN))
    assert (drawing.indices[0], sorted(drawing.indices)) == (0, [0, 1, 2])
    # They differ by their index alone.
    assert {q.model_copy(update={"sample_index": 0}) for q in model.questions} == {
        model.questions[0]
    }


def test_the_cause_that_cites_the_commonest_turns_counts():
    found = attribute(
        CAUSE | {"evidence": BEFORE, "event": "They lost a bag."},
        CAUSE | {"evidence": BOTH, "event": "A bag was taken from them."},
        CAUSE | {"evidence": [*HERE, *BEFORE], "event": "Somebody has their bag."},
    )
    assert found.causes[0].event == "A bag was taken from them."
    assert found.agreement == pytest.approx(2 / 3)
    assert len(set(found.response_keys)) == 3


def test_causes_that_cite_different_turns_leave_the_first_with_little_agreement():
    found = attribute(*(CAUSE | {"evidence": cited} for cited in (BOTH, HERE, BEFORE)))
    assert {shown.turn_index for shown in found.causes[0].evidence} == {0, 2}
    assert found.agreement == pytest.approx(1 / 3)


def test_a_joint_question_votes_on_the_emotion_first_and_on_its_causes_then():
    found, cause = jointly(
        LABEL | CAUSE | {"emotion": "sad", "evidence": BEFORE},
        LABEL | CAUSE | {"evidence": BEFORE, "event": "They lost a bag."},
        LABEL | CAUSE | {"evidence": HERE},
        LABEL | CAUSE | {"evidence": HERE, "intensity": "low"},
    )
    assert (found.emotion, found.intensity, found.confidence) == (
        Emotion.ANGER, Intensity.HIGH, 0.75,
    )  # fmt: skip
    assert (cause.causes[0].event, cause.agreement) == (CAUSE["event"], 0.5)
    assert (len(found.response_keys), len(cause.response_keys)) == (4, 4)


def test_a_joint_label_keeps_the_votes_of_answers_whose_cause_breaks_a_check():
    sobbing = LABEL | CAUSE | {"event": "They are sobbing."}
    found, cause = jointly(sobbing, LABEL | CAUSE, felt("sad", **CAUSE, intensity="low"))
    assert (found.emotion, found.confidence) == (Emotion.ANGER, pytest.approx(2 / 3))
    assert cause.causes[0].event == CAUSE["event"]
    assert cause.agreement == pytest.approx(1 / 3)
    found, problem = jointly(sobbing, sobbing)
    assert (found.emotion, problem.code) == (Emotion.ANGER, "vocal_claim")
    assert len(set(problem.response_keys)) == 4


def test_a_joint_label_that_too_few_name_is_an_abstention():
    answers = [LABEL | CAUSE | {"emotion": emotion} for emotion in ("sad", "anger", "fear")]
    found, cause = jointly(*answers)
    assert (found.emotion, found.confidence, cause) == (None, pytest.approx(1 / 3), None)


def test_chinese_answers_are_voted_on_alike():
    sick = [{"turn": 0, "quote": "我妈住院了"}]
    found = label(
        felt("fear", evidence=sick), felt("sad", evidence=sick), felt("sad", evidence=sick),
        history=SICK,
    )  # fmt: skip
    assert (found.emotion, found.prompt_id) == (Emotion.SAD, "labeling@2.zh")
    assert found.confidence == pytest.approx(2 / 3)
