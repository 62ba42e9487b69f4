"""Checks of the answers of T1 and T2: one good and one bad answer a code, in both languages."""

import pytest

from ieat.pipeline.emotion_vocabulary import (
    WORDS,
    anchor_line,
    emotion_words,
    find_mentions,
)
from ieat.pipeline.failures import UnusableAnswer
from ieat.pipeline.humdial_checks import (
    check_chain,
    check_reasons_evidence,
    check_reasons_tied,
    check_root_cause,
    check_trajectory_tied,
    check_trajectory_words,
    content_of,
    is_tied,
)
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion
from ieat.schemas.history import HeardTurn, History

EN, ZH = Language.EN, Language.ZH
FEAR, NEUTRAL, HAPPY, ANGER = Emotion.FEAR, Emotion.NEUTRAL, Emotion.HAPPY, Emotion.ANGER


def history(language, *words):
    return History(
        dialogue_id="c/d",
        language=language,
        turns=tuple(
            HeardTurn(
                turn_index=index, speaker="ann", clean=text, tagged=text, events=(), words=(),
                audio=None, duration=None, cues=None,
            )
            for index, text in enumerate(words)
        ),
    )  # fmt: skip


PATH = (FEAR, NEUTRAL, HAPPY)
TALKS = {
    EN: history(EN, "I thought the dog was gone", "I was so worried", "He came home"),
    ZH: history(ZH, "我以为狗丢了", "我担心死了", "它自己回来了"),
}
GOOD = {
    EN: "It began with fear when the dog was gone, was neutral once you sat down to search, and "
    "ended happy as he came home.",
    ZH: "一开始狗不见了，你感到恐惧；坐下来找的时候变得平静；最后它自己回来了，你很开心。",
}


def code_of(check, *arguments):
    with pytest.raises(UnusableAnswer) as caught:
        check(*arguments)
    return caught.value.code


@pytest.mark.parametrize("language", Language)
def test_an_answer_that_names_the_path_and_nothing_else_passes(language):
    check_trajectory_words(GOOD[language], PATH, TALKS[language])


@pytest.mark.parametrize(
    ("language", "old", "new", "code"),
    [
        (EN, "happy", "excited", "t1_vocab_deviation"),
        (EN, "neutral", "calm", "t1_vocab_deviation"),
        (EN, "was neutral once you sat down", "then you sat down", "t1_omission"),
        (EN, "as he came home", "as he came home, with some anxiety", "t1_addition"),
        (EN, "as he came home", "as he came home, and angry at the gate", "t1_addition"),
        (EN, "as he came home", "as he came home, to your surprise", "t1_addition"),
        (ZH, "开心", "兴奋", "t1_vocab_deviation"),
        (ZH, "平静", "冷静", "t1_vocab_deviation"),
        (ZH, "变得平静", "继续找", "t1_omission"),
        (ZH, "你很开心", "你很开心，也有些焦虑", "t1_addition"),
        (ZH, "你很开心", "你很开心，又有点生气", "t1_addition"),
        (ZH, "你很开心", "你很开心，也很惊讶", "t1_addition"),
    ],
)
def test_an_answer_that_leaves_the_vocabulary_or_the_path_has_its_code(language, old, new, code):
    assert old in GOOD[language]
    bad = GOOD[language].replace(old, new)
    assert code_of(check_trajectory_words, bad, PATH, TALKS[language]) == code


@pytest.mark.parametrize(
    ("language", "bad"),
    [
        (EN, "You were happy as he came home, after fear, and then neutral, then happy."),
        (EN, "You were neutral, then it was fear, and happy, and fear once more, neutral, happy."),
        (ZH, "最后你很开心，此前是恐惧，然后平静，再到开心。"),
    ],
)
def test_the_order_of_the_path_is_kept(language, bad):
    assert code_of(check_trajectory_words, bad, PATH, TALKS[language]) == "t1_order"


def test_an_emotion_that_comes_back_is_named_again():
    path = (NEUTRAL, ANGER, NEUTRAL)
    once = "You were neutral at first, then angry about the desk."
    assert code_of(check_trajectory_words, once, path, TALKS[EN]) == "t1_omission"
    check_trajectory_words(once + " In the end you were neutral again.", path, TALKS[EN])
    assert code_of(check_trajectory_words, "起初平静，后来愤怒。", path, TALKS[ZH]) == "t1_omission"
    check_trajectory_words("起初平静，后来愤怒，最后又平静了。", path, TALKS[ZH])


def test_an_emotion_that_is_retold_in_order_is_no_mistake():
    retold = GOOD[EN] + " So fear gave way, and you are happy."
    check_trajectory_words(retold, PATH, TALKS[EN])


@pytest.mark.parametrize(
    ("language", "quoting", "inventing"),
    [
        (EN, ' You said "I was so worried".', ' You said "I was so anxious".'),
        (ZH, "你说“我担心死了”。", "你说“我焦虑死了”。"),
    ],
)
def test_the_words_of_the_user_may_be_quoted_and_only_those(language, quoting, inventing):
    check_trajectory_words(GOOD[language] + quoting, PATH, TALKS[language])
    bad = GOOD[language] + inventing
    assert code_of(check_trajectory_words, bad, PATH, TALKS[language]) == "t1_addition"


def test_what_is_denied_is_not_named_and_longer_words_win():
    assert [m.word for m in find_mentions("You were no longer angry but sad", EN)] == ["sad"]
    assert [m.word for m in find_mentions("你不再愤怒，只是悲伤", ZH)] == ["悲伤"]
    ((word, emotion, is_closed),) = find_mentions("你不开心", ZH)
    assert (word, emotion, is_closed) == ("不开心", Emotion.SAD, False)
    assert find_mentions("Unhappily, a saddle and a fearless dog", EN) == ()


