"""Groups stay together, stay where they are, and never mix with what a corpus holds out."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ieat.pipeline.failures import ConfigError
from ieat.pipeline.splitting import (
    Assignment,
    SplitGroup,
    SplitItem,
    Splits,
    assign_splits,
    read_splits,
    with_split,
    write_splits,
)
from tests.dialogues import dialogue

BY = ("speaker", "script")
SHARES = {"train": 0.6, "dev": 0.2, "test": 0.2}
NONE = Splits(by=BY)


def item(name: str, *shared: str, split: str = "train") -> SplitItem:
    return SplitItem(name, (f"dialogue {name}", *shared), split)


def assign(*items: SplitItem, known: Splits = NONE, shares: dict = SHARES) -> Assignment:
    return assign_splits(items, known, shares)


def known(**groups: tuple[str, tuple[str, ...]]) -> Splits:
    made = {name: SplitGroup(split=split, keys=keys) for name, (split, keys) in groups.items()}
    return Splits(by=BY, groups=made)


def test_dialogues_that_share_something_over_others_are_one_group():
    found = assign(item("a", "s1"), item("b", "s1", "s2"), item("c", "s2"), item("d", "s3"))
    assert found.splits["a"] == found.splits["b"] == found.splits["c"]
    assert {name: group.keys for name, group in found.known.groups.items()} == {
        "a": ("dialogue a", "dialogue b", "dialogue c", "s1", "s2"),
        "d": ("dialogue d", "s3"),
    }


def test_a_group_is_drawn_by_its_name_alone_whatever_else_there_is_in_whatever_order():
    many = [item(f"d{n}") for n in range(200)]
    whole = assign(*many).splits
    assert assign(*reversed(many)).splits == whole
    assert assign(*many[:3], item("e")).splits["d1"] == whole["d1"]


def test_many_groups_come_near_their_shares():
    counts = Counter(assign(*(item(f"d{n}") for n in range(3000))).splits.values())
    assert {split: round(count / 3000, 1) for split, count in counts.items()} == SHARES


def test_a_group_of_more_than_half_goes_to_the_largest_split_and_is_told():
    for name in "abcdefgh":
        found = assign(*(item(f"{name}{n}", "joe") for n in range(8)))
        assert set(found.splits.values()) == {"train"}
        assert found.notes == (
            f"the group {name}0 holds 8 of 8 dialogues, which share speakers or scripts; all of "
            "them go to train",
        )


def test_a_group_stays_where_it_is_remembered_and_takes_new_dialogues_with_it():
    before = known(z=("dev", ("dialogue z", "s1")))
    found = assign(item("a", "s1", "s2"), item("b", "s2"), known=before)
    assert found.splits == {"a": "dev", "b": "dev"}
    assert found.known == known(z=("dev", ("dialogue a", "dialogue b", "dialogue z", "s1", "s2")))
    assert found.notes == ("the group z holds 2 of 2 dialogues, which share speakers or scripts; "
                           "all of them go to dev",)  # fmt: skip


def test_groups_of_one_split_may_grow_together():
    before = known(x=("dev", ("dialogue x", "s1")), y=("dev", ("dialogue y", "s2")))
    found = assign(item("a", "s1", "s2"), known=before)
    assert found.known.groups == {
        "x": SplitGroup(split="dev", keys=("dialogue a", "dialogue x", "dialogue y", "s1", "s2"))
    }


def test_groups_of_two_splits_that_grow_together_are_a_mistake_that_names_all():
    before = known(x=("dev", ("dialogue x", "s1")), y=("train", ("dialogue y", "s2")))
    with pytest.raises(ConfigError) as caught:
        assign(item("a", "s1", "s3"), item("b", "s3", "s2"), known=before)
    assert str(caught.value) == (
        "the group x (dev, as remembered) and the group y (train, as remembered) grow together: "
        "the dialogue b shares speakers or scripts with both, and a group never changes its "
        "split. Leave that dialogue out, give its speakers or script other names if they are "
        "others, or start anew with another splits.file and output"
    )


def test_what_a_corpus_holds_out_takes_its_group_along_and_that_is_told():
    found = assign(item("a", "s1"), item("b", "s1", split="test"), item("c"), item("d"), item("e"))
    assert (found.splits["a"], found.splits["b"]) == ("test", "test")
    assert found.known.groups["a"].split == "test"
    assert found.notes == (
        "1 dialogues that the corpora give to train share speakers or scripts with their split "
        "test, and go there",
    )


def test_a_test_dialogue_never_enters_a_group_of_train():
    before = known(x=("train", ("dialogue x", "s1")))
    with pytest.raises(ConfigError, match=r"x \(train, as remembered\) and the dialogue a \(test"):
        assign(item("a", "s1", split="test"), known=before)


def test_a_dialogue_that_its_corpus_moves_to_test_later_is_a_mistake():
    before = assign(item("a"), shares={"train": 1.0}).known
    with pytest.raises(ConfigError, match=r"a \(train, as remembered\) and the dialogue a \(test"):
        assign(item("a", split="test"), known=before)


def test_a_corpus_whose_own_splits_share_people_is_a_mistake():
    with pytest.raises(ConfigError, match=r"the dialogue a \(dev.* and the dialogue b \(test"):
        assign(item("a", "s1", split="dev"), item("b", "s1", split="test"))


KEYS = st.lists(st.sampled_from([f"s{n}" for n in range(6)]), max_size=2)


@given(st.lists(KEYS, min_size=1, max_size=12), st.integers(0, 12))
def test_nothing_that_is_shared_lies_in_two_splits_and_nothing_moves_later(shared, num_first):
    items = [item(f"d{n:02d}", *keys) for n, keys in enumerate(shared)]
    first = assign(*items[:num_first])
    try:
        second = assign(*items, known=first.known)
    except ConfigError:
        return
    for one in items[:num_first]:
        assert second.splits[one.dialogue_id] == first.splits[one.dialogue_id]
    splits_of: dict[str, set[str]] = {}
    for one in items:
        for key in one.keys:
            splits_of.setdefault(key, set()).add(second.splits[one.dialogue_id])
    assert all(len(splits) == 1 for splits in splits_of.values())


def test_a_dialogue_remembers_what_its_corpus_said():
    given_train = dialogue()
    moved = with_split(given_train, "dev")
    assert (moved.split, moved.corpus_split) == ("dev", "train")
    assert with_split(given_train, "train") is given_train
    held_out = given_train.model_copy(update={"split": "test"})
    assert with_split(held_out, "test") is held_out
    with pytest.raises(ConfigError, match="its corpus gives it to test, so it cannot go to train"):
        with_split(held_out, "train")


def test_what_is_remembered_is_read_again(tmp_path):
    file = str(tmp_path / "deep" / "splits.json")
    assert read_splits(file, BY) == NONE
    found = assign(item("a", "s1"), item("说", "s2")).known
    write_splits(file, found)
    assert read_splits(file, BY) == found
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["splits.json"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "does not say which group went where"),
        ('{"by": ["speaker"], "groups": {}}', "parts by speaker, not by speaker, script"),
        ('{"by": ["speaker", "script"], "version": 9}', "is of another version"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_mistake(tmp_path, text, match):
    file = tmp_path / "splits.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match=match):
        read_splits(str(file), BY)


def test_a_file_that_cannot_be_written_is_a_mistake(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot write .*file/splits\.json"):
        write_splits(str(tmp_path / "file" / "splits.json"), NONE)
