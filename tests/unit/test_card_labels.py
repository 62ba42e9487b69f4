"""What a card tells of labels: emotions, shifts, agreement, causes."""

from collections import Counter

import pytest
from sklearn.metrics import cohen_kappa_score

from ieat.pipeline.output.card.agreement import Agreement, agreement_lines, kappa
from ieat.pipeline.output.card.causes import Causes, cause_lines
from ieat.pipeline.output.card.emotions import NUM_WORDS, Emotions, emotion_lines, shift_lines
from tests.card_rows import caused, felt, said, talk


def test_emotions_are_told_by_split_language_and_intensity() -> None:
    emotions = Emotions()
    for split, row in (
        ("train", felt("sad", "high")),
        ("train", felt("sad", "low")),
        ("train", felt("happy", "high", "zh")),
        ("test", felt(None, None)),
    ):
        emotions.add_turn(split, row)
    emotions.add_dialogue(talk(said(gold=None), said(gold=None), said(gold="sad"), said()))
    for emotion in ("neutral", "sad", "sad"):
        state = {"turn_index": 2, "emotion": emotion}
        emotions.add_target({"turn_index": 2, "trajectory_so_far": [state]})
    assert list(emotion_lines(emotions))[2:] == [
        "| split | language | intensity | happy | sad | anger | fear | neutral | surprise "
        "| disgust | unknown | all |",
        "|--|--|--|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        "| test | en | unknown | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 1 | 1 |",
        "| train | en | low | 0 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 1 |",
        "| train | en | high | 0 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 1 |",
        "| train | zh | high | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 1 |",
        "",
        "Words of the corpus outside the seven: curious 2.",
        "",
        "Neutral targets: 1 of 3 (33%).",
    ]


def test_of_many_words_outside_the_seven_the_most_frequent_are_named() -> None:
    emotions = Emotions()
    emotions.add_turn("train", felt("sad", None))
    emotions.outside.update({f"w{number:02}": 2 for number in range(NUM_WORDS)} | {"a": 1, "b": 1})
    named = ", ".join(f"w{number:02} 2" for number in range(NUM_WORDS))
    assert list(emotion_lines(emotions))[-1] == (
        f"Words of the corpus outside the seven: {named}, others 2."
    )


def test_shifts_are_a_matrix_from_the_old_to_the_new_emotion() -> None:
    emotions = Emotions()
    changes = (("sad", "happy", "better"), ("sad", "happy", "better"), ("happy", "anger", "worse"))
    emotions.add_dialogue(
        talk(
            shifts=[
                {"from_emotion": old, "to_emotion": new, "direction": direction}
                for old, new, direction in changes
            ]
        )
    )
    assert list(shift_lines(emotions))[2:] == [
        "| from | to happy | to anger | all |",
        "|--|--:|--:|--:|",
        "| happy | – | 1 | 1 |",
        "| sad | 2 | 0 | 2 |",
        "",
        "By valence: 2 to the better, 1 to the worse, 0 between equals.",
    ]


def test_agreement_is_told_for_every_pair_of_sources() -> None:
    agreement = Agreement()
    for turn in (
        said(gold="sad", text="sad", voice="sad"),
        said(gold="anger", text="sad", conflict=True),
        said(gold="anger", text="anger"),
        said(gold="anger"),
        said(gold=None, text="happy", flags=("voice_failed",)),
    ):
        agreement.add_turn(turn)
    lines = list(agreement_lines(agreement))
    assert lines[2:5] == [
        "| the corpus and the words | 3 | 2 | 67% | 0.40 |",
        "| the corpus and the voice | 1 | 1 | 100% | – |",
        "| the words and the voice | 1 | 1 | 100% | – |",
    ]
    assert lines[8:14] == [
        "Rows: the corpus; columns: the words.",
        "",
        "|  | sad | anger | all | named alike |",
        "|--|--:|--:|--:|--:|",
        "| sad | 1 | 0 | 1 | 100% |",
        "| anger | 1 | 1 | 2 | 50% |",
    ]
    assert lines[-1] == (
        "Voices labeled: 1; that could not be: 1. Turns whose sources name different emotions: 1."
    )


def test_kappa_is_that_of_the_library_everybody_uses() -> None:
    confusion = Counter(
        {("sad", "sad"): 20, ("sad", "anger"): 5, ("anger", "sad"): 10, ("happy", "anger"): 3}
    )
    first, second = zip(*confusion.elements(), strict=True)
    assert kappa(confusion) == pytest.approx(cohen_kappa_score(first, second))
    assert kappa(Counter({("sad", "sad"): 4})) is None
    assert kappa(Counter()) is None


def test_causes_are_told_by_kind_with_distance_and_speaker_of_their_quotes() -> None:
    causes = Causes()
    causes.add_dialogue(
        talk(
            causes=[
                caused("explicit", 4, (4, "ann"), (3, "bob"), (1, "bob"), (0, "ann")),
                caused("explicit", 6, (6, "ann")),
                caused("latent", 6, appraisal=None),
            ]
        )
    )
    assert list(cause_lines(causes)) == [
        "3 causes of 2 states. Quotes are counted by how far they lie before the state, and by "
        "whose words they are.",
        "",
        "| kind | causes | without quote | without appraisal | quotes | own turn | turn before "
        "| earlier | own words | another's |",
        "|--|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        "| explicit | 2 | 0 | 0 | 5 | 2 | 1 | 2 | 3 | 2 |",
        "| latent | 1 | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0 |",
        "| all | 3 | 1 | 1 | 5 | 2 | 1 | 2 | 3 | 2 |",
        "",
        "Quotes timed to the word: 2 of 5 (40%); the others have the times of their turn.",
    ]
