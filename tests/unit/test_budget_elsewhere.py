"""A budget holds within one process, and a pipeline that runs elsewhere is told so."""

import pytest

from ieat.pipeline.beam_flags import beam_options, refuse_budget_elsewhere
from ieat.pipeline.failures import ConfigError


@pytest.mark.parametrize(
    ("max_usd", "max_tokens", "name"), [(1.0, None, "max_usd"), (None, 9, "max_tokens")]
)
def test_a_budget_is_refused_with_a_runner_elsewhere(max_usd, max_tokens, name):
    elsewhere = beam_options(["--runner", "PortableRunner"])
    with pytest.raises(ConfigError, match=f"{name} holds within one process"):
        refuse_budget_elsewhere(elsewhere, max_usd, max_tokens)
    refuse_budget_elsewhere(elsewhere, None, None)
    refuse_budget_elsewhere(beam_options([]), max_usd, max_tokens)
