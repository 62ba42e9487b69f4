import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.window import TimestampedValue

from ieat.pipeline.coders import RecordCoder, record_types, register_coders
from ieat.pipeline.steps import DeadLetters, MapDialogues, StepContext
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.records import HeardDialogue, SetAside
from tests.beam.engines import hear, itself, room
from tests.beam.keeping import Kept
from tests.dialogues import dialogue, heard

RUNNER = "FnApiRunner"


@pytest.fixture
def hearing():
    """A room whose worker is closed after the test."""
    made = room()
    worker = made.enter()
    yield made, worker
    worker.close()


def run(talks, made, folder, in_flight=4):
    """Return what came out, and what was set aside, of hearing the dialogues."""
    register_coders()
    done, aside = Kept(folder / "done", HeardDialogue), Kept(folder / "aside", SetAside)
    dead = DeadLetters()
    with beam.Pipeline(RUNNER) as p:
        out = (
            p
            | beam.Create(talks).with_output_types(Dialogue)
            | MapDialogues("hear", hear, itself, HeardDialogue, StepContext(made, dead, in_flight))
        )
        done.keep(out)
        aside.keep(dead.all())
    return done.all(), aside.all()


def test_good_dialogues_pass_and_a_failing_one_is_set_aside(hearing):
    made, worker = hearing
    talks = [dialogue(name="good"), dialogue(name="broken"), dialogue(name="fine")]
    dead = DeadLetters()
    register_coders()
    with beam.Pipeline(RUNNER) as p:
        out = (
            p
            | beam.Create(talks).with_output_types(Dialogue)
            | MapDialogues("hear", hear, itself, HeardDialogue, StepContext(made, dead, 2))
        )
        assert_that(out, equal_to([heard(talks[0]), heard(talks[2])]), label="done")
        expected = SetAside(
            dialogue_id="corpus/broken",
            source="talks.jsonl:broken",
            end="dead",
            stage="hear",
            code="audio_undecodable",
            message="broken-0.wav is no audio",
            record=talks[1].model_dump_json(),
            num_turns=5,
            num_targets=2,
        )
        assert_that(dead.all(), equal_to([expected]), label="dead")
    _, progress = worker.state.snapshot()
    assert (progress.done, progress.failed, progress.in_flight) == (2, 1, 0)


def test_many_dialogues_are_at_work_at_once_but_never_more_than_allowed(hearing):
    made, worker = hearing
    with beam.Pipeline(RUNNER) as p:
        (
            p
            | beam.Create([dialogue(name=f"d{n}") for n in range(40)], reshuffle=False)
            | beam.Map(lambda talk: talk).with_output_types(Dialogue)
            | beam.Reshuffle()
            | MapDialogues("hear", hear, itself, HeardDialogue, StepContext(made, DeadLetters(), 8))
        )
    assert worker.engines.most_at_once == 8


def test_each_dialogue_keeps_its_own_timestamp(hearing):
    made, _ = hearing
    with beam.Pipeline(RUNNER) as p:
        stamps = (
            p
            | beam.Create([3, 1, 2])
            | beam.Map(lambda n: TimestampedValue(dialogue(name=f"d{n}"), n)).with_output_types(
                Dialogue
            )
            | MapDialogues("hear", hear, itself, HeardDialogue, StepContext(made, DeadLetters(), 2))
            | beam.Map(_with_timestamp)
        )
        assert_that(stamps, equal_to([("d1", 1.0), ("d2", 2.0), ("d3", 3.0)]))


def _with_timestamp(of: HeardDialogue, timestamp=beam.DoFn.TimestampParam) -> tuple[str, float]:
    return of.dialogue.name, float(timestamp)


def test_an_engine_that_gives_up_stops_the_run_and_the_rest_is_not_reached(hearing, tmp_path):
    made, worker = hearing
    talks = [dialogue(name="gone"), *(dialogue(name=f"d{n}") for n in range(20))]
    done, aside = run(talks, made, tmp_path, in_flight=1)
    assert worker.state.stop_reason == (
        "engine_unavailable",
        "the ear is gone; the same command goes on",
    )
    assert {found.end for found in aside} == {"not_reached"}
    assert {found.code for found in aside} == {"engine_unavailable"}
    assert len(done) + len(aside) == 21
    assert "corpus/gone" in {found.dialogue_id for found in aside}


def test_the_engines_are_closed_once_with_their_worker():
    worker = room().enter()
    engines = worker.engines
    worker.close()
    worker.close()
    assert engines.num_closed == 1


def test_a_mistake_of_ours_stops_the_run_with_its_own_error(hearing, tmp_path):
    made, _ = hearing
    with pytest.raises(Exception, match="a mistake of ours"):
        run([dialogue(name="bug")], made, tmp_path)


def test_a_run_that_goes_wrong_wholesale_is_stopped(tmp_path):
    made = room(max_failed_ratio=0.5)
    worker = made.enter()
    try:
        _, aside = run([dialogue(name=f"broken{n}") for n in range(80)], made, tmp_path, 1)
    finally:
        worker.close()
    assert worker.state.stop_reason.code == "too_many_failed"
    dead = [found for found in aside if found.end == "dead"]
    assert 50 <= len(dead) <= 52
    assert len(aside) == 80


def test_every_record_type_has_a_json_coder_that_gives_the_record_back():
    register_coders()
    from apache_beam.coders import registry

    for record_type in record_types():
        assert registry.get_coder(record_type) == RecordCoder(record_type)
    talk = dialogue()
    coder = RecordCoder(Dialogue)
    assert coder.decode(coder.encode(talk)) == talk
    assert coder.is_deterministic()
