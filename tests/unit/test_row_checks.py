"""The gate before the sink: hard findings keep a row out, soft ones are its flags."""

from collections.abc import Sequence

import pytest

from ieat.pipeline.config import CheckSettings
from ieat.pipeline.output.row_checks import check_row, word_error_rate
from ieat.pipeline.output.rows import dialogue_row, stage1_rows
from ieat.pipeline.output.stage2_rows import RowSettings, stage2_rows
from ieat.schemas.base import Value
from ieat.schemas.cells import MessageCell, SpanCell, TrainableCell
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion
from ieat.schemas.records import ComposedDialogue
from ieat.schemas.rows import Stage1Row, Stage2Row
from tests.builders import composed

ROWS = RowSettings(max_context_turns=20, max_context_seconds=120.0, stage2_audio="embed")
CHINESE = (("明", "我的包丢了"), ("红", "在哪儿丢的"), ("明", "有人从车里偷走了"), ("红", "天哪"))
CHINESE_THINKING = "用户很难过，因为包被偷了。"


def chinese(talk: Sequence[tuple[str, str]] = CHINESE, **changes: object) -> ComposedDialogue:
    """Return a Chinese dialogue with a Chinese answer."""
    found = composed(
        talk,
        language=Language.ZH,
        user="明",
        **{"thinking": CHINESE_THINKING, **changes},  # type: ignore[arg-type]
    )
    return saying(found, "别着急，我陪你去找。", "written")


def saying(of: ComposedDialogue, words: str, source: str = "written") -> ComposedDialogue:
    """Return the dialogue with the same answer at every target."""
    return of.model_copy(
        update={
            "samples": tuple(
                sample.model_copy(
                    update={
                        "response": sample.response.model_copy(
                            update={"text": words, "source": source}
                        )
                    }
                )
                for sample in of.samples
            )
        }
    )


def sounding(of: ComposedDialogue, turn: int, **changes: object) -> ComposedDialogue:
    """Return the dialogue with another sound of one turn."""
    sounds = list(of.sounds)
    sound = sounds[turn]
    assert sound is not None
    sounds[turn] = sound.model_copy(update=changes)
    return of.model_copy(update={"sounds": tuple(sounds)})


def hearing(of: ComposedDialogue, turn: int, words: str) -> ComposedDialogue:
    """Return the dialogue with other recognized words of one turn."""
    said = list(of.transcript.utterances)
    said[turn] = said[turn].model_copy(update={"clean": words, "tagged": words})
    transcript = of.transcript.model_copy(update={"utterances": tuple(said)})
    return of.model_copy(update={"transcript": transcript})


def with_event(of: ComposedDialogue, event: str, appraisal: str | None = None) -> ComposedDialogue:
    """Return the dialogue with the same cause of every state."""
    told = {"event": event, "appraisal": appraisal}
    return of.model_copy(
        update={
            "attributions": tuple(
                found.model_copy(
                    update={"causes": tuple(c.model_copy(update=told) for c in found.causes)}
                )
                for found in of.attributions
            )
        }
    )


def target(of: ComposedDialogue, **checks: object) -> Stage2Row | str:
    """Return the last target after the gate, or the code that keeps it out."""
    row = stage2_rows(of, ROWS)[-1]
    checked = check_row(row, of, CheckSettings.model_validate(checks))
    if checked.error is not None:
        return checked.error.code
    assert isinstance(checked.row, Stage2Row)
    return checked.row


class AskedRow(Value):
    """A row of a further table: a question about a dialogue."""

    row_id: str
    language: Language
    messages: tuple[MessageCell, ...]
    audio_spans: tuple[SpanCell, ...]
    trainable: TrainableCell
    flags: tuple[str, ...] = ()


def asked(of: ComposedDialogue, question: str, answer: str) -> AskedRow:
    """Return a row of a further table over the first clip of a dialogue."""
    return AskedRow(
        row_id="corpus/d1/asked",
        language=of.dialogue.language,
        messages=(
            MessageCell(role="user", kind="listen", content=question, loss=False),
            MessageCell(role="assistant", kind="write", content=answer, loss=True),
        ),
        audio_spans=stage2_rows(of, ROWS)[0].audio_spans,
        trainable=TrainableCell(is_trainable=True, reasons=()),
    )


def turn(of: ComposedDialogue, index: int, **checks: object) -> Stage1Row:
    """Return a turn after the gate."""
    row = next(row for row in stage1_rows(of) if row.turn_index == index)
    checked = check_row(row, of, CheckSettings.model_validate(checks))
    assert checked.error is None
    assert isinstance(checked.row, Stage1Row)
    return checked.row


@pytest.mark.parametrize("of", [composed(), chinese()], ids=["en", "zh"])
def test_a_plain_dialogue_passes_unchanged(of: ComposedDialogue) -> None:
    for row in (dialogue_row(of), *stage1_rows(of), *stage2_rows(of, ROWS)):
        assert check_row(row, of, CheckSettings()) == (row, None)


