"""Beam's own flags: wrong ones are told in one line."""

import pytest
from apache_beam.options.pipeline_options import DebugOptions, StandardOptions

from ieat.pipeline.beam_flags import LOCAL_RUNNER, beam_options
from ieat.pipeline.failures import ConfigError


def test_without_a_runner_the_local_one_is_taken():
    assert beam_options([]).view_as(StandardOptions).runner == LOCAL_RUNNER


@pytest.mark.parametrize(
    ("flags", "experiments"),
    [
        (["--experiment=a"], ["a"]),
        (["--experiments", "a"], ["a"]),
        (["--no_pipeline_type_check"], None),
    ],
)
def test_flags_are_known_by_all_their_names(flags, experiments):
    found = beam_options(flags).view_as(DebugOptions).experiments
    assert found == experiments


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--no_such_flag=3"], "Beam does not know --no_such_flag=3"),
        (["--runer=FnApiRunner"], "Beam does not know --runer=FnApiRunner"),
        (["--job_name", "mine", "stray"], "Beam does not know stray"),
        (
            ["--direct_num_workers=many"],
            "Beam: argument --direct_num_workers: invalid int value: 'many'",
        ),
    ],
)
def test_a_wrong_flag_is_told_in_one_line(flags, message):
    with pytest.raises(ConfigError) as caught:
        beam_options(flags)
    assert str(caught.value) == message


@pytest.mark.parametrize("runner", ["Nope", "no.such.Runner", "sys.Runner"])
def test_an_unknown_runner_is_a_mistake(runner):
    with pytest.raises(ConfigError, match=f"^Beam cannot use the runner {runner}: "):
        beam_options([f"--runner={runner}"])
