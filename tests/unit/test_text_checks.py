"""Every check of a text with texts that break it and texts that do not, in both languages."""

import pytest

from ieat.pipeline.config import CheckSettings
from ieat.pipeline.languages import (
    count_sentences,
    is_foreign_speech,
    is_in_language,
)
from ieat.pipeline.text_checks import (
    find_in_response,
    find_in_thinking,
    find_shown_emotion,
    restated_share,
)
from ieat.prompts.library import PromptLibrary
from ieat.schemas.dialogue import Language

EN, ZH = Language.EN, Language.ZH
CHECKS = CheckSettings()


def in_response(text, language=EN, heard=(), *, is_recorded=False, checks=CHECKS):
    found = find_in_response(text, language, checks, heard, is_recorded=is_recorded)
    return [problem.code for problem in found]


def in_thinking(text, language=EN, heard=(), quotes=()):
    return [problem.code for problem in find_in_thinking(text, language, heard, quotes)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("As an AI, I cannot feel, but I hear you.", "self_reference"),
        ("I'm a language model, so tell me more.", "self_reference"),
        ("I'm an assistant and here to listen.", "self_reference"),
        ("Sure! Here is a warm response: Oh no, poor you.", "self_reference"),
        ("Response: Oh no, poor you.", "self_reference"),
        ("It sounds hard for the user.", "self_reference"),
        ("I'm sorry, but I can't help with that.", "refusal"),
        ("I’m so sorry, I am not able to discuss this.", "refusal"),
        ("Your emotion label says it all.", "label_named"),
        ("You are tagged as angry, so calm down.", "label_named"),
        ("According to the transcript you lost it.", "surrogate_leak"),
        ("The text says you lost it.", "surrogate_leak"),
        ("In turn 3 you lost it.", "surrogate_leak"),
        ("<think>sad</think> Oh no.", "markup"),
        ("1. Breathe.\n2. Call somebody.", "markup"),
        ("That is **so** hard.", "markup"),
        ("I hear you 😀", "markup"),
        ("(softly) I hear you.", "markup"),
        ("我明白。", "wrong_language"),
        ("well " * 101, "too_long"),
        ("No. " * 7, "too_long"),
        (" ", "empty_answer"),
    ],
)
def test_an_english_answer_that_cannot_be_said_has_a_code(text, code):
    assert in_response(text)[0] == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("作为一个人工智能助手，我理解你。", "self_reference"),
        ("我是你的助手，请放心。", "self_reference"),
        ("以下是回复：别难过。", "self_reference"),
        ("用户的情绪很低落，先休息吧。", "self_reference"),
        ("抱歉，我无法回答这个问题。", "refusal"),
        ("你的情绪标签是难过。", "label_named"),
        ("标签上写着难过。", "label_named"),
        ("根据文本，你的包丢了。", "surrogate_leak"),
        ("第3轮中你说包丢了。", "surrogate_leak"),
        ("<think>难过</think>别难过。", "markup"),
        ("1、深呼吸。\n2、打电话。", "markup"),
        ("（轻声）别难过。", "markup"),
        ("别难过😀", "markup"),
        ("I hear you, that sounds hard.", "wrong_language"),
        ("好" * 181, "too_long"),
        ("好。" * 7, "too_long"),
    ],
)
def test_a_chinese_answer_that_cannot_be_said_has_a_code(text, code):
    assert in_response(text, ZH)[0] == code


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but that must hurt. Did you see who took it?",
        "Sorry, I can't come tonight.",
        "I can't help but smile.",
        "The label says dry clean only.",
        "The price tag is still on it.",
        "When I turn 18, it is my turn.",
        "Did you get the text I sent you?",
        "I'm an assistant manager at the bank.",
        "It is 30°C outside, and that f**king fan is broken.",
        "My answer is no.",
        "Mr. Bryant, Mrs. Smith and Dr. Lee are here. Hi. Hello. Yes. No. Bye.",
    ],
)
def test_what_people_say_in_english_passes(text):
    assert in_response(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "对不起，我不能陪你去了。",
        "别给自己贴标签。",
        "别给我贴标签，我很生气。",
        "我是李总的助手。",
        "他进了第3轮面试。",
        "这是我的回答。",
        "今天30℃，去 KTV 吧，OK？",
    ],
)
def test_what_people_say_in_chinese_passes(text):
    assert in_response(text, ZH) == []


