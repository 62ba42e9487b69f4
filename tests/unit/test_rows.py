"""Composed dialogues become rows of `dialogues` and stage 1."""

from ieat.pipeline.output.rows import dialogue_row, stage1_rows
from ieat.pipeline.output.stage2_rows import RowSettings, stage2_rows
from ieat.prompts.instructions import phrasings
from ieat.prompts.library import RELEASED
from ieat.schemas.cells import ProvenanceCell, SpanCell
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion, SoftLabels
from tests.builders import SHA, composed


def test_every_turn_with_words_has_a_stage1_row_whoever_speaks() -> None:
    rows = stage1_rows(composed(silent=(3,)))
    assert [(row.row_id, row.speaker) for row in rows] == [
        ("corpus/d1/000/stage1", "ann"),
        ("corpus/d1/001/stage1", "bob"),
        ("corpus/d1/002/stage1", "ann"),
        ("corpus/d1/004/stage1", "ann"),
    ]


def test_a_row_says_where_its_clip_comes_from_and_holds_no_bytes_yet() -> None:
    row = stage1_rows(composed())[2]
    assert row.audio is not None
    assert (row.audio.bytes, row.audio.path) == (None, "corpus/d1/002.flac")
    assert row.audio_span == SpanCell(
        turn_index=2,
        uri="d1-2.wav",
        source_sha256="0" * 64,
        channel=None,
        source_rate=16000,
        start_sample=0,
        end_sample=32000,
        duration=2.0,
    )
    assert row.duration == 2.0


def test_gold_words_with_sound_are_fit() -> None:
    assert [row.words.trainable.reasons for row in stage1_rows(composed())] == [()] * 5


def test_words_that_an_engine_did_not_score_are_not_fit() -> None:
    row = stage1_rows(composed(recognizer_id="moonshine:tiny"))[0]
    assert row.words.trainable.is_trainable is False
    assert row.words.trainable.reasons == ("unscored_words",)
    scored = stage1_rows(composed(recognizer_id="openai:w", confidence=0.9))[0]
    assert scored.words.trainable.reasons == ()


def test_a_turn_without_sound_is_not_fit_and_its_words_are_the_corpus_own() -> None:
    row = stage1_rows(composed(recognizer_id="moonshine:tiny", texts_only=(0,)))[0]
    assert (row.audio, row.audio_span, row.duration) == (None, None, None)
    assert row.words.trainable.reasons == ("no_audio",)
    assert row.attributes.trainable.reasons == ("no_audio",)
    assert row.provenance.recognizer_id == "gold"


def test_an_unknown_emotion_is_null_and_not_fit() -> None:
    rows = stage1_rows(composed(emotions={0: None, 2: Emotion.ANGER}))
    assert [row.attributes.emotion for row in rows] == [None, None, Emotion.ANGER, None, None]
    assert [row.attributes.trainable.reasons for row in rows] == [
        ("unknown_emotion",),
        ("unknown_emotion",),
        (),
        ("unknown_emotion",),
        ("unknown_emotion",),
    ]


def test_an_emotion_from_the_linear_baseline_is_not_fit_but_the_corpus_label_is() -> None:
    of_words = stage1_rows(composed(labeler_id="linear@1"))[0]
    assert of_words.attributes.trainable.reasons == ("baseline_labeler",)
    of_corpus = stage1_rows(composed(labeler_id="linear@1", label_source="gold"))[0]
    assert of_corpus.attributes.trainable.reasons == ()
    assert of_corpus.attributes.chosen_from == "gold"


def test_disagreeing_labels_are_a_flag_and_no_reason() -> None:
    row = stage1_rows(composed(golds={0: Emotion.HAPPY}))[0]
    assert row.attributes.conflict is True
    assert row.flags == ("label_conflict",)
    assert row.attributes.trainable.reasons == ()


def test_the_dialogue_row_holds_every_turn_also_silent_ones() -> None:
    row = dialogue_row(composed(silent=(3,), failed_states={2: "quote_unfound"}))
    assert row.row_id == row.dialogue_id == "corpus/d1"
    assert [turn.clean for turn in row.turns] == [
        "My bag is gone",
        "Where did you leave it",
        "Somebody stole it from my car",
        "",
        "I will call the police",
    ]
    assert row.turns[3].source_text == "That is awful"
    assert row.failures == ("turn:2:quote_unfound",)


