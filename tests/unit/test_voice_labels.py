"""What is heard in voices stands beside what the words say, and reaches causes and rows."""

import asyncio
import json

import pytest

from ieat.pipeline.config import LabelSettings, load_config
from ieat.pipeline.engines.asking import render_turns
from ieat.pipeline.failures import ConfigError, UnusableAnswer
from ieat.pipeline.history import heard_turns, history_at
from ieat.pipeline.identity import build_identity, not_configured
from ieat.pipeline.output.cells import is_baseline_state
from ieat.pipeline.ports import HeardVoice
from ieat.pipeline.stages.label import LabelRules, label_emotions
from ieat.pipeline.vocal_claims import find_unheld_claim
from ieat.schemas.emotion import Emotion, EmotionLabel, VocalEvent, VoiceEvents
from ieat.schemas.records import Failure
from tests.dialogues import dialogue, transcribed
from tests.fakes import NeverAsked, ScriptedLabeler

WORDS = {
    "My bag is gone": Emotion.FEAR,
    "Somebody stole it from my car": Emotion.ANGER,
    "I will call the police": Emotion.NEUTRAL,
}


class ScriptedVoices:
    """Hears in each file what a table says: an emotion with its confidence, or an error."""

    labeler_id = "scripted:ear"

    def __init__(self, voices):
        self.heard = []
        self._voices = voices

    async def label_voice(self, span, sound, language, dialogue_id):
        self.heard.append(span.uri)
        said = self._voices[span.uri]
        if isinstance(said, Exception):
            raise said
        emotion, confidence, *events = said
        label = EmotionLabel(
            source="voice",
            labeler_id=self.labeler_id,
            emotion=emotion,
            confidence=confidence,
            response_keys=(f"key of {span.uri}",),
        )
        return HeardVoice(label, tuple(events))


VOICES = {
    "d1-0.wav": (Emotion.FEAR, 0.9, VocalEvent.TREMBLE),
    "d1-2.wav": (Emotion.SAD, 0.9, VocalEvent.SOB, VocalEvent.SIGH),
    "d1-4.wav": (None, 0.2),
}


def label(voices=VOICES, words=WORDS, of=None, speaker="first", **settings):
    labeler = words if words is None else ScriptedLabeler(words)
    ear = voices if isinstance(voices, ScriptedVoices) else ScriptedVoices(voices)
    return asyncio.run(
        label_emotions(
            of or transcribed(dialogue()),
            labeler,
            LabelRules(LabelSettings(**settings), speaker, 20, False),
            ear,
        )
    )


def states(labeled):
    return labeled.trajectories[0].states


def test_the_voice_stands_beside_the_words_and_changes_nothing_by_itself():
    found = states(label())
    assert [(s.text.emotion, s.voice.emotion, s.chosen, s.chosen_from) for s in found] == [
        (Emotion.FEAR, Emotion.FEAR, Emotion.FEAR, "text"),
        (Emotion.ANGER, Emotion.SAD, Emotion.ANGER, "text"),
        (Emotion.NEUTRAL, None, Emotion.NEUTRAL, "text"),
    ]
    assert [s.conflict for s in found] == [False, True, False]
    assert [s.flags for s in found] == [(), (), ()]


def test_an_unsure_voice_makes_no_conflict():
    assert [s.conflict for s in states(label(conflict_confidence=0.95))] == [False] * 3


def test_events_are_kept_with_who_heard_them():
    assert label().voice_events == (
        VoiceEvents(
            turn_index=0,
            labeler_id="scripted:ear",
            events=(VocalEvent.TREMBLE,),
            response_keys=("key of d1-0.wav",),
        ),
        VoiceEvents(
            turn_index=2,
            labeler_id="scripted:ear",
            events=(VocalEvent.SOB, VocalEvent.SIGH),
            response_keys=("key of d1-2.wav",),
        ),
        VoiceEvents(
            turn_index=4,
            labeler_id="scripted:ear",
            events=(),
            response_keys=("key of d1-4.wav",),
        ),
    )