@pytest.mark.parametrize("language", Language)
def test_every_emotion_has_a_word_of_the_closed_vocabulary(language):
    assert set(WORDS[language]) == set(Emotion)
    for emotion, word in WORDS[language].items():
        ((found, meaning, is_closed),) = find_mentions(word, language)
        assert (found, meaning, is_closed) == (word, emotion, True)
    assert all(word == word.lower() for word in emotion_words(language))


def test_the_sequence_is_told_in_one_line():
    assert anchor_line(PATH, EN) == "Emotion sequence: fear -> neutral -> happy"
    assert anchor_line(PATH, ZH) == "情绪序列: 恐惧 -> 平静 -> 开心"


RUNS = {
    EN: [(FEAR, ["The dog was gone."]), (NEUTRAL, ["Nothing."]), (HAPPY, ["He came home."])],
    ZH: [(FEAR, ["狗不见了。"]), (NEUTRAL, ["没什么。"]), (HAPPY, ["它自己回来了。"])],
}
BARE = {EN: "It was fear, then neutral, then happy.", ZH: "先是恐惧，然后平静，最后开心。"}


@pytest.mark.parametrize("language", Language)
def test_every_emotion_is_tied_to_its_event(language):
    check_trajectory_tied(GOOD[language], RUNS[language], language, 1.0)
    assert code_of(check_trajectory_tied, BARE[language], RUNS[language], language, 1.0) == (
        "t1_untied"
    )
    check_trajectory_tied(BARE[language], RUNS[language], language, 0.0)
    check_trajectory_tied(BARE[language], [(NEUTRAL, ["x"])], language, 1.0)


def test_half_of_the_emotions_tied_is_enough_where_the_setting_says_so():
    half = "It was fear as the dog was gone, then neutral, then happy."
    assert code_of(check_trajectory_tied, half, RUNS[EN], EN, 1.0) == "t1_untied"
    check_trajectory_tied(half, RUNS[EN], EN, 0.5)


def test_causes_quote_two_turns_where_there_are_two():
    check_reasons_evidence([0, 2], 3)
    check_reasons_evidence([2, 2], 1)
    assert code_of(check_reasons_evidence, [2, 2], 3) == "t2_one_turn"
    assert code_of(check_reasons_evidence, [], 1) == "t2_one_turn"


CHAIN = {
    EN: (
        "You were never asked, and that hurts.",
        ["They moved your desk.", "The team kept silent."],
        "A talk with the team may clear it up.",
    ),
    ZH: ("没有人征求你的意见。", ["桌子被搬走了。", "同事都不作声。"], "不妨和同事谈一谈。"),
}


def spoken(language):
    conclusion, arguments, takeaway = CHAIN[language]
    return (" " if language is EN else "").join((conclusion, *arguments, takeaway))


@pytest.mark.parametrize("language", Language)
def test_an_answer_with_conclusion_arguments_and_takeaway_passes(language):
    check_chain(spoken(language), *CHAIN[language], language, 2)


@pytest.mark.parametrize("language", Language)
def test_a_chain_that_lacks_a_part_is_told(language):
    conclusion, arguments, takeaway = CHAIN[language]
    whole = spoken(language)
    for answer, chain in (
        (whole, (conclusion, arguments[:1], takeaway)),
        (whole, (conclusion, [arguments[0], arguments[0]], takeaway)),
        (whole, (conclusion, arguments, arguments[0])),
        (arguments[0] + takeaway, (conclusion, arguments, takeaway)),
        (conclusion + arguments[0], (conclusion, arguments, takeaway)),
        (conclusion + takeaway, (conclusion, [arguments[0], "X y." * 3], takeaway)),
    ):
        assert code_of(check_chain, answer, *chain, language, 2) == "t2_chain"
    check_chain(whole, conclusion, arguments[:1], takeaway, language, 1)


@pytest.mark.parametrize("language", Language)
def test_an_answer_takes_up_the_causes(language):
    causes = [[text] for text in CHAIN[language][1]]
    check_reasons_tied(spoken(language), causes, language, 1.0)
    one = CHAIN[language][1][0]
    check_reasons_tied(one, causes, language, 0.5)
    assert code_of(check_reasons_tied, one, causes, language, 1.0) == "t2_untied"


@pytest.mark.parametrize(
    ("language", "said", "deeper"),
    [
        (EN, "They moved my desk without asking", "Being overlooked means they do not belong."),
        (ZH, "他们没问我就把桌子搬走了", "对方需要的是被尊重、被当作其中一员。"),
    ],
)
def test_a_root_cause_is_more_than_what_was_said(language, said, deeper):
    check_root_cause(deeper, [said], language, 0.8)
    assert code_of(check_root_cause, said, [said], language, 0.8) == "t2_restated"
    check_root_cause(said, [said], language, 1.0)


def test_what_holds_no_word_of_content_need_not_be_taken_up():
    check_reasons_tied("Nothing of it.", [["Oh.", "Oh!"]], EN, 1.0)
    check_reasons_tied("说不清。", [["嗯"]], ZH, 1.0)
    check_trajectory_tied("It was fear.", [(FEAR, ["Oh!"])], EN, 1.0)


def test_words_of_content_are_neither_feelings_nor_fillers():
    assert content_of("You were angry when they moved the desks", EN) == {"move", "desk"}
    assert content_of("因为愤怒，桌子搬走了", ZH) == {"桌子", "子搬", "搬走", "走了"}
    assert not is_tied("It was fear and anger", "fear and anger it was", EN)
