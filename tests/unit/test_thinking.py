import pytest

from ieat.pipeline.thinking import compose_thinking
from ieat.prompts.library import PromptLibrary, TemplateFile
from ieat.schemas.attribution import Attribution, Cause, CauseKind, Evidence
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion, EmotionalState, Intensity

PLAIN = TemplateFile(
    "thinking@test.en",
    "0",
    {
        "happy": "- happy",
        "sad": "- sad",
        "anger": "- angry",
        "degree_low": "- a bit $emotion",
        "degree_medium": "- $emotion",
        "degree_high": "- very $emotion",
        "neutral_history": "- All calm.",
        "earlier": "- EARLIER $state: $cause",
        "now": "- NOW $state: $cause",
        "now_again": "- STILL $state: $cause",
        "now_changed": "- CHANGED $state: $cause",
        "now_neutral": "- CALM.",
        "now_calm": "- CALM after $state: $cause",
        "event": "- $event",
        "appraisal": "- $appraisal",
        "quote": '- Own "$quote".',
        "quote_other": '- Other "$quote".',
        "close": "- END",
    },
)


def state(turn, emotion, intensity=None):
    return EmotionalState(
        turn_index=turn, speaker="ann", chosen=emotion, chosen_from="gold", intensity=intensity
    )


def attribution(turn, event, *, appraisal=None, quote="my bag", speaker="ann"):
    shown = Evidence(
        turn_index=turn, speaker=speaker, quote=quote, start=0, end=len(quote), audio=None,
        is_word_timed=False,
    )  # fmt: skip
    cause = Cause(event=event, appraisal=appraisal, kind=CauseKind.EXPLICIT, evidence=(shown,))
    return Attribution(
        turn_index=turn, speaker="ann", emotion=Emotion.SAD, intensity=None, causes=(cause,),
        attributor_id="a",
    )  # fmt: skip


def think(states, *attributions, template=PLAIN, language=Language.EN, row_id="r"):
    by_turn = {found.turn_index: found for found in attributions}
    return compose_thinking(template, language, row_id, states, by_turn)


def test_a_first_feeling_comes_with_event_appraisal_and_quote():
    found = think(
        [state(0, Emotion.SAD, Intensity.HIGH)],
        attribution(0, "Their bag is gone", appraisal="They miss it."),
    )
    assert found.text == 'NOW very sad: Their bag is gone. They miss it. Own "my bag". END'
    assert found.state_turns == (0,)


def test_earlier_feelings_come_first_with_their_events_only():
    found = think(
        [state(0, Emotion.HAPPY), state(2, Emotion.NEUTRAL), state(4, Emotion.SAD)],
        attribution(0, "They won.", appraisal="It is a relief."),
        attribution(4, "Their bag is gone.", speaker="bob"),
    )
    assert found.text == (
        'EARLIER happy: They won. CHANGED sad: Their bag is gone. Other "my bag". END'
    )
    assert found.state_turns == (0, 4)


def test_a_feeling_that_lasts_names_all_its_events():
    found = think(
        [state(0, Emotion.SAD), state(2, Emotion.SAD)],
        attribution(0, "Their bag is gone."),
        attribution(2, "Their keys were in it."),
    )
    assert found.text == ('STILL sad: Their bag is gone. Their keys were in it. Own "my bag". END')


def test_a_feeling_that_lasts_long_names_its_latest_causes():
    states = [state(turn, Emotion.SAD) for turn in (0, 2, 4, 6)]
    found = think(states, *(attribution(turn, f"Event {turn}.") for turn in (0, 2, 4, 6)))
    assert found.text == 'STILL sad: Event 4. Event 6. Own "my bag". END'
    assert found.state_turns == (0, 2, 4, 6)


def test_a_calm_turn_carries_the_latest_cause_on():
    found = think(
        [state(0, Emotion.SAD), state(2, Emotion.NEUTRAL)], attribution(0, "Their bag is gone.")
    )
    assert found.text == 'CALM after sad: Their bag is gone. Own "my bag". END'
    assert found.state_turns == (0,)


def test_joy_that_has_passed_is_told_as_past_and_needs_no_answer():
    found = think([state(0, Emotion.HAPPY), state(2, Emotion.NEUTRAL)], attribution(0, "They won."))
    assert found.text == "EARLIER happy: They won. CALM."
    assert found.state_turns == (0,)


def test_a_calm_history_is_one_line():
    found = think([state(0, Emotion.NEUTRAL), state(2, Emotion.NEUTRAL)])
    assert (found.text, found.state_turns) == ("All calm.", ())


def test_an_extractive_cause_is_a_quote_and_no_sentence():
    found = think([state(0, Emotion.SAD)], attribution(0, "my bag", quote="my bag"))
    assert found.text == 'NOW sad: Own "my bag". END'


def test_dollar_signs_in_causes_are_left_alone():
    found = think([state(0, Emotion.SAD)], attribution(0, "They lost $50 and $cause."))
    assert "They lost $50 and $cause." in found.text


@pytest.mark.parametrize("language", list(Language))
def test_released_phrasings_differ_by_row_and_never_for_the_same_row(language):
    template = PromptLibrary({}).template("thinking", language)
    states = [state(0, Emotion.SAD, Intensity.LOW), state(2, Emotion.ANGER)]
    causes = (attribution(0, "A."), attribution(2, "B."))
    texts = [
        think(states, *causes, template=template, language=language, row_id=f"r{n}").text
        for n in range(30)
    ]
    assert len(set(texts)) > 5
    again = think(states, *causes, template=template, language=language, row_id="r7").text
    assert again == texts[7]
    assert all("$" not in text and "<" not in text for text in texts)
