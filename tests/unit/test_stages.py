import asyncio

import pytest

from ieat.pipeline.config import LabelSettings
from ieat.pipeline.engines.extractive import ExtractiveAttributor
from ieat.pipeline.engines.responders import CorpusResponder
from ieat.pipeline.failures import BadAudio, SilentTurn, UnusableAnswer
from ieat.pipeline.stages.attribute import AttributeRules, attribute_emotions
from ieat.pipeline.stages.compose import ComposeRules, compose_samples
from ieat.pipeline.stages.hear import hear
from ieat.pipeline.stages.label import LabelRules, label_emotions
from ieat.pipeline.stages.transcribe import split_tags, transcribe
from ieat.prompts.library import PromptLibrary
from ieat.schemas.emotion import Emotion
from ieat.schemas.records import Failure
from tests.dialogues import TALK, dialogue, heard, transcribed
from tests.fakes import NeverAsked, ScriptedLabeler, ScriptedRecognizer, measured

PROMPTS = PromptLibrary({})


def rules(speaker="first", *, asks_gold=False, **labels):
    return LabelRules(LabelSettings(**labels), speaker, 20, asks_gold)


def label(of, labeler, with_rules=None):
    return asyncio.run(label_emotions(transcribed(of), labeler, with_rules or rules()))


def attribute(labeled, attributor=None, speaker="first"):
    return asyncio.run(
        attribute_emotions(
            labeled, attributor or ExtractiveAttributor(), AttributeRules(speaker, 20)
        )
    )


def compose(attributed, speaker="first"):
    return asyncio.run(
        compose_samples(attributed, CorpusResponder(), ComposeRules(speaker, 20, PROMPTS))
    )


LABELS = {
    "My bag is gone": Emotion.FEAR,
    "Somebody stole it from my car": Emotion.ANGER,
    "I will call the police": Emotion.NEUTRAL,
}


def test_hearing_measures_every_turn_that_has_audio():
    talk = dialogue()
    found = asyncio.run(hear(talk, measured))
    assert found.sounds == tuple(measured(turn.audio) for turn in talk.turns)
    assert asyncio.run(hear(dialogue(with_audio=False), measured)).sounds == (None,) * 5


def test_a_turn_that_cannot_be_heard_fails_its_dialogue():
    def broken(span):
        raise BadAudio("audio_missing", f"{span.uri}: no such file")

    with pytest.raises(BadAudio, match=r"d1-0\.wav: no such file"):
        asyncio.run(hear(dialogue(), broken))


def test_tags_are_parted_from_the_words():
    said = split_tags("[Sigh] I  lost\nit [CLEARS throat] [2] again")
    assert said.clean == "I lost it [2] again"
    assert said.tagged == "[sigh] I lost it [clears throat] [2] again"
    assert said.events == ("sigh", "clears throat")


def test_a_given_turn_without_words_fails_the_dialogue():
    recognizer = ScriptedRecognizer({f"d1-{n}.wav": "yes" for n in range(4)} | {"d1-4.wav": ""})
    with pytest.raises(SilentTurn, match=r"no words in turn 4 \(4\): nothing was recognized"):
        asyncio.run(transcribe(heard(dialogue()), recognizer))


def test_a_recognizer_is_not_asked_about_a_turn_without_a_voice():
    of = heard(dialogue())
    silent = of.sounds[4].model_copy(update={"flags": ("no_speech",)})
    of = of.model_copy(update={"sounds": (*of.sounds[:4], silent)})
    invents = ScriptedRecognizer({f"d1-{n}.wav": "thank you" for n in range(5)})
    with pytest.raises(SilentTurn, match="no voice is heard in it"):
        asyncio.run(transcribe(of, invents))


def test_a_cut_without_words_stays_empty_and_flagged():
    recognizer = ScriptedRecognizer(
        {f"d1-{n}.wav": "yes" for n in range(4)} | {"d1-4.wav": "[noise]"}
    )
    found = asyncio.run(transcribe(heard(dialogue(is_given=False)), recognizer))
    assert [said.clean for said in found.transcript.utterances] == ["yes"] * 4 + [""]
    assert found.transcript.utterances[4].flags == ("no_words",)


def test_words_that_nobody_can_say_so_fast_are_flagged():
    said = {f"d1-{n}.wav": "yes" for n in range(5)} | {"d1-1.wav": "one two three four " * 4}
    found = asyncio.run(transcribe(heard(dialogue()), ScriptedRecognizer(said)))
    assert found.transcript.utterances[1].flags == ("implausible_rate",)


def test_words_that_go_round_in_circles_are_flagged():
    said = {f"d1-{n}.wav": "yes" for n in range(5)} | {"d1-1.wav": "thank you " * 6}
    found = asyncio.run(transcribe(heard(dialogue()), ScriptedRecognizer(said)))
    assert found.transcript.utterances[1].flags == ("repeated_words",)


def test_labels_make_a_trajectory_with_shifts():
    (trajectory,) = label(dialogue(), ScriptedLabeler(LABELS)).trajectories
    assert trajectory.speaker == "ann"
    assert [(s.turn_index, s.chosen, s.chosen_from) for s in trajectory.states] == [
        (0, Emotion.FEAR, "text"),
        (2, Emotion.ANGER, "text"),
        (4, Emotion.NEUTRAL, "text"),
    ]
    assert [
        (s.from_emotion, s.to_emotion, s.turn_index, s.direction) for s in trajectory.shifts
    ] == [
        (Emotion.FEAR, Emotion.ANGER, 2, "level"),
        (Emotion.ANGER, Emotion.NEUTRAL, 4, "better"),
    ]


