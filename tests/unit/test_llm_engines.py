import asyncio
import json

import pytest

from ieat.pipeline.engines.joint import JointModel
from ieat.pipeline.engines.llm_attributor import LLMAttributor
from ieat.pipeline.engines.llm_labeler import JointLabeler, LLMLabeler
from ieat.pipeline.failures import UnusableAnswer
from ieat.prompts.library import VERSIONS, PromptLibrary
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion, EmotionalState, Intensity
from ieat.schemas.engine import Answer, Sampling
from ieat.schemas.history import HeardTurn, History
from tests.fakes import ScriptedModel, in_turn

PROMPTS = PromptLibrary({})
SAMPLING = Sampling()


def history(*said, language=Language.EN):
    return History(
        dialogue_id="c/d",
        language=language,
        turns=tuple(
            HeardTurn(
                turn_index=index, speaker=speaker, clean=words, tagged=words, events=(), words=(),
                audio=None, duration=None, cues=None,
            )
            for index, (speaker, words) in enumerate(said)
        ),
    )  # fmt: skip


STOLEN = history(("ann", "My bag is gone"), ("bob", "Since when"), ("ann", "They took it"))
SICK = history(("小王", "我妈住院了"), language=Language.ZH)
QUOTE = [{"turn": 2, "quote": "They took it"}]
LABEL = {"evidence": QUOTE, "emotion": "anger", "intensity": "high"}
CAUSE = {
    "evidence": QUOTE,
    "event": "Somebody took their bag.",
    "appraisal": "They feel wronged.",
    "kind": "inter-personal",
}
ANGRY = EmotionalState(turn_index=2, speaker="ann", chosen=Emotion.ANGER, chosen_from="gold")


def run(work):
    return asyncio.run(work)


def attribute(model, with_history=STOLEN, state=ANGRY, joint=None):
    return run(LLMAttributor(model, PROMPTS, SAMPLING, joint).attribute(with_history, state))


def test_a_label_carries_prompt_and_answer():
    label = run(LLMLabeler(ScriptedModel(in_turn(LABEL)), PROMPTS, SAMPLING).label(STOLEN))
    assert (label.emotion, label.intensity) == (Emotion.ANGER, Intensity.HIGH)
    assert (label.prompt_id, label.response_keys) == (
        f"labeling@{VERSIONS['labeling']}.en",
        ("key-1",),
    )


def test_unclear_is_an_abstention():
    unclear = LABEL | {"emotion": "unclear", "evidence": []}
    label = run(LLMLabeler(ScriptedModel(in_turn(unclear)), PROMPTS, SAMPLING).label(STOLEN))
    assert (label.emotion, label.intensity) == (None, None)


def test_a_cause_is_grounded_in_its_quote():
    found = attribute(ScriptedModel(in_turn(CAUSE)))
    (cause,) = found.causes
    assert (cause.event, cause.appraisal) == ("Somebody took their bag.", "They feel wronged.")
    assert [(e.turn_index, e.quote, e.start, e.end) for e in cause.evidence] == [
        (2, "They took it", 0, 12)
    ]
    assert found.attributor_id == "scripted:model"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (CAUSE | {"evidence": [{"turn": 2, "quote": "They stole it"}]}, "span_not_verbatim"),
        (CAUSE | {"evidence": [{"turn": 3, "quote": "They took it"}]}, "future_evidence"),
        (CAUSE | {"event": "They are sobbing over the bag."}, "vocal_claim"),
        (CAUSE | {"event": "有人拿走了包。"}, "wrong_language"),
        ("I'm sorry, but I can't help with that.", "refusal"),
        ('{"evidence": [', "broken_json"),
        ("", "empty_answer"),
        (Answer(text='{"evidence"', outcome="truncated"), "truncated"),
    ],
)
def test_a_bad_answer_is_asked_again_once_and_a_good_second_one_is_taken(answer, code):
    model = ScriptedModel(in_turn(answer, CAUSE))
    if code == "refusal":
        with pytest.raises(UnusableAnswer) as caught:
            attribute(model)
        assert caught.value.code == "refusal"
        assert len(model.questions) == 1
        return
    found = attribute(model)
    assert found.response_keys == ("key-1", "key-2")
    first, second = model.questions
    given = answer.text if isinstance(answer, Answer) else answer
    told = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    reask = PROMPTS.template("reask", Language.EN).sections[code]
    assert [m.content for m in second.messages] == [m.content for m in first.messages] + [
        told,
        reask,
    ]


def test_two_bad_answers_fail_with_the_code_of_the_second():
    with pytest.raises(UnusableAnswer) as caught:
        attribute(ScriptedModel(in_turn("", CAUSE | {"event": "They are sobbing."})))
    assert caught.value.code == "vocal_claim"


