"""A teacher answers what it reads with tags, for a student that only hears it."""

import asyncio

import pytest

from ieat.pipeline.engines.teacher import LLMTeacher, read_plain_answer
from ieat.pipeline.failures import UnusableAnswer
from ieat.pipeline.output.dead_letters import letters_of_parts
from ieat.pipeline.output.rows import stage1_rows
from ieat.pipeline.output.stage1_reading import attributes_as_json
from ieat.pipeline.stages.distill import DistillRules, distill
from ieat.pipeline.student_input import find_emotion_word
from ieat.pipeline.tag_talk import find_tag_talk
from ieat.prompts.instructions import TASKS, choose_instruction, phrasings
from ieat.prompts.library import PromptError, PromptLibrary, TemplateFile
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion
from ieat.schemas.engine import Answer, Message, Sampling
from ieat.schemas.history import HeardTurn, History
from tests.builders import composed
from tests.fakes import ScriptedModel, in_turn

PROMPTS = PromptLibrary({})
SAMPLING = Sampling(max_tokens=48, extra_body='{"a":1}')
GOOD = {
    Language.EN: "That must hurt. I am here with you.",
    Language.ZH: "那一定很难受，我在这里陪你。",
}
TALKS = {
    Language.EN: (("ann", "My bag is gone"), ("bob", "Where is it"), ("ann", "They stole it")),
    Language.ZH: (("ann", "我的包不见了"), ("bob", "在哪里丢的"), ("ann", "被人偷走了")),
}
FELT = {
    Language.EN: "[emotion: angry] They stole it",
    Language.ZH: "[情绪：生气] 被人偷走了",
}


def taught(script, *, language=Language.EN, context="turn", prompts=PROMPTS, **changes):
    """Distill a talk; give the dialogue and the model that was asked."""
    talk = composed(TALKS[language], language=language, **changes)
    model = ScriptedModel(script)
    teacher = LLMTeacher(model, PROMPTS, SAMPLING, context)
    return asyncio.run(distill(talk, teacher, DistillRules("first", 9, prompts))), model


def history(*words, language=Language.EN):
    return History(
        dialogue_id="c/d",
        language=language,
        turns=tuple(
            HeardTurn(
                turn_index=index, speaker="ann", clean=said, tagged=said, events=(), words=(),
                audio=None, duration=None, cues=None,
            )
            for index, said in enumerate(words)
        ),
    )  # fmt: skip


@pytest.mark.parametrize("language", list(Language))
def test_the_teacher_reads_words_and_emotion_and_the_student_is_told_neither(language):
    done, model = taught(lambda _: GOOD[language], language=language)
    assert [question.messages[-1].content for question in model.questions][1] == FELT[language]
    assert [found.turn_index for found in done.distillations] == [0, 2]
    row = stage1_rows(done)[2]
    cell = row.distillation
    template = PROMPTS.template("instructions", language)
    assert cell.instruction == choose_instruction(template, "distillation", row.row_id)
    assert cell.instruction in phrasings(template, "distillation")
    assert (cell.task, cell.target_text, cell.emotion) == (
        "distillation", GOOD[language], Emotion.ANGER
    )  # fmt: skip
    assert cell.teacher_messages == model.questions[1].messages
    assert (cell.teacher_id, cell.sampling.max_tokens) == ("scripted:model", 48)
    assert (cell.context, cell.context_turns, cell.trainable.is_trainable) == ("turn", (), True)
    assert f"distillation@1.{language.value}" in row.provenance.prompt_ids
    assert "key-2" in row.provenance.response_keys
    assert stage1_rows(done)[1].distillation is None


def test_nothing_is_told_of_an_emotion_that_is_not_known():
    done, model = taught(lambda _: GOOD[Language.EN], emotions={0: None, 2: None})
    assert model.last_prompts == ["My bag is gone", "They stole it"]
    assert [found.emotion for found in done.distillations] == [None, None]


def test_the_history_alternates_and_tells_the_emotions_of_the_user_alone():
    done, model = taught(lambda _: GOOD[Language.EN], context="history")
    assert [(m.role, m.content) for m in model.questions[1].messages[1:]] == [
        ("user", "[emotion: sad] My bag is gone"),
        ("assistant", "Where is it"),
        ("user", "[emotion: angry] They stole it"),
    ]
    last = done.distillations[-1]
    assert (last.context, last.context_turns, last.assistant_turns) == ("history", (0, 1), (1,))


