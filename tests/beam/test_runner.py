"""The runner that the tests and local builds name: FnApiRunner, which fetches nothing."""

import apache_beam as beam
from apache_beam.testing.util import assert_that, equal_to


def test_the_runner_works_without_sockets_beyond_this_machine_and_without_warnings() -> None:
    with beam.Pipeline("FnApiRunner") as p:
        lengths = p | beam.Create(["a", "bb"]) | beam.Reshuffle() | beam.Map(len)
        assert_that(lengths, equal_to([1, 2]))