def test_json_in_a_fence_or_amid_prose_is_read():
    text = json.dumps(CAUSE)
    assert attribute(ScriptedModel(in_turn(f"```json\n{text}\n```"))).causes
    assert attribute(ScriptedModel(in_turn(f"Here you are: {text} Done."))).causes


def test_two_objects_are_not_guessed_between():
    text = json.dumps(CAUSE)
    model = ScriptedModel(in_turn(f"{text}\n{text}", CAUSE))
    attribute(model)
    assert len(model.questions) == 2


def test_chinese_is_asked_and_answered_in_chinese():
    cause = {
        "evidence": [{"turn": 0, "quote": "我妈住院了"}],
        "event": "对方的母亲住院了。",
        "appraisal": "对方担心母亲。",
        "kind": "explicit",
    }
    state = EmotionalState(turn_index=0, speaker="小王", chosen=Emotion.SAD, chosen_from="gold")
    model = ScriptedModel(in_turn(cause))
    found = attribute(model, SICK, state)
    assert found.prompt_id == f"attribution@{VERSIONS['attribution']}.zh"
    assert "小王 的情绪是 难过" in model.last_prompts[0]


def test_label_and_cause_of_one_question_are_the_same_question():
    joint = LABEL | CAUSE
    model = ScriptedModel(lambda question: joint)
    shared = JointModel(model, PROMPTS, SAMPLING)
    label = run(JointLabeler(shared).label(STOLEN))
    state = EmotionalState(
        turn_index=2, speaker="ann", text=label, chosen=label.emotion, chosen_from="text",
        intensity=label.intensity,
    )  # fmt: skip
    found = attribute(model, state=state, joint=shared)
    assert found.causes[0].event == "Somebody took their bag."
    assert model.questions[0] == model.questions[1]


def test_a_joint_label_stands_when_its_cause_does_not():
    bad = LABEL | CAUSE | {"event": "They are sobbing."}
    shared = JointModel(ScriptedModel(lambda question: bad), PROMPTS, SAMPLING)
    label = run(JointLabeler(shared).label(STOLEN))
    assert label.emotion is Emotion.ANGER
    state = EmotionalState(
        turn_index=2, speaker="ann", text=label, chosen=label.emotion, chosen_from="text"
    )
    with pytest.raises(UnusableAnswer) as caught:
        attribute(ScriptedModel(lambda question: bad), state=state, joint=shared)
    assert caught.value.code == "vocal_claim"


def test_a_state_with_a_corpus_label_is_asked_for_its_cause_alone():
    shared = JointModel(ScriptedModel(lambda question: LABEL), PROMPTS, SAMPLING)
    found = attribute(ScriptedModel(in_turn(CAUSE)), joint=shared)
    assert found.prompt_id == f"attribution@{VERSIONS['attribution']}.en"


def test_an_answer_that_repeats_an_example_of_the_prompt_is_no_cause():
    prompt = PROMPTS.prompt("attribution", Language.EN)
    copied = CAUSE | {"event": sorted(prompt.example_sentences)[0]}
    with pytest.raises(UnusableAnswer) as caught:
        attribute(ScriptedModel(in_turn(copied)))
    assert caught.value.code == "example_copied"


def test_a_joint_answer_that_repeats_an_example_keeps_its_label():
    sentence = sorted(PROMPTS.prompt("joint", Language.EN).example_sentences)[0]
    shared = JointModel(
        ScriptedModel(in_turn(LABEL | CAUSE | {"appraisal": sentence})), PROMPTS, SAMPLING
    )
    found = run(shared.ask(STOLEN))
    assert (found.value.emotion, found.value.cause) == (Emotion.ANGER, None)
    assert found.problem.code == "example_copied"


def test_the_examples_of_an_own_prompt_may_not_be_repeated_either(tmp_path):
    example = {"event": "A kite flew over the barn.", "appraisal": None}
    (tmp_path / "en.md").write_text(
        f"## user\n{json.dumps(example)}\n$turns $turn $speaker $emotion\n", encoding="utf-8"
    )
    own = PromptLibrary({"attribution": str(tmp_path)})

    def with_event(event):
        model = ScriptedModel(in_turn(CAUSE | {"event": event}))
        return run(LLMAttributor(model, own, SAMPLING, None).attribute(STOLEN, ANGRY))

    assert with_event("Somebody took their bag.").prompt_id == "attribution@own.en"
    with pytest.raises(UnusableAnswer, match="kite"):
        with_event("A kite flew over the barn!")