def test_the_one_who_spoke_last_is_the_assistant_and_a_third_one_is_heard():
    talk = (("ann", "My bag is gone"), ("bob", "Oh"), ("cid", "No way"), ("ann", "They stole it"))
    done = composed(talk, user="ann", emotions={0: Emotion.SAD, 3: None})
    model = ScriptedModel(lambda _: GOOD[Language.EN])
    teacher = LLMTeacher(model, PROMPTS, SAMPLING, "history")
    found = asyncio.run(distill(done, teacher, DistillRules("ann", 9, PROMPTS))).distillations
    assert [(m.role, m.content) for m in found[1].messages[1:]] == [
        ("user", "[emotion: sad] My bag is gone\nOh"),
        ("assistant", "No way"),
        ("user", "They stole it"),
    ]
    assert (found[1].context_turns, found[1].assistant_turns) == ((0, 1, 2), (2,))


def test_attributes_that_are_not_known_are_left_out_of_the_target():
    cell = {
        "emotion": None, "intensity": None, "events": [], "voice_events": None,
        "rate": 3.14, "pitch": None, "level": -20.4,
    }  # fmt: skip
    assert attributes_as_json(cell) == '{"rate": 3.1, "level": -20}'
    heard = {"events": ["sob"]}
    full = cell | {"emotion": "sad", "events": ["sigh"], "voice_events": heard, "pitch": 120.6}
    assert attributes_as_json(full) == (
        '{"emotion": "sad", "sounds": ["sigh", "sob"], "rate": 3.1, "pitch": 121, "level": -20}'
    )
    # Nobody heard anything is another thing than nobody listened.
    assert '"sounds": []' in attributes_as_json(cell | {"voice_events": {"events": []}})


def test_words_of_the_other_before_the_user_spoke_are_left_out():
    talk = (("bob", "Hello"), ("ann", "My bag is gone"), ("ann", "They stole it"))
    done = composed(talk, user="ann", emotions={1: Emotion.SAD, 2: None})
    model = ScriptedModel(lambda _: GOOD[Language.EN])
    teacher = LLMTeacher(model, PROMPTS, SAMPLING, "history")
    found = asyncio.run(distill(done, teacher, DistillRules("ann", 9, PROMPTS))).distillations
    assert [(m.role, m.content) for m in found[1].messages[1:]] == [
        ("user", "[emotion: sad] My bag is gone\nThey stole it")
    ]
    assert (found[1].context_turns, found[1].assistant_turns) == ((1,), ())


def test_an_answer_that_was_cut_is_kept_and_marked():
    cut = Answer(text="That must", outcome="truncated", finish_reason="length")
    done, _ = taught(lambda _: cut)
    cell = stage1_rows(done)[0].distillation
    assert (cell.target_text, cell.stop_reason, cell.early_stop) == ("That must", "length", True)
    whole = Answer(text="That must hurt.", finish_reason="stop", reasoning="They are sad.")
    done, _ = taught(lambda _: whole)
    cell = stage1_rows(done)[0].distillation
    assert (cell.stop_reason, cell.early_stop, cell.flags) == ("stop", False, ("teacher_thought",))


@pytest.mark.parametrize("language", list(Language))
def test_an_answer_that_speaks_of_tags_is_asked_for_once_more(language):
    bad = {Language.EN: "The emotion tag says angry: calm down.", Language.ZH: "情绪：生气。"}
    answers = [bad[language], GOOD[language], GOOD[language]]
    done, model = taught(in_turn(*answers), language=language)
    first = done.distillations[0]
    assert (first.target, first.flags) == (GOOD[language], ("asked_again",))
    assert len(first.response_keys) == 2
    assert first.messages[:-2] == model.questions[0].messages
    assert first.messages[-2] == Message(role="assistant", content=bad[language])


def test_a_turn_whose_answer_fails_twice_has_none_and_a_dead_letter_says_why():
    bad = "[emotion: sad] I hear you."
    done, _ = taught(in_turn(bad, bad, GOOD[Language.EN]))
    assert [row.distillation is None for row in stage1_rows(done)] == [True, True, False]
    (letter,) = letters_of_parts(done)
    assert (letter.row_id, letter.unit, letter.table, letter.stage, letter.code) == (
        "distill:corpus/d1/000", "turn", "stage1", "distill", "tag_named"
    )  # fmt: skip
    assert letter.response_keys == ("key-1", "key-2")