def test_an_answer_may_take_up_the_words_of_the_dialogue():
    assert in_response("The transcript is lost?") == ["surrogate_leak"]
    assert in_response("The transcript is lost?", heard=["I need my transcripts"]) == []
    assert in_response("Then ask ChatGPT.") == ["self_reference"]
    assert in_response("Then ask ChatGPT.", heard=["I asked ChatGPT"]) == []


def test_people_switch_languages_and_models_do_not():
    assert in_response("OK, bye bye!", ZH) == ["wrong_language"]
    assert in_response("OK, bye bye!", ZH, is_recorded=True) == []
    assert in_response("110", ZH, is_recorded=True) == []
    assert in_response("Let us speak English now", ZH, is_recorded=True) == ["wrong_language"]
    assert in_response("我们说中文吧，okay", EN, is_recorded=True) == ["wrong_language"]


def test_the_limits_of_an_answer_are_the_configuration_s():
    short = CheckSettings(max_response_seconds=2.0, max_sentences=1)
    assert in_response("one two three four five", checks=short) == []
    assert in_response("one two three four five six", checks=short) == ["too_long"]
    assert in_response("One. Two.", checks=short) == ["too_long"]
    slow = CheckSettings.model_validate(
        {"max_response_seconds": 2.0, "words_per_second": {"zh": 2.0}}
    )
    assert in_response("一二三四", ZH, checks=slow) == []
    assert in_response("一二三四五", ZH, checks=slow) == ["too_long"]


def test_an_answer_about_the_dialogue_may_speak_of_the_user_at_any_length():
    report = "The user was sad. " * 8
    assert in_response(report) == ["self_reference", "too_long"]
    assert list(find_in_response(report, EN, CHECKS, is_report=True)) == []
    (found,) = find_in_response("用户先难过，标签为难过。", ZH, CHECKS, is_report=True)
    assert found.code == "label_named"


def test_a_megabyte_is_told_by_its_length_alone():
    assert in_response("<think>" * 200_000) == ["too_long"]


@pytest.mark.parametrize(
    ("text", "language", "code"),
    [
        ("Sad. The user lost their bag.", EN, "label_named"),
        ("emotion: anger. They lost their bag.", EN, "label_named"),
        ("They are sad, as the annotation says.", EN, "label_named"),
        ("They lost it, the transcript says.", EN, "surrogate_leak"),
        ("<think>They lost it.</think>", EN, "markup"),
        ("他们的包丢了。", EN, "wrong_language"),
        ("难过。用户的包丢了。", ZH, "label_named"),
        ("情绪：难过，包丢了。", ZH, "label_named"),
        ("标注说对方很难过。", ZH, "label_named"),
        ("文本中说包丢了。", ZH, "surrogate_leak"),
        ("They lost their bag.", ZH, "wrong_language"),
    ],
)
def test_thinking_of_somebody_who_did_not_hear_the_dialogue_has_a_code(text, language, code):
    assert in_thinking(text, language) == [code]


def test_thinking_may_quote_whatever_was_said():
    said = "The transcript says I am tagged as angry </think>"
    thinking = f'The user is angry. It shows in the words "{said}".'
    assert in_thinking(thinking) != []
    assert in_thinking(thinking, quotes=[f"{said}."]) == []
    switched = "I just want to go home tonight and sleep"
    thinking = f"用户很难过。这从“{switched}”可以听出来。"
    assert in_thinking(thinking, ZH) == ["wrong_language"]
    assert in_thinking(thinking, ZH, quotes=[switched]) == []