@pytest.mark.parametrize(
    ("of", "code"),
    [
        (saying(composed(), "As an AI, I hear you."), "self_reference"),
        (saying(composed(), "我明白。"), "wrong_language"),
        (saying(composed(), "No. " * 7), "too_long"),
        (composed(thinking="The label says that she is sad."), "label_named"),
        (composed(thinking="Sad. She lost her bag."), "label_named"),
        (composed(thinking="She lost her bag, the transcript says."), "surrogate_leak"),
        (saying(chinese(), "作为人工智能，我理解。"), "self_reference"),
        (saying(chinese(), "1、深呼吸。\n2、报警。"), "markup"),
        (saying(chinese(), "I hear you."), "wrong_language"),
        (chinese(thinking="情绪：难过，包丢了。"), "label_named"),
        (chinese(thinking="文本中说包丢了。"), "surrogate_leak"),
    ],
)
def test_what_engines_write_is_kept_out_by_its_code(of: ComposedDialogue, code: str) -> None:
    assert target(of) == code


@pytest.mark.parametrize(
    ("of", "code"),
    [
        (saying(composed(), "As an AI, I hear you.", "corpus"), "self_reference"),
        (saying(composed(), "No. " * 7, "corpus"), "too_long"),
        (saying(chinese(), "好。" * 7, "corpus"), "too_long"),
        (saying(chinese(), "Let us go home together now.", "corpus"), "wrong_language"),
    ],
)
def test_what_people_answered_is_flagged_only(of: ComposedDialogue, code: str) -> None:
    row = target(of)
    assert isinstance(row, Stage2Row)
    assert code in row.flags


def test_a_tag_of_thinking_keeps_even_a_person_s_answer_out() -> None:
    assert target(saying(composed(), "<think>I hear you.</think>", "corpus")) == "markup"
    row = target(saying(composed(), "*nods* I hear you.", "corpus"))
    assert isinstance(row, Stage2Row)
    assert row.flags == ("markup",)


def test_a_target_has_the_flags_of_the_sound_that_is_answered() -> None:
    answered = target(sounding(composed(), 2, duration=31.0, snr=3.0))
    assert isinstance(answered, Stage2Row)
    assert answered.flags == ("noisy", "too_long_clip")
    earlier = target(sounding(composed(), 0, duration=31.0, snr=3.0))
    assert isinstance(earlier, Stage2Row)
    assert earlier.flags == ()


def test_a_tag_of_an_emotion_in_the_question_keeps_the_target_out() -> None:
    talk = (("ann", "My bag is gone (sad)"), ("bob", "Oh"))
    shown = composed(talk, texts_only=(0,), emotions={0: Emotion.SAD})
    heard = composed(talk, emotions={0: Emotion.SAD})
    assert target(shown) == "emotion_shown"
    # A question that is heard shows no words.
    assert isinstance(target(heard), Stage2Row)
    zh = (("明", "【难过】我的包丢了"), ("红", "天哪"))
    assert target(chinese(zh, texts_only=(0,), emotions={0: Emotion.SAD})) == "emotion_shown"


def test_which_codes_are_hard_is_the_configuration_s() -> None:
    of = saying(composed(), "As an AI, I hear you. <think>")
    assert target(of, hard=["markup"]) == "markup"
    row = target(of, hard=[])
    assert isinstance(row, Stage2Row)
    assert row.flags == ("markup", "refusal", "self_reference")


def test_the_message_names_the_row_and_all_that_keeps_it_out() -> None:
    of = saying(composed(), "As an AI, I am **so** sorry.")
    checked = check_row(stage2_rows(of, ROWS)[-1], of, CheckSettings())
    assert str(checked.error) == (
        "corpus/d1/002/stage2: speaks about itself: 'As an AI'; holds markup or a list; "
        "the answer declines"
    )


def test_a_cause_that_restates_its_quote_is_flagged_on_its_rows() -> None:
    restated = with_event(composed(), "They said: Somebody.")
    row = target(restated)
    assert isinstance(row, Stage2Row)
    assert row.flags == ("restates_evidence",)
    assert target(restated, hard=["restates_evidence"]) == "restates_evidence"
    told = check_row(dialogue_row(restated), restated, CheckSettings(hard=("restates_evidence",)))
    assert told.error is None
    assert told.row.flags == ("restates_evidence",)  # type: ignore[union-attr]
    fuller = target(with_event(composed(), "They said: Somebody.", "They feel robbed and unsafe."))
    assert isinstance(fuller, Stage2Row)
    assert fuller.flags == ()


def test_a_chinese_cause_that_restates_its_quote_is_flagged() -> None:
    row = target(with_event(chinese(), "有人从车里"))
    assert isinstance(row, Stage2Row)
    assert row.flags == ("restates_evidence",)
    other = target(with_event(chinese(), "对方的财物被盗，十分着急。"))
    assert isinstance(other, Stage2Row)
    assert other.flags == ()