def test_the_dialogue_row_holds_shifts_and_causes_with_their_quotes() -> None:
    row = dialogue_row(composed())
    assert [(shift.speaker, shift.from_turn, shift.turn_index) for shift in row.shifts] == [
        ("ann", 0, 2)
    ]
    assert [(cause.turn_index, cause.emotion) for cause in row.causes] == [
        (0, Emotion.SAD),
        (2, Emotion.ANGER),
        (4, Emotion.ANGER),
    ]
    shown = row.causes[1].evidence[0]
    assert (shown.quote, shown.start, shown.end) == ("Somebo", 0, 6)
    assert (shown.audio_uri, shown.audio_start, shown.audio_end) == ("d1-2.wav", 0.0, None)


def test_provenance_names_engines_prompts_and_answers_in_order() -> None:
    row = dialogue_row(composed(recognizer_id="openai:w"))
    assert row.provenance == ProvenanceCell(
        recognizer_id="openai:w",
        labeler_id="openai:m",
        attributor_id="openai:m",
        writer_id="openai:m",
        prompt_ids=("attribution@1.en", "response@1.en", "thinking@1.en"),
        prompt_sha256s=(SHA,) * 3,
        response_keys=(
            "answer-0",
            "answer-2",
            "cause-0",
            "cause-2",
            "cause-4",
            "words-0",
            "words-1",
            "words-2",
            "words-3",
            "words-4",
        ),
    )


def test_a_stage1_row_names_only_what_it_rests_on() -> None:
    provenance = stage1_rows(composed(recognizer_id="openai:w"))[1].provenance
    assert provenance.labeler_id is None
    assert provenance.attributor_id is None
    assert provenance.response_keys == ("words-1",)


def test_names_of_clips_do_not_lead_out_of_a_folder() -> None:
    row = stage1_rows(composed(name="../../etc/x"))[0]
    assert row.audio is not None
    assert row.audio.path == "corpus/_/_/etc/x/000.flac"


def test_words_of_a_turn_without_a_voice_are_not_trained_on() -> None:
    found = composed()
    sound = found.sounds[0]
    assert sound is not None
    voiceless = sound.model_copy(update={"flags": ("no_speech",)})
    found = found.model_copy(update={"sounds": (voiceless, *found.sounds[1:])})
    row = stage1_rows(found)[0]
    assert row.words.trainable.reasons == ("no_voice",)
    assert row.attributes.trainable.reasons == ("no_voice",)
    first, second = stage2_rows(found, RowSettings(20, 120.0, "embed"))
    assert first.trainable.reasons == ("no_voice",)
    assert second.trainable.reasons == ()


def test_soft_labels_are_those_of_the_chosen_source_and_null_where_it_gives_none() -> None:
    assert stage1_rows(composed())[0].attributes.soft_labels is None
    talk = composed()
    (trajectory,) = talk.trajectories
    soft = SoftLabels(
        happy=0.1, sad=0.6, anger=0.1, fear=0.05, neutral=0.05, surprise=0.05, disgust=0.05
    )
    first, *others = trajectory.states
    assert first.text is not None
    said = first.model_copy(update={"text": first.text.model_copy(update={"soft": soft})})
    known = trajectory.model_copy(update={"states": (said, *others)})
    rows = stage1_rows(talk.model_copy(update={"trajectories": (known,)}))
    assert [row.attributes.soft_labels for row in rows] == [soft, None, None, None, None]


def test_every_task_of_a_row_has_its_name_and_an_instruction_in_its_language() -> None:
    row = stage1_rows(composed())[0]
    template = RELEASED.template("instructions", Language.EN)
    assert (row.words.task, row.attributes.task) == ("alignment", "attributes")
    assert row.words.instruction in phrasings(template, "alignment")
    assert row.attributes.instruction in phrasings(template, "attributes")
    assert "instructions@1.en" in row.provenance.prompt_ids
