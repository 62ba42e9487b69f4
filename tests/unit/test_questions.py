"""Whether a last turn asks about one's own emotions, and the questions of the list."""

import pytest

from ieat.pipeline.questions import asks_about_emotions, choose_question
from ieat.prompts.library import PromptLibrary
from ieat.schemas.dialogue import Language

EN, ZH = Language.EN, Language.ZH
PROMPTS = PromptLibrary({})


@pytest.mark.parametrize(
    ("language", "task", "words"),
    [
        (EN, "t1", "Can you summarize how my emotions changed?"),
        (EN, "t1", "How did my mood change today"),
        (EN, "t2", "Why do I feel so bad about this?"),
        (EN, "t2", "What made me feel that way, do you think?"),
        (ZH, "t1", "你能总结一下我的情绪变化吗"),
        (ZH, "t1", "我的心情是怎么变化的？"),
        (ZH, "t2", "我为什么会有这样的感受？"),
        (ZH, "t2", "你觉得我这种情绪的原因是什么"),
    ],
)
def test_a_question_about_ones_own_emotions_is_seen_in_any_corpus(language, task, words):
    assert asks_about_emotions(words, language, task, is_said_to_ask=False)
    assert asks_about_emotions(words, language, task, is_said_to_ask=True)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (EN, "I feel much better now, thank you."),
        (EN, "Where did you put the keys?"),
        (EN, "Why did she leave him?"),
        (EN, "How do you feel about it?"),
        (ZH, "我现在感觉好多了，谢谢。"),
        (ZH, "你把钥匙放哪儿了？"),
        (ZH, "他为什么走了？"),
    ],
)
def test_other_last_turns_are_no_such_question(language, words):
    for task in ("t1", "t2"):
        assert not asks_about_emotions(words, language, task, is_said_to_ask=False)


def test_where_the_corpus_says_so_the_form_of_a_question_is_enough():
    for language, asks, tells in (
        (EN, "So what do you make of all this", "I will call the police."),
        (ZH, "你说我这是怎么了", "我去报警。"),
    ):
        assert asks_about_emotions(asks, language, "t1", is_said_to_ask=True)
        assert not asks_about_emotions(asks, language, "t1", is_said_to_ask=False)
        assert not asks_about_emotions(tells, language, "t1", is_said_to_ask=True)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("task", ["t1", "t2"])
def test_every_listed_question_is_seen_as_one(language, task):
    template = PROMPTS.template("questions", language)
    listed = [line.removeprefix("- ") for line in template.sections[task].splitlines()]
    assert len(set(listed)) == len(listed) >= 6
    for words in listed:
        assert asks_about_emotions(words, language, task, is_said_to_ask=True), words


def test_a_row_always_gets_the_same_question_and_rows_get_different_ones():
    template = PROMPTS.template("questions", ZH)
    chosen = [choose_question(template, "t1", f"c/d{n}/humdial_t1") for n in range(40)]
    assert chosen == [choose_question(template, "t1", f"c/d{n}/humdial_t1") for n in range(40)]
    assert len(set(chosen)) == 6
    listed = template.sections["t1"].splitlines()
    for text, question_id in chosen:
        name, _, number = question_id.rpartition("/")
        assert name == "questions@1.zh/t1"
        assert listed[int(number)] == f"- {text}"
