"""What a card tells of splits: where dialogues went, what splits share, which answers are alike."""

from ieat.pipeline.output.card.parting import Parting, Responses, like_lines, parting_lines

ANSWER = "I hear you, and I am sorry that somebody took the bag with all of your letters"


def row(name: str, split: str, speakers: tuple[str, ...], given: str = "train") -> dict:
    return {
        "dialogue_id": name,
        "split": split,
        "corpus_split": given,
        "speaker_ids": list(speakers),
        "script_ids": [f"script of {name}"],
    }


def target(name: str, words: str) -> dict:
    return {"row_id": name, "response": {"text": words}}


def test_dialogues_are_counted_by_both_splits_and_what_is_shared_is_counted():
    parting = Parting()
    parting.add_dialogue(row("a", "train", ("q/joe",)))
    parting.add_dialogue(row("b", "dev", ("q/ann",)))
    parting.add_dialogue(row("c", "test", ("q/joe", "q/eve"), given="test"))
    assert list(parting_lines(parting))[:10] == [
        "| the corpus' split | the build's split | dialogues |",
        "|--|--|--:|",
        "| test | test | 1 |",
        "| train | dev | 1 |",
        "| train | train | 1 |",
        "",
        "| what | known | in more than one split |",
        "|--|--:|--:|",
        "| speakers | 3 | 1 |",
        "| scripts | 3 | 0 |",
    ]


def test_a_build_without_dialogues_has_nothing_to_split():
    assert list(parting_lines(Parting())) == ["There is nothing to split."]


def test_answers_that_are_alike_are_counted_where_near_duplicates_are_looked_for():
    responses, none = Responses(0.8), Responses()
    for found in (responses, none):
        found.add_target(target("a", ANSWER))
        found.add_target(target("b", f"{ANSWER}!"))
        found.add_target(target("c", "I see"))
    assert list(like_lines(responses)) == [
        "",
        "Of 2 answers that are long enough to compare, 1 are nearly like an earlier one "
        "(similarity 0.8); their rows stay.",
    ]
    assert list(like_lines(none)) == []
    assert none.texts == []
