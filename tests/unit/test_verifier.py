"""A second model reads causes back: what it is shown, and what comes of what it says."""

import asyncio

import pytest

from ieat.pipeline.config import load_config
from ieat.pipeline.engines.llm_attributor import FEELS, LLMAttributor
from ieat.pipeline.engines.verifier import LLMVerifier, VerifiedAttributor
from ieat.pipeline.failures import ConfigError, NotInStore, RecordError
from ieat.pipeline.identity import build_identity
from ieat.pipeline.label_words import CHINESE, ENGLISH, mask_label_words
from ieat.pipeline.output.cells import cause_cells
from ieat.pipeline.output.stage2_rows import RowSettings, stage2_rows
from ieat.prompts.library import PromptLibrary
from ieat.schemas.attribution import Reprediction
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion, EmotionalState
from ieat.schemas.engine import Sampling
from tests.builders import composed
from tests.fakes import ScriptedModel, in_turn
from tests.unit.test_llm_engines import ANGRY, CAUSE, SICK, STOLEN

PROMPTS = PromptLibrary({})
FURIOUS = CAUSE | {
    "event": "Somebody took their bag.",
    "appraisal": "They are FURIOUS, as it held their keys.",
}
WORRIED = {
    "evidence": [{"turn": 0, "quote": "我妈住院了"}],
    "event": "对方的母亲住院了。",
    "appraisal": "对方很担心母亲。",
    "kind": "background",
}
AFRAID = EmotionalState(turn_index=0, speaker="小王", chosen=Emotion.FEAR, chosen_from="gold")


def read(emotion):
    return {"reading": "It stings.", "emotion": emotion}


def verified(*answers, cause=FURIOUS, history=STOLEN, state=ANGRY):
    """Return the attribution, and the model that read it back."""
    writer = LLMAttributor(ScriptedModel(in_turn(cause)), PROMPTS, Sampling(), None)
    reader = ScriptedModel(in_turn(*answers))
    reader.engine_id = "openai:reader"
    attributor = VerifiedAttributor(writer, LLMVerifier(reader, PROMPTS, Sampling()))
    assert attributor.attributor_id == "scripted:model"
    return asyncio.run(attributor.attribute(history, state)), reader


def test_an_emotion_that_is_found_again_agrees():
    found, _ = verified(read("anger"))
    assert found.reprediction == Reprediction(
        emotion=Emotion.ANGER,
        agrees=True,
        verifier_id="openai:reader",
        prompt_id="reprediction@1.en",
        prompt_sha256=PROMPTS.prompt("reprediction", Language.EN).sha256,
        response_keys=("key-1",),
    )
    assert found.flags == ()


@pytest.mark.parametrize(("said", "emotion"), [("sad", Emotion.SAD), ("unclear", None)])
def test_another_emotion_and_an_unclear_one_differ_and_are_flagged(said, emotion):
    found, _ = verified(read(said))
    assert (found.reprediction.emotion, found.reprediction.agrees) == (emotion, False)
    assert found.flags == ("reprediction_differs",)
    (cell,) = cause_cells(found)
    assert (cell.emotion, cell.repredicted, cell.agrees) == (Emotion.ANGER, emotion, False)


def test_the_reader_sees_the_cause_alone_with_the_words_for_feelings_covered():
    _, reader = verified(read("anger"))
    asked = "\n".join(message.content for message in reader.questions[0].messages)
    assert "What happened: Somebody took their bag." in asked
    assert "What it meant to them: They are [...], as it held their keys." in asked
    assert "How the cause came about: by what the other person said or did" in asked
    assert "They took it" not in asked
    assert "My bag is gone" not in asked


def test_a_chinese_cause_is_read_back_in_chinese():
    found, reader = verified(read("fear"), cause=WORRIED, history=SICK, state=AFRAID)
    asked = reader.last_prompts[0]
    assert "发生了什么：对方的母亲住院了。" in asked
    assert "这对其意味着什么：对方很[...]母亲。" in asked
    assert "原因的由来：发生在对话之前" in asked
    assert (found.reprediction.prompt_id, found.reprediction.agrees) == ("reprediction@1.zh", True)


def test_a_cause_without_an_appraisal_says_that_it_is_not_known():
    _, reader = verified(read("anger"), cause=CAUSE | {"appraisal": None})
    assert "What it meant to them: not known" in reader.last_prompts[0]


def test_an_answer_of_no_use_is_asked_again_once_and_loses_no_cause():
    found, reader = verified("no JSON", read("anger"))
    assert found.reprediction.response_keys == ("key-1", "key-2")
    assert len(reader.questions) == 2
    found, _ = verified("no JSON", read("glad"))
    assert (found.reprediction, found.flags) == (None, ("reprediction_failed",))
    # The answers are kept with the cause: its own, and the two of the reader.
    assert found.response_keys == ("key-1", "key-1", "key-2")
    (cell,) = cause_cells(found)
    assert (cell.repredicted, cell.agrees) == (None, None)


def raising(error):
    def script(question):
        raise error

    return script


