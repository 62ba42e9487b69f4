"""Whatever is asked for a turn uses that turn and earlier ones only."""

import asyncio
from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from ieat.pipeline.config import LabelSettings
from ieat.pipeline.engines.audio_labeler import AudioLabeler
from ieat.pipeline.engines.llm_attributor import LLMAttributor
from ieat.pipeline.engines.llm_labeler import LLMLabeler
from ieat.pipeline.engines.responders import WrittenResponder
from ieat.pipeline.engines.teacher import LLMTeacher
from ieat.pipeline.stages.attribute import AttributeRules, attribute_emotions
from ieat.pipeline.stages.compose import ComposeRules, compose_samples
from ieat.pipeline.stages.distill import DistillRules, distill
from ieat.pipeline.stages.label import LabelRules, label_emotions
from ieat.prompts.library import PromptLibrary
from ieat.schemas.dialogue import Language
from ieat.schemas.engine import Sampling
from ieat.schemas.records import TranscribedDialogue
from ieat.schemas.transcript import Transcript
from tests.dialogues import dialogue, transcribed
from tests.fakes import ScriptedModel, measured

PROMPTS = PromptLibrary({})
WORDS = st.sampled_from(["My bag is gone", "Oh", "They took it", "I am so angry", "Fine then"])
TURNS = st.lists(
    st.tuples(st.sampled_from(["ann", "bob"]), WORDS, st.floats(-50, -5), st.floats(60, 400)),
    min_size=2,
    max_size=9,
)


VOICE_WORDS = [message.content for message in PROMPTS.prompt("voice", Language.EN).render({})]


def never_decoded(span):
    raise AssertionError("a scripted model hears nothing")


def by_name(question):
    """Answer each question from itself alone, so that answers are causal themselves."""
    name = question.answer_schema.schema_id.partition("@")[0]
    if name == "voice":
        event = "sob" if question.span.source_sha256 < "8" else "laugh"
        return {"events": [event], "emotion": "sad", "intensity": "low", "confidence": 0.5}
    if name == "distillation":
        return "I see what you mean."
    lines = question.messages[1].content.split("\n\n")[1].splitlines()
    number, _, rest = lines[-1].partition("] ")
    turn = int(number.removeprefix("["))
    words = rest.partition(": ")[2].partition(" (")[0]
    evidence = [{"turn": turn, "quote": words}]
    emotion = "anger" if "y" in words else "sad"
    return {
        "labeling": {"evidence": evidence, "emotion": emotion, "intensity": "low"},
        "attribution": {
            "evidence": evidence,
            "event": f"They said {words}.",
            "appraisal": None,
            "kind": "explicit",
        },
        "response": {
            "style": "calm",
            "delivery": "Even and quiet.",
            "response": "I see what you mean.",
        },
    }[name]


def questions(turns):
    """Run labeling, attribution and responses, and return every question by the turn it is for."""
    of = transcribed(dialogue([(speaker, words) for speaker, words, _, _ in turns]))
    sounds = tuple(
        measured(turn.audio, level=level, pitch=pitch).model_copy(
            update={"source_sha256": sha256(repr((turn.index, level, pitch)).encode()).hexdigest()}
        )
        for turn, (_, _, level, pitch) in zip(of.dialogue.turns, turns, strict=True)
    )
    of = TranscribedDialogue(
        dialogue=of.dialogue, sounds=sounds, transcript=Transcript.model_validate(of.transcript)
    )
    model = ScriptedModel(by_name)
    sampling = Sampling()

    async def run():
        labeled = await label_emotions(
            of,
            LLMLabeler(model, PROMPTS, sampling),
            LabelRules(LabelSettings(), "all", 4, False),
            AudioLabeler(model, PROMPTS, sampling, decode=never_decoded),
        )
        attributed = await attribute_emotions(
            labeled, LLMAttributor(model, PROMPTS, sampling, None), AttributeRules("all", 4)
        )
        composed = await compose_samples(
            attributed,
            WrittenResponder(model, PROMPTS, sampling),
            ComposeRules("all", 4, PROMPTS),
        )
        rules = DistillRules("all", 4, PROMPTS)
        teacher = LLMTeacher(model, PROMPTS, sampling, "history")
        return await distill(composed, teacher, rules)

    done = asyncio.run(run())
    assert done.failures == ()
    found = {
        ("distillation@1", taught.turn_index): taught.model_copy(
            update={"response_keys": ()}
        ).model_dump_json()
        for taught in done.distillations
    }
    turn_of_sound = {sound.source_sha256: turn for turn, sound in enumerate(sounds)}
    for question in model.questions:
        if question.answer_schema.is_plain:
            continue
        if question.span is not None:
            assert [message.content for message in question.messages] == VOICE_WORDS
            turn = turn_of_sound[question.span.source_sha256]
            found[question.answer_schema.schema_id, turn] = question.model_dump_json()
            continue
        lines = question.messages[1].content.split("\n\n")[1].splitlines()
        turn = int(lines[-1].partition("]")[0].removeprefix("["))
        found[question.answer_schema.schema_id, turn] = question.model_dump_json()
    return found


@settings(max_examples=40, deadline=None)
@given(TURNS, TURNS, st.integers(1, 8))
def test_changing_or_deleting_later_turns_leaves_every_earlier_question_as_it_is(
    turns, others, cut
):
    cut = min(cut, len(turns))
    whole = questions(turns)
    changed = questions(turns[:cut] + others)
    # A response is asked for only where another speaker goes on, which a later turn decides.
    for (schema, turn), question in whole.items():
        if turn < cut and (schema, turn) in changed:
            assert changed[schema, turn] == question
    early = {key for key in whole if key[1] < cut and not key[0].startswith("response")}
    assert early == {key for key in changed if key[1] < cut and not key[0].startswith("response")}
    for schema in ("voice@1", "distillation@1"):
        assert {(schema, turn) for turn in range(cut)} <= early
    shown = [
        question for (schema, _), question in whole.items() if schema.startswith("attribution@")
    ]
    assert all("sounds: " in question for question in shown)
    deleted = questions(turns[:cut])
    for key in early:
        assert deleted[key] == whole[key]