@pytest.mark.parametrize(
    ("settings", "chosen", "flags"),
    [
        ({"fusion": "voice"}, ["fear", "sad", None], [(), (), ("abstained",)]),
        (
            {"fusion": "agree"},
            ["fear", None, None],
            [(), ("sources_disagree",), ("sources_disagree",)],
        ),
        ({"fusion": "weighted"}, ["fear", "anger", "neutral"], [(), (), ()]),
        ({"fusion": "weighted", "voice_weight": 2}, ["fear", "sad", "neutral"], [(), (), ()]),
    ],
)
def test_the_policy_chooses_and_says_why_nothing_is_chosen(settings, chosen, flags):
    found = states(label(**settings))
    assert [s.chosen.value if s.chosen else None for s in found] == chosen
    assert [s.flags for s in found] == flags


def test_the_corpus_label_wins_over_any_voice_which_is_heard_all_the_same():
    of = transcribed(dialogue(emotions=["happy", None, None, None, None]))
    first = states(label(of=of, fusion="voice"))[0]
    assert (first.chosen, first.chosen_from) == (Emotion.HAPPY, "gold")
    assert (first.voice.emotion, first.conflict) == (Emotion.FEAR, True)


def test_only_turns_of_wanted_speakers_with_a_voice_in_them_are_heard():
    of = transcribed(dialogue())
    sounds = list(of.sounds)
    sounds[0] = sounds[0].model_copy(update={"flags": ("no_speech",)})
    sounds[2] = None
    voices = ScriptedVoices(VOICES)
    found = states(label(voices, of=of.model_copy(update={"sounds": tuple(sounds)})))
    assert voices.heard == ["d1-4.wav"]
    assert [s.voice is None for s in found] == [True, True, False]


def test_a_turn_of_words_alone_is_not_heard():
    voices = ScriptedVoices({})
    label(voices, of=transcribed(dialogue(with_audio=False)))
    assert voices.heard == []


def failing(**settings):
    problem = UnusableAnswer("broken_json", "the answer holds no whole JSON object")
    problem.response_keys = ("a", "b")
    return label(VOICES | {"d1-2.wav": problem}, **settings)


def test_a_voice_that_cannot_be_labeled_is_a_flag_and_the_words_still_count():
    for fusion in ("text", "weighted"):
        labeled = failing(fusion=fusion)
        state = states(labeled)[1]
        assert (state.chosen, state.voice, state.flags) == (Emotion.ANGER, None, ("voice_failed",))
        assert labeled.failures == ()
        assert [found.turn_index for found in labeled.voice_events] == [0, 4]


def test_a_voice_that_cannot_be_labeled_fails_its_state_where_voices_count_alone():
    labeled = failing(fusion="voice")
    state = states(labeled)[1]
    assert (state.chosen, state.text.emotion) == (None, Emotion.ANGER)
    assert labeled.failures == (
        Failure(
            unit="turn",
            turn_index=2,
            stage="label",
            code="broken_json",
            message="the answer holds no whole JSON object",
            response_keys=("a", "b"),
        ),
    )


@pytest.mark.parametrize(
    ("fusion", "chosen", "failed"),
    [("text", None, [2]), ("voice", "sad", []), ("agree", None, [2]), ("weighted", "sad", [])],
)
def test_words_that_cannot_be_labeled_fail_a_state_that_no_voice_gives(fusion, chosen, failed):
    refused = UnusableAnswer("refusal", "the answer declines")
    labeled = label(words=WORDS | {"Somebody stole it from my car": refused}, fusion=fusion)
    state = states(labeled)[1]
    assert (state.chosen.value if state.chosen else None) == chosen
    assert "labeling_failed" in state.flags
    assert [failure.turn_index for failure in labeled.failures] == failed


def test_voices_alone_can_label_where_no_words_are_labeled():
    labeled = label(words=None, fusion="weighted")
    assert [s.chosen for s in states(labeled)] == [Emotion.FEAR, Emotion.SAD, None]


def history(turn_index):
    labeled = label()
    turns = heard_turns(
        labeled.dialogue, labeled.sounds, labeled.transcript, labeled.cues, labeled.voice_events
    )
    return history_at(labeled.dialogue, turns, turn_index, 20)


def test_what_was_heard_so_far_is_shown_where_causes_are_asked_and_nowhere_else():
    assert render_turns(history(2), with_sound=True).splitlines() == [
        "[0] ann: My bag is gone (sounds: tremble)",
        "[1] bob: Where did you leave it",
        "[2] ann: Somebody stole it from my car (sounds: sob, sigh)",
    ]
    assert "sounds" not in render_turns(history(2), with_sound=False)


