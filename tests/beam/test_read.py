import json
from functools import partial

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from ieat.pipeline.coders import register_coders
from ieat.pipeline.config import InputSettings
from ieat.pipeline.failures import ConfigError
from ieat.pipeline.run_state import RunState
from ieat.pipeline.stages.read import ListDialogues, ReadDialogues, list_units, refuse_empty_inputs
from ieat.pipeline.steps import DeadLetters, EngineRoom
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.records import SetAside
from tests.beam.keeping import Kept


class NoEngines:
    def __init__(self, state: RunState) -> None:
        self.state = state

    async def close(self) -> None:
        """There is nothing to let go of."""


@pytest.fixture
def room():
    made = EngineRoom(NoEngines, partial(RunState, ("hear",), 1.0), "first")
    worker = made.enter()
    yield made
    worker.close()


def talk(name, **changes):
    turns = [{"speaker": "ann", "text": "Hello"}, {"speaker": "bob", "text": "Hi"}]
    return json.dumps({"dialogue_id": name, "language": "en", "turns": turns} | changes)


def manifest(folder, *lines, name="talks.jsonl"):
    file = folder / name
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return InputSettings(path=str(file))


def ends(room, folder, *inputs, limit=None):
    """Return ids that were read, and place and code of what was set aside."""
    register_coders()
    dead = DeadLetters()
    read, aside = Kept(folder / "read", Dialogue), Kept(folder / "aside", SetAside)
    with beam.Pipeline("FnApiRunner") as p:
        read.keep(p | ListDialogues(inputs, limit) | ReadDialogues(inputs, room, dead))
        aside.keep(dead.all())
    return sorted(found.dialogue_id for found in read.all()), sorted(
        (found.source.rpartition("/")[2], found.code, found.end) for found in aside.all()
    )


def test_good_lines_are_read_and_a_broken_one_is_set_aside_with_its_place(room, tmp_path):
    found = ends(room, tmp_path, manifest(tmp_path, talk("a"), '{"dialogue_id": "b"', talk("c")))
    assert found == (["talks/a", "talks/c"], [("talks.jsonl:2", "broken_json", "dead")])


def test_both_holders_of_one_id_fail(room, tmp_path):
    found = ends(room, tmp_path, manifest(tmp_path, talk("a"), talk("b"), talk("a")))
    assert found == (
        ["talks/b"],
        [("talks.jsonl:1", "duplicate_id", "dead"), ("talks.jsonl:3", "duplicate_id", "dead")],
    )


def test_several_inputs_are_read_into_one_build(room, tmp_path):
    found = ends(
        room,
        tmp_path,
        manifest(tmp_path, talk("a")),
        manifest(tmp_path, talk("a"), name="more.jsonl"),
    )
    assert found == (["more/a", "talks/a"], [])


def test_a_third_language_is_refused_before_anything_is_asked(room, tmp_path):
    found = ends(
        room, tmp_path, manifest(tmp_path, talk("a", language="de"), talk("b", language="zh-CN"))
    )
    assert found == (["talks/b"], [("talks.jsonl:1", "unsupported_language", "dead")])


def test_a_limit_reads_the_first_dialogues_only(room, tmp_path):
    assert ends(room, tmp_path, manifest(tmp_path, talk("a"), talk("b"), talk("c")), limit=2)[
        0
    ] == [
        "talks/a",
        "talks/b",
    ]


def test_an_empty_input_is_a_mistake_that_says_what_was_looked_for(tmp_path):
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n")
    with pytest.raises(ConfigError, match=r"empty\.jsonl"):
        list(list_units([InputSettings(path=str(empty))], None))


def test_nothing_more_is_read_once_the_run_stops(room, tmp_path):
    room.enter().state.stop("interrupted", "stopped by SIGINT")
    found = ends(room, tmp_path, manifest(tmp_path, talk("a"), '{"broken'))
    assert found == (
        [],
        [
            ("talks.jsonl:1", "interrupted", "not_reached"),
            ("talks.jsonl:2", "interrupted", "not_reached"),
        ],
    )


def test_every_input_is_looked_into_before_a_run(tmp_path):
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n")
    good = manifest(tmp_path, talk("a"))
    refuse_empty_inputs([good])
    with pytest.raises(ConfigError, match=r"empty\.jsonl holds no line"):
        refuse_empty_inputs([good, InputSettings(path=str(empty))])


def test_reading_is_the_same_twice(room, tmp_path):
    settings = manifest(tmp_path, talk("a"), talk("b"))
    with beam.Pipeline("FnApiRunner") as p:
        ids = (
            p
            | ListDialogues((settings,), None)
            | ReadDialogues((settings,), room, DeadLetters())
            | beam.Map(lambda found: found.dialogue_id)
        )
        assert_that(ids, equal_to(["talks/a", "talks/b"]))