def test_the_extractive_baseline_quotes_by_design_and_is_not_flagged() -> None:
    row = target(with_event(composed(attributor_id="extractive@1"), "Somebody"))
    assert isinstance(row, Stage2Row)
    assert row.flags == ()


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({"duration": 0.99}, ("too_short",)),
        ({"duration": 1.0}, ()),
        ({"duration": 30.0}, ()),
        ({"duration": 30.1}, ("too_long_clip",)),
        ({"snr": 9.9}, ("noisy",)),
        ({"snr": 10.0}, ()),
        ({"snr": None}, ()),
        ({"flags": ("clipped",), "duration": 0.6, "snr": 0.0}, ("clipped", "noisy", "too_short")),
    ],
)
def test_a_sound_outside_the_limits_is_flagged(
    changes: dict[str, object], flags: tuple[str, ...]
) -> None:
    of = sounding(composed(), 2, **changes)
    assert turn(of, 2).flags == flags
    checked = check_row(dialogue_row(of), of, CheckSettings()).row
    assert [cell.flags for cell in checked.turns] == [(), (), flags, (), ()]  # type: ignore[union-attr]


def test_limits_of_sound_are_the_configuration_s() -> None:
    of = sounding(composed(), 2, duration=3.0, snr=15.0)
    assert turn(of, 2, min_clip_seconds=3.5, min_snr=20.0).flags == ("noisy", "too_short")
    row = next(row for row in stage1_rows(of) if row.turn_index == 2)
    strict = CheckSettings(min_snr=20.0, hard=("noisy",))
    checked = check_row(row, of, strict)
    assert checked.error is not None
    assert checked.error.code == "noisy"


def test_a_turn_in_another_language_is_flagged_and_kept() -> None:
    talk = (("ann", "我的包丢了，怎么办"), ("bob", "Where"), ("ann", "In 北京"), ("bob", "Oh"))
    of = composed(talk)
    assert [turn(of, index).flags for index in range(4)] == [("wrong_language",), (), (), ()]
    zh = (("明", "I lost my bag at the station"), ("红", "OK"), ("明", "包丢了"), ("红", "天哪"))
    assert [turn(chinese(zh), index).flags for index in range(4)] == [
        ("wrong_language",),
        (),
        (),
        (),
    ]


def test_recognized_words_far_from_the_script_are_not_fit() -> None:
    of = composed(recognizer_id="openai:w", confidence=0.9)
    wrong = hearing(of, 2, "Somebody told me from afar")
    assert word_error_rate(wrong, 2) == pytest.approx(4 / 6)
    assert turn(wrong, 2).words.trainable.reasons == ("wer_above",)
    assert turn(wrong, 2).words.trainable.is_trainable is False
    assert turn(wrong, 0).words.trainable.reasons == ()
    assert turn(wrong, 2, max_word_errors=None).words.trainable.reasons == ()
    assert turn(wrong, 2, max_word_errors=0.7).words.trainable.reasons == ()


def test_recognized_chinese_is_compared_by_character() -> None:
    of = chinese(recognizer_id="openai:w", confidence=0.9)
    assert word_error_rate(hearing(of, 0, "我的抱丢了"), 0) == pytest.approx(0.2)
    wrong = hearing(of, 0, "我地抱刁啦")
    assert turn(wrong, 0).words.trainable.reasons == ("wer_above",)


def test_targets_that_rest_on_wrong_words_are_not_fit_either() -> None:
    of = hearing(composed(recognizer_id="openai:w", confidence=0.9), 0, "Mile back is gong")
    row = target(of)
    assert isinstance(row, Stage2Row)
    assert row.trainable.model_dump() == {
        "explicit": False,
        "injected": False,
        "implicit": False,
        "reasons": ("wer_above",),
    }


def test_the_corpus_own_words_and_turns_without_script_are_not_compared() -> None:
    assert word_error_rate(hearing(composed(), 2, "Quite other words"), 2) is None
    of = composed(recognizer_id="openai:w", confidence=0.9, texts_only=(2,))
    assert word_error_rate(hearing(of, 2, "Quite other words"), 2) is None


@pytest.mark.parametrize(
    ("question", "answer", "code"),
    [
        ("<audio> How does she feel?", "The user is sad, then angry. " * 8, None),
        ("<audio> [sad] How does she feel?", "She is sad.", "emotion_shown"),
        ("<audio> How does she feel?", "As an AI, I hear that she is sad.", "self_reference"),
        ("<audio> How does she feel?", "她很难过。", "wrong_language"),
    ],
)
def test_a_row_of_a_further_table_passes_the_same_gate(
    question: str, answer: str, code: str | None
) -> None:
    of = composed()
    row = asked(of, question, answer)
    checked = check_row(row, of, CheckSettings())  # type: ignore[arg-type]
    assert (checked.error.code if checked.error else None) == code


def test_a_row_of_a_further_table_over_wrong_words_is_not_fit() -> None:
    of = hearing(composed(recognizer_id="openai:w", confidence=0.9), 0, "Mile back is gong")
    row = asked(of, "<audio> How does she feel?", "She is sad.")
    checked = check_row(row, of, CheckSettings()).row  # type: ignore[arg-type]
    assert checked.trainable == TrainableCell(  # type: ignore[union-attr]
        is_trainable=False, reasons=("wer_above",)
    )
