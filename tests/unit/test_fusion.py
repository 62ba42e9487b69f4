"""Which of words and voice counts, and when they contradict each other."""

import pytest

from ieat.pipeline.fusion import fuse, is_conflict
from ieat.schemas.emotion import Emotion, EmotionLabel


def label(source, said):
    """Return a label from `emotion`, `emotion confidence`, `unclear`, or null for none."""
    if said is None:
        return None
    emotion, _, confidence = said.partition(" ")
    return EmotionLabel(
        source=source,
        labeler_id=source,
        emotion=None if emotion == "unclear" else Emotion(emotion),
        confidence=float(confidence) if confidence else None,
    )


@pytest.mark.parametrize(
    ("text", "voice", "chosen"),
    [
        # What is chosen under text, voice, agree, weighted, and weighted with the voice halved.
        (None, None, (None, None, None, None, None)),
        ("sad", None, ("text", None, None, "text", "text")),
        (None, "sad", (None, "voice", None, "voice", "voice")),
        ("unclear", "sad", (None, "voice", None, "voice", "voice")),
        ("sad", "unclear 0.9", ("text", None, None, "text", "text")),
        ("unclear", "unclear", (None, None, None, None, None)),
        ("sad 0.1", "sad 0.9", ("text", "voice", "text", "text", "text")),
        ("sad 0.5", "anger 0.9", ("text", "voice", None, "voice", "text")),
        ("sad 0.9", "anger 0.5", ("text", "voice", None, "text", "text")),
        ("sad 0.4", "anger 0.9", ("text", "voice", None, "voice", "voice")),
        # A label without a confidence is as sure as one can be; the words win a tie.
        ("sad", "anger 0.9", ("text", "voice", None, "text", "text")),
        ("sad 0.9", "anger", ("text", "voice", None, "voice", "text")),
        ("sad", "anger", ("text", "voice", None, "text", "text")),
    ],
)
def test_every_policy_chooses_as_it_says(text, voice, chosen):
    words, sound = label("text", text), label("voice", voice)
    policies = [("text", 1.0), ("voice", 1.0), ("agree", 1.0), ("weighted", 1.0), ("weighted", 0.5)]
    found = [fuse(words, sound, policy, weight) for policy, weight in policies]
    assert tuple(one.source if one else None for one in found) == chosen
    assert all(one in (None, words, sound) for one in found)


def test_a_heavier_voice_outweighs_surer_words():
    words, sound = label("text", "sad 0.9"), label("voice", "anger 0.5")
    assert fuse(words, sound, "weighted", 2.0) is sound


def test_a_silent_source_is_replaced_whatever_the_other_weighs():
    sound = label("voice", "anger 0.5")
    assert fuse(None, sound, "weighted", 0.0) is sound


@pytest.mark.parametrize(
    ("gold", "text", "voice", "conflict"),
    [
        (None, "sad", "anger 0.6", True),
        (None, "sad", "anger 0.5", True),
        (None, "sad", "anger 0.4", False),
        (None, "sad 0.4", "anger 0.9", False),
        (None, "sad 0.4", "anger", False),
        (None, "sad", "anger", True),
        (None, "sad", "sad 0.9", False),
        (None, "unclear", "sad 0.9", False),
        (None, None, "sad 0.9", False),
        (None, "sad", "unclear", False),
        ("anger", None, "sad 0.9", True),
        ("anger", None, "sad 0.3", False),
        ("anger", "anger", "sad 0.9", True),
        # The corpus and the words contradict each other however sure the words are.
        ("anger", "sad 0.1", None, True),
        ("anger", "anger 0.1", None, False),
        ("unclear", "sad", None, False),
    ],
)
def test_sources_conflict_where_both_name_an_emotion_and_are_sure(gold, text, voice, conflict):
    labels = label("gold", gold), label("text", text), label("voice", voice)
    assert is_conflict(*labels, 0.5) is conflict