def test_a_heard_sob_holds_the_claim_of_sobbing_from_its_turn_on():
    claim = "They say it sobbing."
    assert find_unheld_claim(claim, history(2)) is None
    assert find_unheld_claim(claim, history(0)) == "sobbing"
    assert find_unheld_claim("They laugh about it.", history(4)) == "laugh"


@pytest.mark.parametrize(
    ("event", "claim"),
    [
        ("sigh", "叹了口气"),
        ("sob", "weeping"),
        ("laugh", "giggling"),
        ("tremble", "voice is shaking"),
        ("shout", "yelled"),
        ("whisper", "低语"),
    ],
)
def test_every_event_holds_a_claim(event, claim):
    silent = history(0).last.model_copy(update={"voice_events": ()})
    heard = silent.model_copy(update={"voice_events": (VocalEvent(event),)})

    def unheld(turn):
        return find_unheld_claim(claim, history(0).model_copy(update={"turns": (turn,)}))

    assert unheld(silent) is not None
    assert unheld(heard) is None


def test_every_event_is_tested():
    assert {event.value for event in VocalEvent} == {
        "sigh", "sob", "laugh", "tremble", "shout", "whisper"
    }  # fmt: skip


def test_a_baseline_that_a_voice_confirms_is_no_mere_baseline():
    state = states(label())[0]
    linear = state.text.model_copy(update={"labeler_id": "linear@1"})
    assert not is_baseline_state(state.model_copy(update={"text": linear}))
    assert is_baseline_state(state.model_copy(update={"text": linear, "voice": None}))


def config(tmp_path, **changes):
    values = {"inputs": [{"path": "none"}], "output": str(tmp_path / "out")}
    return load_config(None, values | changes)


def test_a_build_without_voices_says_nothing_of_them(tmp_path):
    plain = config(tmp_path)
    identity = json.dumps(build_identity(plain, {}))
    assert "voice" not in identity
    assert "fusion" not in identity
    assert "labels from the voice" in not_configured(plain)


def test_a_build_with_voices_is_told_by_engine_prompts_policy_and_sampling(tmp_path):
    hears = config(
        tmp_path,
        voice_labeler="openai-audio:ear",
        voice_labeler_settings={"extra_body": {"modalities": ["text"]}, "audio_format": "flac"},
        labels={"fusion": "weighted"},
    )
    identity = build_identity(hears, {})
    assert identity["voice_sampling"] == {
        "temperature": 0.0,
        "top_p": None,
        "max_tokens": 256,
        "seed": None,
        "extra_body": {"modalities": ["text"]},
    }
    assert identity["config"]["voice_labeler"] == "openai-audio:ear"
    assert identity["config"]["labels"]["fusion"] == "weighted"
    assert {"voice@1.en", "voice@1.zh", "voice@1.schema"} <= set(identity["prompts"])
    assert "flac" not in json.dumps(identity)
    assert "labels from the voice" not in not_configured(hears)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"voice_labeler": "openai:ear"}, "is no voice labeler; write openai-audio:MODEL"),
        ({"voice_labeler": "openai-audio:"}, "is no voice labeler; write openai-audio:MODEL"),
        ({"labels": {"fusion": "voice"}}, "labels.fusion: voice needs a voice_labeler"),
        (
            {
                "labels": {"fusion": "agree"},
                "voice_labeler": "openai-audio:ear",
                "labeler": "gold",
            },
            "agree needs labels from the words too",
        ),
        (
            {"voice_labeler": "openai-audio:ear", "max_usd": 1.0},
            "max_usd needs voice_labeler_settings.prices",
        ),
    ],
)
def test_a_configuration_that_cannot_hear_is_a_mistake(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        config(tmp_path, **changes)


def test_one_base_url_serves_the_voice_labeler_too(tmp_path):
    values = {
        "inputs": [{"path": "none"}],
        "output": str(tmp_path),
        "voice_labeler": "openai-audio:ear",
    }
    found = load_config(None, values, base_url="http://127.0.0.1:1/v1")
    assert found.voice_labeler_settings.base_url == "http://127.0.0.1:1/v1"


def test_without_a_voice_labeler_nobody_is_asked_about_voices():
    of = transcribed(dialogue(emotions=["sad"] * 5))
    rules = LabelRules(LabelSettings(), "first", 20, False)
    labeled = asyncio.run(label_emotions(of, NeverAsked(), rules))
    assert labeled.voice_events == ()
