"""A finished build that the tests of renderings share."""

from pathlib import Path

import pytest

from ieat.pipeline.main import build
from tests.openai_server import OpenAIServer
from tests.rendered_build import recorded_build
from tests.talk_script import endpoint


@pytest.fixture(scope="session")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a build of recorded talks in both languages; not to be changed."""
    folder = tmp_path_factory.mktemp("recorded")
    with OpenAIServer(endpoint) as server:
        assert build(recorded_build(folder, server.base_url)).exit_code == 0
    return folder / "out"
