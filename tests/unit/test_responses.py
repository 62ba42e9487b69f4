"""What is written as a response, and the line that says how it is to be spoken."""

import asyncio

import pytest

from ieat.pipeline.checks import DEFAULTS
from ieat.pipeline.config import CheckSettings
from ieat.pipeline.delivery import check_delivery
from ieat.pipeline.engines.responders import WrittenResponder
from ieat.pipeline.failures import UnusableAnswer
from ieat.prompts.library import PromptLibrary
from ieat.schemas.dialogue import Language
from ieat.schemas.engine import Sampling
from ieat.schemas.sample import Response, ResponseStyle, Target, Thinking
from tests.fakes import ScriptedModel, in_turn
from tests.unit.test_llm_engines import SICK, STOLEN

TARGET = Target(user_speaker="ann", answering_speaker="bob", user_turns=(2,), answer_turns=(3,))
THINKING = Thinking(
    text="The user is angry.", template_id="t@1.en", template_sha256="0", state_turns=(2,)
)
GOOD = {
    "style": "comfort",
    "delivery": "Warm and slow, with a short pause after the first sentence.",
    "response": "Anybody would be shaken by that. You saw who it was, and that will help.",
}
GOOD_ZH = {
    "style": "comfort",
    "delivery": "语气温柔，语速放慢，说完前一句稍作停顿。",
    "response": "妈妈住院，换谁都放心不下。你守在她身边，她心里就踏实多了。",
}


def respond(model, history=STOLEN, prompts=None, checks=DEFAULTS):
    responder = WrittenResponder(model, PromptLibrary(prompts or {}), Sampling(), checks)
    return asyncio.run(responder.respond(history, TARGET, THINKING, ()))


def test_a_written_response_comes_from_the_thinking_and_says_how_it_is_to_be_spoken():
    model = ScriptedModel(in_turn(GOOD))
    prompt = PromptLibrary({}).prompt("response", Language.EN)
    assert respond(model) == Response(
        text=GOOD["response"],
        source="written",
        style=ResponseStyle.COMFORT,
        delivery=GOOD["delivery"],
        conditioned_on=("words", "thinking"),
        writer_id="scripted:model",
        prompt_id="response@2.en",
        prompt_sha256=prompt.sha256,
        response_keys=("key-1",),
    )
    assert "The user is angry." in model.last_prompts[0]


def test_a_chinese_response_has_its_delivery_in_chinese():
    model = ScriptedModel(in_turn(GOOD_ZH))
    response = respond(model, SICK)
    assert (response.text, response.delivery) == (GOOD_ZH["response"], GOOD_ZH["delivery"])
    assert (response.prompt_id, response.flags) == ("response@2.zh", ())


def test_the_first_version_asks_for_no_delivery_and_is_still_read():
    model = ScriptedModel(in_turn({"style": "calm", "response": "I hear you."}))
    response = respond(model, prompts={"response": 1})
    assert (response.text, response.delivery, response.flags) == ("I hear you.", None, ())
    assert response.prompt_id == "response@1.en"
    assert model.questions[0].answer_schema.schema_id == "response@1"


def test_an_own_template_is_answered_in_the_form_of_the_second_version(tmp_path):
    (tmp_path / "en.md").write_text("## user\n$turns $speaker [$turn] $thinking\n")
    model = ScriptedModel(in_turn(GOOD))
    response = respond(model, prompts={"response": str(tmp_path)})
    assert (response.prompt_id, response.delivery) == ("response@own.en", GOOD["delivery"])


def test_a_response_that_speaks_of_itself_is_asked_again():
    bad = GOOD | {"response": "As an AI, I cannot feel that."}
    model = ScriptedModel(in_turn(bad, GOOD))
    assert respond(model).text == GOOD["response"]
    assert len(model.questions) == 2


def test_a_response_longer_than_the_configured_limits_is_asked_again():
    long = GOOD | {"response": "I hear you. That is awful. Sit down."}
    short = GOOD | {"response": "I hear you."}
    model = ScriptedModel(in_turn(long, short))
    assert respond(model, checks=CheckSettings(max_sentences=2)).text == "I hear you."
    assert "shorter" in model.last_prompts[1]
    assert respond(ScriptedModel(in_turn(long))).text == long["response"]