def test_a_question_that_is_refused_loses_no_cause_and_a_missing_answer_in_replay_does():
    writer = LLMAttributor(ScriptedModel(lambda question: CAUSE), PROMPTS, Sampling(), None)

    def attribute(error):
        reader = LLMVerifier(ScriptedModel(raising(error)), PROMPTS, Sampling())
        return asyncio.run(VerifiedAttributor(writer, reader).attribute(STOLEN, ANGRY))

    refused = attribute(RecordError("content_filtered", "no"))
    assert refused.flags == ("reprediction_failed",)
    with pytest.raises(NotInStore):
        attribute(NotInStore(message="not there"))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("They feel angry; their ANGER grows.", "They feel [...]; their [...] grows."),
        ("Unhappy and taken aback, she panics.", "[...] and [...], she [...]."),
        ("They made madam a nomad.", "They made madam a nomad."),
        ("The coach ignored them again.", "The coach ignored them again."),
        ("对方很不开心，也有些害怕。", "对方很[...]，也有些[...]。"),
        ("对方感到惊讶又厌恶", "对方感到[...]又[...]"),
        ("教练又没有理会对方。", "教练又没有理会对方。"),
        ("He said 我很难过 and left.", "He said 我很[...] and left."),
    ],
)
def test_words_that_name_an_emotion_are_covered_and_no_others(text, masked):
    assert mask_label_words(text) == masked


def test_every_emotion_has_words_in_both_languages_its_own_name_among_them():
    assert set(ENGLISH) == set(CHINESE) == set(Emotion)
    for emotion in Emotion:
        assert mask_label_words(emotion.value) == "[...]"
        for language in Language:
            assert mask_label_words(FEELS[language][emotion]) == "[...]"
        for word in CHINESE[emotion].split():
            assert mask_label_words(word) == "[...]", word


def with_readings(*agreements):
    """Return a dialogue whose causes were read back so; null where no answer was of use."""
    built = composed()
    found = [
        attribution.model_copy(
            update={
                "reprediction": (
                    agrees is not None
                    and Reprediction(
                        emotion=attribution.emotion if agrees else None,
                        agrees=agrees,
                        verifier_id="openai:reader",
                        prompt_id="reprediction@1.en",
                        prompt_sha256="b" * 64,
                        response_keys=(f"read-{attribution.turn_index}",),
                    )
                )
                or None
            }
        )
        for attribution, agrees in zip(built.attributions, agreements, strict=True)
    ]
    return built.model_copy(update={"attributions": tuple(found)})


def reasons_of(built, *, must_agree):
    rows = stage2_rows(built, RowSettings(10, 100.0, "reference", must_agree=must_agree))
    return [row.trainable.reasons for row in rows]


def test_a_cause_that_is_not_confirmed_makes_its_rows_untrainable_only_where_it_must_be():
    num_rows = len(composed().samples)
    sound = with_readings(True, True, True)
    assert reasons_of(sound, must_agree=True) == [()] * num_rows
    # Rows of earlier targets do not rest on the second cause.
    assert reasons_of(with_readings(True, False, True), must_agree=True) == [
        (), *[("unconfirmed_cause",)] * (num_rows - 1)
    ]  # fmt: skip
    assert reasons_of(with_readings(None, True, True), must_agree=True)[0] == ("unconfirmed_cause",)
    assert reasons_of(with_readings(False, None, None), must_agree=False) == [()] * num_rows


def test_a_row_names_the_verifier_its_prompt_and_its_answers():
    row = stage2_rows(with_readings(True, True, False), RowSettings(10, 100.0, "reference"))[0]
    assert row.provenance.verifier_id == "openai:reader"
    assert "reprediction@1.en" in row.provenance.prompt_ids
    assert "read-0" in row.provenance.response_keys
    assert row.thinking.causes[0].agrees is True


def configured(**changes):
    values = {"inputs": [{"path": "a"}], "output": "out", "attributor": "llm"}
    return load_config(None, values | {"language_model": "openai:m"} | changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"verifier": "gold"}, "verifier: 'gold' is no verifier; write openai:MODEL"),
        (
            {"verifier": "openai:m"},
            "verifier: openai:m wrote the causes itself; name another model, or set "
            "verifier_settings.allow_self to true",
        ),
        (
            {"verifier": "openai:v", "attributor": "extractive"},
            "verifier: openai:v reads causes that a language model wrote; set attributor to llm",
        ),
        (
            {
                "verifier": "openai:v",
                "max_usd": 1.0,
                "language_model_settings": {"prices": {"input": 1.0}},
            },
            "max_usd needs verifier_settings.prices: US dollars per million tokens of input and "
            "output",
        ),
    ],
)
def test_a_verifier_that_cannot_be_is_a_mistake(changes, said):
    with pytest.raises(ConfigError) as caught:
        configured(**changes)
    assert str(caught.value) == said


def test_a_model_may_read_its_own_causes_where_that_is_said():
    allowed = configured(verifier="openai:m", verifier_settings={"allow_self": True})
    assert allowed.verifier == "openai:m"


def test_a_base_url_on_the_command_line_is_that_of_the_verifier_too():
    values = {"inputs": [{"path": "a"}], "output": "out"}
    found = load_config(None, values, base_url="http://here/v1")
    assert found.verifier_settings.base_url == "http://here/v1"


def test_a_verifier_is_part_of_what_a_build_is_and_none_is_not_told():
    without = build_identity(configured(), {})
    assert "verifier" not in without["config"]
    assert not any(name.startswith("reprediction") for name in without["prompts"])
    identity = build_identity(
        configured(verifier="openai:v", verifier_settings={"must_agree": True}), {}
    )
    assert identity["config"]["verifier"] == "openai:v"
    assert identity["verification"] == {
        "temperature": 0.0,
        "top_p": None,
        "max_tokens": 256,
        "seed": None,
        "extra_body": {},
        "must_agree": True,
    }
    assert {"reprediction@1.en", "reprediction@1.zh", "reprediction@1.schema"} <= set(
        identity["prompts"]
    )