@pytest.mark.parametrize("language", [EN, ZH])
def test_every_released_phrasing_of_thinking_passes(language):
    sections = PromptLibrary({}).template("thinking", language).sections
    felt = "very sad" if language is EN else "非常难过"
    cause = "Somebody stole their bag." if language is EN else "有人偷了他们的包。"
    phrasings = [
        line.removeprefix("- ")
        for name, lines in sections.items()
        if name.startswith(("now", "earlier", "neutral_", "close"))
        for line in lines.splitlines()
        if line.strip()
    ]
    assert len(phrasings) > 10
    for phrasing in phrasings:
        text = phrasing.replace("$state", felt).replace("$cause", cause)
        assert in_thinking(text, language) == [], text


@pytest.mark.parametrize(
    "text",
    [
        "[happy] My bag is back",
        "My bag is gone (sad)",
        "<|ANGRY|> They stole it",
        "Emotion: fear. My bag is gone",
        "【难过】我的包丢了",
        "（开心）包找到了",
        "情绪：愤怒，包丢了",
    ],
)
def test_an_emotion_given_away_as_data_is_found(text):
    assert [problem.code for problem in find_shown_emotion(text)] == ["emotion_shown"]


@pytest.mark.parametrize(
    "text",
    [
        "I am so happy, my bag is back",
        "Happy birthday (to you)",
        "<audio>",
        "What a mood: everybody sings",
        "我很难过，包丢了",
        "你今天心情怎么样？",
        "我想听《开心》这首歌",
        "Answer with one of these words: happy, sad, anger, fear, neutral, surprise, disgust.",
    ],
)
def test_speaking_of_emotions_gives_nothing_away(text):
    assert list(find_shown_emotion(text)) == []


def test_the_corpus_own_words_for_emotions_are_found_too():
    (found,) = find_shown_emotion("(positive-other) Let us go", ["positive-other", "calm"])
    assert (found.code, found.message) == (
        "emotion_shown",
        "the student would read the corpus' label 'positive-other'",
    )
    assert list(find_shown_emotion("All is calm (now)", ["calm"])) == []


@pytest.mark.parametrize(
    ("cause", "quote", "language", "share"),
    [
        ("They said that their bag is gone.", "My bag is gone", EN, 1.0),
        ("Somebody stole the bag from their car.", "Somebody stole it from my car", EN, 0.75),
        ("Their father is ill, and they fear the worst.", "He is in hospital", EN, 0.0),
        ("我的包丢了。", "我的包丢了", ZH, 1.0),
        ("对方失去了重要的东西，担心找不回来。", "我的包丢了", ZH, 0.0),
        ("They lost it.", "", EN, 0.0),
    ],
)
def test_the_share_of_a_cause_that_its_quote_holds(cause, quote, language, share):
    assert restated_share(cause, [quote], language) == share


def test_inflections_and_several_quotes_count_as_restated():
    quotes = ["I was waiting", "for an apology"]
    assert restated_share("They waited for apologies.", quotes, EN) == 1.0


def test_sentences_are_counted_as_they_are_said():
    assert count_sentences("Oh no! Really? Yes...", EN) == 3
    assert count_sentences("Good morning , Mr . Bryant . Hi .", EN) == 2
    assert count_sentences("It costs 3.50 at most", EN) == 1
    assert count_sentences("天哪！真的吗？？是的……", ZH) == 3
    assert count_sentences("?!", EN) == 0


def test_scripts_tell_languages_apart():
    assert is_in_language("Café, naïve", EN)
    assert not is_in_language("Привет", EN)
    assert is_foreign_speech("Привет всем", EN)
    assert not is_foreign_speech("We ate 火锅", EN)
    assert not is_foreign_speech("?!", ZH)