@pytest.mark.parametrize(
    ("history", "good", "delivery"),
    [(STOLEN, GOOD, "I am so sorry for you."), (SICK, GOOD_ZH, "我真为你难过。")],
)
def test_a_delivery_that_describes_no_voice_is_asked_again_and_a_good_one_is_taken(
    history, good, delivery
):
    model = ScriptedModel(in_turn(good | {"delivery": delivery}, good))
    response = respond(model, history)
    assert (response.delivery, response.flags) == (good["delivery"], ())
    assert response.response_keys == ("key-1", "key-2")
    reask = PromptLibrary({}).template("reask", history.language).sections["no_delivery"]
    assert model.last_prompts[1] == reask


def test_a_response_whose_delivery_is_of_no_use_twice_stays_without_it():
    bad = GOOD | {"delivery": "They feel bad."}
    response = respond(ScriptedModel(in_turn(bad, bad)))
    assert (response.text, response.style) == (GOOD["response"], ResponseStyle.COMFORT)
    assert (response.delivery, response.flags) == (None, ("no_delivery",))
    assert response.response_keys == ("key-1", "key-2")


def test_a_response_that_is_of_no_use_twice_fails_whatever_its_delivery():
    bad = GOOD | {"response": "- Call the police\n- Call the bank"}
    with pytest.raises(UnusableAnswer) as caught:
        respond(ScriptedModel(in_turn(bad, bad)))
    assert caught.value.code == "markup"


@pytest.mark.parametrize(
    ("language", "line"),
    [
        (Language.EN, "Warm, unhurried voice; a breath before the second sentence"),
        (Language.EN, "Speak softly and steadily, don't rush, let the last word fall."),
        (Language.EN, "Bright,\n  rising tone."),
        (Language.EN, "A heavy, sorrowful tone throughout."),
        (Language.EN, "Sincere and unhurried."),
        (Language.ZH, "声音轻柔，语速偏慢"),
        (Language.ZH, "以关切的口吻"),
        (Language.ZH, "平静而关切，句间稍顿。"),
        (Language.ZH, "先吸一口气，低声开口，尾音放轻。"),
    ],
)
def test_a_line_that_describes_a_voice_is_taken_on_one_line(language, line):
    response = GOOD["response"] if language is Language.EN else GOOD_ZH["response"]
    assert check_delivery(line, response, language) == " ".join(line.split())


@pytest.mark.parametrize(
    ("language", "line", "said"),
    [
        (Language.EN, "  ", "is empty"),
        (Language.EN, "Slow and warm. " * 20, "more than 45"),
        (Language.EN, "语气温柔，语速放慢。", "is not in en"),
        (Language.EN, 'Warm and slow, with weight on "shaken".', "holds a quotation"),
        (Language.EN, "Warm and slow, with weight on 'shaken'.", "holds a quotation"),
        (Language.EN, "They lost a bag and want it back.", "describes no voice"),
        (Language.EN, "Calm.", "describes no voice"),
        (Language.EN, "Softly: anybody would be SHAKEN, then pause.", "'anybody would be shaken'"),
        (Language.ZH, "", "is empty"),
        (Language.ZH, "语气温柔。" * 30, "more than 80"),
        (Language.ZH, "Warm and slow, with a pause.", "is not in zh"),
        (Language.ZH, "语速放慢，轻声说出“放心不下”。", "holds a quotation"),
        (Language.ZH, "对方的妈妈住院了。", "describes no voice"),
        (Language.ZH, "轻声说妈妈住院，换谁都，然后停顿。", "'妈妈住院换'"),
    ],
)
def test_a_line_that_is_none_is_refused_and_says_why(language, line, said):
    response = GOOD["response"] if language is Language.EN else GOOD_ZH["response"]
    with pytest.raises(UnusableAnswer) as caught:
        check_delivery(line, response, language)
    assert caught.value.code == "no_delivery"
    assert said in caught.value.message


def test_a_short_response_may_not_stand_in_its_delivery_whole():
    with pytest.raises(UnusableAnswer):
        check_delivery("Say oh no slowly and softly.", "Oh no!", Language.EN)
    assert check_delivery("Slowly and softly.", "Oh no!", Language.EN) == "Slowly and softly."
