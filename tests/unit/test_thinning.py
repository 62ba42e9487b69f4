"""Targets of an emotion that is too frequent are left out by the hash of their ids."""

import asyncio

import pytest

from ieat.pipeline.config import load_config
from ieat.pipeline.engines.extractive import ExtractiveAttributor
from ieat.pipeline.engines.responders import CorpusResponder
from ieat.pipeline.output.books import close_books, entries_of_composed
from ieat.pipeline.rules import compose_rules
from ieat.pipeline.stages.attribute import AttributeRules, attribute_emotions
from ieat.pipeline.stages.compose import compose_samples, is_kept
from ieat.pipeline.stages.label import LabelRules, label_emotions
from ieat.schemas.emotion import Emotion
from tests.dialogues import dialogue, transcribed
from tests.fakes import ScriptedLabeler

IDS = [f"corpus/d{number}/000/stage2" for number in range(2000)]
HALF = ((Emotion.NEUTRAL, 0.5),)


def composed(split, **keep):
    """Compose a quarrel of eight targets, the first neutral, the next angry, and so on."""
    talk = [
        (speaker, f"words {number} {speaker}") for number in range(8) for speaker in ("ann", "bob")
    ]
    labels = {
        f"words {number} ann": Emotion.ANGER if number % 2 else Emotion.NEUTRAL
        for number in range(8)
    }
    config = load_config(
        None,
        {
            "inputs": [{"path": "none"}],
            "output": "out",
            "user_speaker": "first",
            "keep_targets": keep,
        },
    )
    spoken = dialogue(talk).model_copy(update={"split": split})
    rules = LabelRules(config.labels, "first", 20, False)
    labeled = asyncio.run(label_emotions(transcribed(spoken), ScriptedLabeler(labels), rules))
    attributed = asyncio.run(
        attribute_emotions(labeled, ExtractiveAttributor(), AttributeRules("first", 20))
    )
    return asyncio.run(compose_samples(attributed, CorpusResponder(), compose_rules(config)))


def test_about_the_share_that_is_asked_for_is_kept():
    kept = [one for one in IDS if is_kept(one, Emotion.NEUTRAL, HALF)]
    assert len(kept) == pytest.approx(1000, abs=70)
    assert all(is_kept(one, Emotion.SAD, HALF) for one in IDS)
    assert all(is_kept(one, Emotion.NEUTRAL, ((Emotion.NEUTRAL, 1.0),)) for one in IDS)


def test_what_is_kept_at_a_share_is_kept_at_a_larger_one():
    few = {one for one in IDS if is_kept(one, Emotion.NEUTRAL, ((Emotion.NEUTRAL, 0.2),))}
    more = {one for one in IDS if is_kept(one, Emotion.NEUTRAL, HALF)}
    assert few < more


def test_targets_that_are_left_out_are_counted_and_the_books_balance():
    found = composed("train", neutral=0.5)
    thinned = [turn for turn, code in found.filtered if code == "target_thinned"]
    assert thinned
    # The neutral targets are at turns 0, 4, 8 and 12.
    assert set(thinned) < {0, 4, 8, 12}
    assert len(found.samples) + len(thinned) == 8
    books, _ = close_books([*entries_of_composed(found), ("dialogues|read|", 1)])
    assert books.targets.filtered == {"target_thinned": len(thinned)}
    books.balance()


def test_only_the_training_split_is_thinned():
    assert composed("dev", neutral=0.01).filtered == ()
    assert composed("train").filtered == ()