@pytest.mark.parametrize(
    ("words", "is_talk"),
    [
        ("I hear how angry you are. That was unfair.", False),
        ("Your sighing tells me enough. Sit down for a while.", False),
        ("It sounds as if you are given no choice.", False),
        ("Put the books in the brackets on the wall, then rest.", True),
        ("[emotion: sad] I am sorry.", True),
        ("Given the indicated emotion, take a break.", True),
        ("You are marked as angry, so calm down.", True),
        ("emotion: sad. I am sorry.", True),
        ("我听得出你很生气，这确实不公平。", False),
        ("你叹了口气，先坐下歇歇吧。", False),
        ("【情绪】难过。别伤心。", True),
        ("根据给出的情绪，你应该休息。", True),
        ("括号里写着你在叹气。", True),
        ("情绪标记为难过，别担心。", True),
    ],
)
def test_talk_of_tags_is_told_from_talk_of_feelings(words, is_talk):
    assert (find_tag_talk(words) is not None) is is_talk


def test_what_the_person_said_may_be_taken_up_again():
    said = history("I hung it in the brackets on the wall")
    assert read_plain_answer(Answer(text="Hung in the brackets? Nice work."), said)
    with pytest.raises(UnusableAnswer) as caught:
        read_plain_answer(Answer(text="Hung in the brackets? Nice work."), history("I hung it"))
    assert caught.value.code == "tag_named"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(text=""), "empty_answer"),
        (Answer(text="no", outcome="refusal"), "refusal"),
        (Answer(text="no", outcome="filtered"), "filtered"),
        (Answer(text="As the transcript says, it is gone."), "surrogate_leak"),
        (Answer(text="As an AI I feel with you."), "self_reference"),
        (Answer(text="我听到了。"), "wrong_language"),
        (Answer(text="* Breathe\n* Rest"), "markup"),
    ],
)
def test_an_answer_that_nobody_could_speak_is_refused(answer, code):
    with pytest.raises(UnusableAnswer) as caught:
        read_plain_answer(answer, history("My bag is gone"))
    assert caught.value.code == code


def test_an_own_instruction_that_names_an_emotion_is_a_dead_letter_and_nothing_is_asked(tmp_path):
    for language, told in (("en", "Comfort the sad speaker."), ("zh", "安慰难过的人。")):
        sections = "\n".join(f"## {task}\n- {told}" for task in TASKS)
        (tmp_path / f"{language}.md").write_text(sections + "\n", encoding="utf-8")
    own = PromptLibrary({"instructions": str(tmp_path)})
    for language in Language:
        done, model = taught(lambda _: "no", language=language, prompts=own)
        assert (done.distillations, model.questions) == ((), [])
        assert {failure.code for failure in done.failures} == {"label_leak"}


def test_no_released_instruction_names_an_emotion():
    for language in Language:
        template = PROMPTS.template("instructions", language)
        for task in TASKS:
            found = phrasings(template, task)
            assert len(set(found)) == len(found) >= 8
            assert [find_emotion_word(line) for line in found] == [None] * len(found)


def test_the_same_row_always_has_the_same_instruction_and_rows_differ():
    template = PROMPTS.template("instructions", Language.EN)
    chosen = [choose_instruction(template, "alignment", f"c/d/{n:03d}/stage1") for n in range(99)]
    again = [choose_instruction(template, "alignment", f"c/d/{n:03d}/stage1") for n in range(99)]
    assert chosen == again
    assert set(chosen) == set(phrasings(template, "alignment"))


def test_a_pool_without_a_task_is_told():
    with pytest.raises(PromptError, match="no phrasing for the task 'aqa'"):
        choose_instruction(TemplateFile("i@own.en", "0", {"alignment": "- Write."}), "aqa", "r")


def test_what_the_student_cannot_hear_or_the_baseline_guessed_is_not_fit():
    def reasons(**changes):
        done, _ = taught(lambda _: GOOD[Language.EN], context="history", **changes)
        return [row.distillation.trainable.reasons for row in stage1_rows(done) if row.distillation]

    assert reasons() == [(), ()]
    # What the other one said is shown as words; only what the student hears needs sound.
    assert reasons(texts_only=(1,)) == [(), ()]
    assert reasons(texts_only=(0,)) == [("no_audio",), ("no_audio",)]
    assert reasons(labeler_id="linear@1") == [("baseline_labeler",), ("baseline_labeler",)]
    assert reasons(recognizer_id="moonshine:tiny") == [("unscored_words",), ("unscored_words",)]


def test_without_a_teacher_the_dialogue_goes_on_as_it_is():
    talk = composed()
    assert asyncio.run(distill(talk, None, DistillRules("first", 9, PROMPTS))) == talk
