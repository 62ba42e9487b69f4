"""Which shards run together, and what makes their work another."""

from pathlib import Path

import pytest

from ieat.pipeline.config import BuildConfig, load_config
from ieat.pipeline.groups import make_groups, read_corpora, run_groups
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.group_records import Group, GroupRecord, write_record
from ieat.pipeline.output.sink import SinkSettings
from ieat.pipeline.output.stage2_rows import RowSettings
from ieat.pipeline.run_state import RunState
from ieat.pipeline.spill import Spill, parse_spilled, spilled_lines
from ieat.schemas.build import UnbalancedBooksError
from tests.dialogues import dialogue

IDENTITY = {"engines": {"recognizer": "gold"}}


def configured(**changes: object) -> BuildConfig:
    given = {"inputs": [{"path": "talks.jsonl"}], "output": "out", "shards": 6}
    return load_config(None, given | changes)


def spilled(folder: Path, *counts: int) -> Spill:
    """Keep as many dialogues in each shard as is said."""
    spill = Spill(folder)
    for shard, count in enumerate(counts):
        for number in range(count):
            spill.add(shard, dialogue([("ann", "Hi")], name=f"d{shard}-{number}", with_audio=False))
    return spill


def groups(folder: Path, *counts: int, identity: object = IDENTITY, **changes: object) -> list:
    state = RunState((), 1.0)
    return make_groups(configured(**changes), identity, spilled(folder, *counts), state)


@pytest.mark.parametrize(
    ("counts", "most", "expected"),
    [
        ((1, 1, 1, 1, 1, 1), 100, [(0, 1, 2, 3, 4, 5)]),
        ((), 1, [(0, 1, 2, 3, 4, 5)]),
        ((3, 3, 3, 3, 3, 3), 6, [(0, 1), (2, 3), (4, 5)]),
        ((3, 4, 3, 0, 0, 7), 6, [(0,), (1,), (2, 3, 4), (5,)]),
        ((9, 1, 0, 1, 9, 1), 6, [(0,), (1, 2, 3), (4,), (5,)]),
    ],
)
def test_a_group_is_as_many_neighbors_as_fit_and_never_less_than_a_shard(
    tmp_path: Path, counts: tuple[int, ...], most: int, expected: list[tuple[int, ...]]
) -> None:
    made = groups(tmp_path, *counts, group_dialogues=most)
    assert [group.shards for group in made] == expected


def test_nothing_more_is_read_once_the_run_stops(tmp_path: Path) -> None:
    talks = tmp_path / "talks.jsonl"
    talks.write_text('{"broken\n{"dialogue_id": "a"}\n')
    state = RunState(("hear",), 1.0)
    state.stop("interrupted", "stopped by SIGINT")
    (tmp_path / "work").mkdir()
    config = configured(inputs=[{"path": str(talks)}], shards=1)
    spill = read_corpora(config, state, tmp_path / "work")
    found = [parse_spilled(line) for line in spilled_lines(spill.files((0,)))]
    assert [(one.source.rpartition(":")[2], one.code, one.end) for one in found] == [
        ("1", "interrupted", "not_reached"),
        ("2", "interrupted", "not_reached"),
    ]
    assert spill.num_records == 2


def test_a_group_that_loses_a_dialogue_ends_the_build(tmp_path: Path) -> None:
    talks = tmp_path / "talks.jsonl"
    talks.write_text('{"broken\n{"dialogue_id": "a"}\n')
    config = configured(inputs=[{"path": str(talks)}], output=str(tmp_path / "out"), shards=1)
    rows = RowSettings(max_context_turns=20, max_context_seconds=120.0, stage2_audio="embed")
    settings = SinkSettings(out=config.output, num_shards=1, rows=rows)
    folder = BuildFolder(config.output)

    def losing(group: Group, files: tuple[str, ...]) -> None:
        write_record(folder, GroupRecord(group=group, files=(), entries={"dialogues|read|": 1}))

    with pytest.raises(UnbalancedBooksError, match="the corpora gave 2, but 1 ran in groups"):
        run_groups(config, IDENTITY, settings, RunState(("hear",), 1.0), losing)


def digests(made: list[Group]) -> list[str]:
    return [group.digest for group in made]


def test_a_group_is_another_when_one_of_its_dialogues_is(tmp_path: Path) -> None:
    before = digests(groups(tmp_path, 1, 1, 1, group_dialogues=1))
    after = digests(groups(tmp_path, 1, 2, 1, group_dialogues=1))
    assert [one == other for one, other in zip(before, after, strict=False)][:3] == [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"identity": {"engines": {"recognizer": "moonshine"}}},
        {"replay": True},
        {"store": "elsewhere"},
        {"language_model_settings": {"extra_body": {"top_k": 1}}},
    ],
)
def test_a_group_is_another_when_it_is_made_otherwise(tmp_path: Path, changes: dict) -> None:
    assert digests(groups(tmp_path, 1, **changes)) != digests(groups(tmp_path, 1))


@pytest.mark.parametrize(
    "changes",
    [
        {"in_flight": 7},
        {"limit": 5},
        {"max_tokens": 9},
        {"max_failed_ratio": 0.9},
        {"language_model_settings": {"base_url": "http://elsewhere/v1"}},
    ],
)
def test_a_group_is_the_same_when_only_the_way_differs(tmp_path: Path, changes: dict) -> None:
    assert digests(groups(tmp_path, 1, **changes)) == digests(groups(tmp_path, 1))
