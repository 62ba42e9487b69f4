import pytest

from ieat.pipeline.answers import QuoteForm
from ieat.pipeline.checks import (
    check_cause_text,
    check_evidence,
    check_not_copied,
    check_response_text,
)
from ieat.pipeline.failures import UnusableAnswer
from ieat.schemas.attribution import CauseKind
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import VoiceCues
from ieat.schemas.history import HeardTurn, History


def heard(index, words, speaker="ann", events=(), cue_words=None):
    cues = cue_words and VoiceCues(
        turn_index=index, level=-20, pitch=120, pitch_range=3, tilt=-10, rate=3,
        num_reference_turns=3, level_change=6, pitch_change=0, rate_change=1, arousal=1,
        words=cue_words,
    )  # fmt: skip
    return HeardTurn(
        turn_index=index, speaker=speaker, clean=words, tagged=words, events=events, words=(),
        audio=None, duration=None, cues=cues,
    )  # fmt: skip


def history(*turns, language=Language.EN):
    return History(dialogue_id="c/d", language=language, turns=turns)


ENGLISH = history(heard(2, "My bag is gone"), heard(4, "Somebody stole it from me", "bob"))
CHINESE = history(heard(0, "我妈昨天住院了"), language=Language.ZH)


def code_of(check, *arguments):
    with pytest.raises(UnusableAnswer) as caught:
        check(*arguments)
    return caught.value.code


def test_evidence_carries_offsets_and_speaker():
    (shown,) = check_evidence([QuoteForm(turn=2, quote="bag is gone")], ENGLISH, None)
    assert (shown.turn_index, shown.speaker, shown.start, shown.end) == (2, "ann", 3, 14)


@pytest.mark.parametrize(
    ("quote", "code"),
    [
        (QuoteForm(turn=5, quote="My bag"), "future_evidence"),
        (QuoteForm(turn=3, quote="My bag"), "evidence_turn_unknown"),
        (QuoteForm(turn=-1, quote="My bag"), "evidence_turn_unknown"),
        (QuoteForm(turn=2, quote="My bog"), "span_not_verbatim"),
        (QuoteForm(turn=4, quote="My bag"), "span_not_verbatim"),
    ],
)
def test_evidence_that_does_not_hold_has_a_code(quote, code):
    assert code_of(check_evidence, [quote], ENGLISH, None) == code


def test_no_evidence_is_allowed_for_latent_and_background_causes_only():
    assert check_evidence([], ENGLISH, CauseKind.LATENT) == ()
    assert check_evidence([], ENGLISH, CauseKind.BACKGROUND) == ()
    assert code_of(check_evidence, [], ENGLISH, CauseKind.EXPLICIT) == "evidence_missing"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty_answer"),
        ("I'm sorry, but I can't help with that.", "refusal"),
        ("The label says they are sad.", "label_named"),
        ("The transcript says that the bag is gone.", "surrogate_leak"),
        ("In turn [2] they say that it is gone.", "surrogate_leak"),
        ("They are sobbing over their bag.", "vocal_claim"),
        ("They shout that the bag is gone.", "vocal_claim"),
        ("他们的包不见了。", "wrong_language"),
        ("word " * 61, "too_long"),
        ("- The bag is gone.", "markup"),
        ("<think>The bag is gone.</think>", "markup"),
    ],
)
def test_an_english_cause_that_breaks_a_check_has_its_code(text, code):
    assert code_of(check_cause_text, text, ENGLISH) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Their mother is in hospital.", "wrong_language"),
        ("对方哽咽着说母亲住院了。", "vocal_claim"),
        ("标签显示对方很难过。", "label_named"),
        ("文本中提到母亲住院。", "surrogate_leak"),
        ("抱歉，我无法回答。", "refusal"),
        ("很" * 121, "too_long"),
    ],
)
def test_a_chinese_cause_that_breaks_a_check_has_its_code(text, code):
    assert code_of(check_cause_text, text, CHINESE) == code


def test_sound_causes_pass():
    check_cause_text("Somebody stole their bag.", ENGLISH)
    check_cause_text("母亲昨天住院了。", CHINESE)
    check_cause_text("对方在 KTV 里丢了 iPhone。", CHINESE)


def test_a_vocal_claim_passes_when_a_tag_a_cue_or_the_words_hold_it():
    claim = "They shout and sigh about the bag."
    check_cause_text(claim, history(heard(0, "Oh", events=("sigh",), cue_words=("louder",))))
    check_cause_text("He was shouting at them.", history(heard(0, "He was shouting at me")))
    assert code_of(check_cause_text, claim, history(heard(0, "Oh", events=("sigh",)))) == (
        "vocal_claim"
    )


def test_a_dialogue_about_labels_may_be_explained_with_the_word():
    check_cause_text("Their record label dropped them.", history(heard(0, "My label dropped me")))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("As an AI, I understand you.", "self_reference"),
        ("I hear you 😀", "markup"),
        ("1. Breathe.\n2. Call the police.", "markup"),
        ("我明白。", "wrong_language"),
        ("well " * 101, "too_long"),
    ],
)
def test_a_response_that_breaks_a_check_has_its_code(text, code):
    assert code_of(check_response_text, text, ENGLISH) == code


def test_a_spoken_response_passes():
    check_response_text("Oh no. Did you see who took it? Let's call the station.", ENGLISH)


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ("A kite flew over the barn.", "A kite flew over the barn."),
        ("a kite flew over the barn!", "A kite flew over the barn."),
        ("Their kite flew over the old barn.", "A kite flew over the barn."),
        ("So it is: a kite flew over the barn, they say.", "A kite flew over the barn."),
        ("对方的风筝飞过了谷仓。", "风筝飞过了谷仓。"),
        ("一只风筝飞过了谷仓", "一只风筝飞过谷仓。"),
    ],
)
def test_a_sentence_of_an_example_is_no_answer(text, example):
    assert code_of(check_not_copied, text, {"Another one.", example}) == "example_copied"


@pytest.mark.parametrize(
    ("text", "examples"),
    [
        ("Somebody took their bag.", {"A kite flew over the barn."}),
        ("A plane flew over the city.", {"A kite flew over the barn."}),
        ("有人偷了对方的包。", {"一只风筝飞过了谷仓。"}),
        ("Somebody took their bag.", set()),
        ("Somebody took their bag.", {"", "..."}),
    ],
)
def test_words_of_its_own_are_no_copy(text, examples):
    check_not_copied(text, examples)


def test_an_answer_about_the_dialogue_has_the_limit_of_who_asked():
    check_response_text("The user lost a bag, then more.", ENGLISH, 7)
    assert code_of(check_response_text, "The user lost a bag, then more.", ENGLISH, 6) == "too_long"
    assert code_of(check_response_text, "As an AI I see.", ENGLISH, 7) == "self_reference"
    assert code_of(check_response_text, "The user lost a bag.", ENGLISH) == "self_reference"