def test_a_turn_whose_label_fails_is_a_gap_and_a_failure_and_never_neutral():
    problem = UnusableAnswer("refusal", "the answer declines")
    found = label(dialogue(), ScriptedLabeler(LABELS | {"My bag is gone": problem}))
    state = found.trajectories[0].states[0]
    assert (state.chosen, state.flags) == (None, ("labeling_failed",))
    assert found.failures == (
        Failure(unit="turn", turn_index=0, stage="label", code="refusal", message=problem.message),
    )
    assert [shift.turn_index for shift in found.trajectories[0].shifts] == [4]


def test_the_corpus_label_wins_and_a_differing_one_is_a_conflict():
    talk = dialogue(emotions=["sad", None, "angry", None, None])
    found = label(talk, ScriptedLabeler(LABELS), rules(asks_gold=True))
    states = found.trajectories[0].states
    assert [(s.chosen, s.chosen_from, s.conflict) for s in states] == [
        (Emotion.SAD, "gold", True),
        (Emotion.ANGER, "gold", False),
        (Emotion.NEUTRAL, "text", False),
    ]
    assert states[0].text.emotion is Emotion.FEAR
    assert states[1].gold.raw == "angry"


def test_turns_with_a_corpus_label_are_not_asked_unless_wanted():
    talk = dialogue(emotions=["sad", None, "angry", None, "neutral"])
    assert label(talk, NeverAsked()).trajectories[0].states[0].text is None


@pytest.mark.parametrize(
    ("settings", "emotion", "raw", "flags"),
    [
        ({"outside": "other"}, None, "curious", ("gold_outside",)),
        (
            {"outside": "map", "emotion_map": {"curious": "surprise"}},
            Emotion.SURPRISE,
            "curious",
            (),
        ),
        (
            {"outside": "map", "emotion_map": {"bored": "neutral"}},
            None,
            "curious",
            ("gold_outside",),
        ),
    ],
)
def test_a_corpus_word_outside_the_seven_is_kept_or_mapped(settings, emotion, raw, flags):
    talk = dialogue(emotions=["curious", None, "sad", None, "sad"])
    state = label(talk, NeverAsked(), rules(**settings)).trajectories[0].states[0]
    assert (state.chosen, state.gold.raw, state.flags) == (emotion, raw, flags)


def test_a_dropped_corpus_word_leaves_the_turn_to_the_labeler():
    talk = dialogue(emotions=["curious", None, "sad", None, "sad"])
    state = label(talk, ScriptedLabeler(LABELS), rules(outside="drop")).trajectories[0].states[0]
    assert (state.gold, state.chosen) == (None, Emotion.FEAR)


def test_all_speakers_are_labeled_when_wanted():
    found = label(dialogue(), ScriptedLabeler(LABELS), rules(speakers="all"))
    assert [trajectory.speaker for trajectory in found.trajectories] == ["ann", "bob"]
    assert [state.flags for state in found.trajectories[1].states] == [("abstained",)] * 2


def test_every_state_that_is_not_neutral_gets_its_cause():
    found = attribute(label(dialogue(), ScriptedLabeler(LABELS)))
    assert [(a.turn_index, a.emotion, a.causes[0].event) for a in found.attributions] == [
        (0, Emotion.FEAR, "My bag is gone"),
        (2, Emotion.ANGER, "Somebody stole it from my car"),
    ]
    assert [shown.turn_index for shown in found.attributions[1].causes[0].evidence] == [2, 1]


class FailsAt:
    attributor_id = "fails"

    def __init__(self, turn):
        self.turn = turn

    async def attribute(self, history, state):
        if state.turn_index == self.turn:
            raise UnusableAnswer("span_not_verbatim", "a quote does not stand in turn 0")
        return await ExtractiveAttributor().attribute(history, state)


def test_a_state_whose_cause_fails_takes_its_targets_with_it_and_leaves_the_others():
    done = compose(attribute(label(dialogue(), ScriptedLabeler(LABELS)), FailsAt(2)))
    assert [sample.target.turn_index for sample in done.samples] == [0]
    assert [(f.unit, f.turn_index, f.stage, f.code) for f in done.failures] == [
        ("turn", 2, "attribute", "span_not_verbatim"),
        ("target", 2, "compose", "needs_failed_state"),
    ]


def test_samples_join_thinking_and_the_corpus_answer():
    done = compose(attribute(label(dialogue(), ScriptedLabeler(LABELS))))
    first, second = done.samples
    assert first.response.text == "Where did you leave it"
    assert first.response.source == "corpus"
    assert "afraid" in first.thinking.text
    assert '"My bag is gone"' in first.thinking.text
    assert second.thinking.state_turns == (0, 2)
    assert "angry" in second.thinking.text


def test_a_target_whose_state_is_unknown_is_left_out_and_counted():
    labels = {text: emotion for text, emotion in LABELS.items() if "stole" not in text}
    done = compose(attribute(label(dialogue(), ScriptedLabeler(labels))))
    assert done.filtered == ((2, "state_unknown"),)
    assert [sample.target.turn_index for sample in done.samples] == [0]


def test_neighboring_turns_are_answered_once_with_all_their_states():
    talk = (("ann", "My bag is gone"), ("ann", "Somebody stole it from my car"), ("bob", "Oh no"))
    done = compose(attribute(label(dialogue(talk), ScriptedLabeler(LABELS))))
    (sample,) = done.samples
    assert sample.target.user_turns == (0, 1)
    assert sample.thinking.state_turns == (0, 1)


def test_a_wholly_neutral_history_gives_one_plain_line():
    calm = {words: Emotion.NEUTRAL for _, words in TALK}
    done = compose(attribute(label(dialogue(), ScriptedLabeler(calm)), NeverAsked()))
    assert [sample.thinking.state_turns for sample in done.samples] == [(), ()]
    assert all(sample.thinking.text.count(".") == 1 for sample in done.samples)
