"""What the card says of answers that sound, of several answers, and of causes read back."""

from ieat.pipeline.output.card.causes import Causes, cause_lines
from ieat.pipeline.output.card.consistency import Consistency, consistency_lines


def target(agrees=None, rate=None, num_words=None):
    return {"consistency": {"agrees": agrees, "word_error_rate": rate, "num_words": num_words}}


def told(*targets):
    found = Consistency()
    for row in targets:
        found.add_target(row)
    return list(consistency_lines(found))


def test_answers_that_sound_are_counted_and_their_words_weighed_by_length():
    assert told(
        {"consistency": None},
        target(agrees=True, rate=0.5, num_words=2),
        target(agrees=False, rate=0.0, num_words=8),
        target(agrees=True),
        target(),
    ) == [
        "Answers heard as their words are meant: 2 of 3 (67%).",
        "Words of answers that the recognizer heard wrong: 10.0% of 10 (characters for Chinese; "
        "normalizer `ieat-words-1`).",
    ]


def test_a_build_without_such_answers_says_so():
    assert told({"consistency": None}, target()) == [
        "Nothing to compare: no answer has sound and labels of words and voice, or recognized "
        "words beside the corpus' own."
    ]


def cause(turn, agreement=None, agrees=None, repredicted=None):
    return {
        "turn_index": turn, "speaker": "ann", "kind": "latent", "evidence": [], "appraisal": None,
        "agreement": agreement, "agrees": agrees, "repredicted": repredicted,
    }  # fmt: skip


def test_agreement_and_what_was_read_back_are_told_of_causes():
    causes = Causes()
    causes.add_dialogue(
        {
            "causes": [
                cause(0, 1.0, True, "sad"),
                cause(1, 0.5, False, "anger"),
                cause(2, 0.6, False),
                cause(3, None, True, "fear"),
                cause(4),
            ]
        }
    )
    assert list(cause_lines(causes))[-3:] == [
        "Several answers were asked for 3 causes; on average 70% of them cite the turns of the one "
        "that counts.",
        "",
        "Another model, which read the cause alone, found the emotion again in 2 of 4 (50%); "
        "another one in 1, none for sure in 1.",
    ]


def test_a_build_that_asks_once_and_nobody_else_says_nothing_of_it():
    causes = Causes()
    causes.add_dialogue({"causes": [cause(0)]})
    assert not [line for line in cause_lines(causes) if "answers" in line or "model" in line]
