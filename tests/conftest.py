"""What holds for every test: folders of its own, no socket beyond this machine, golden files."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

# Libraries read these names when they are imported, so they are set before any test is collected.
SCRATCH = tempfile.TemporaryDirectory(prefix="ieat-tests-", ignore_cleanup_errors=True)
for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HF_HOME"):
    folder = Path(SCRATCH.name, name.lower())
    folder.mkdir()
    os.environ[name] = str(folder)
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-golden", action="store_true", help="write the golden files anew")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("live"):
            item.add_marker("enable_socket")


@pytest.fixture(autouse=True)
def _without_credentials(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a person's own endpoint and key away from every test that is not live."""
    if not request.node.get_closest_marker("live"):
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


@pytest.fixture
def check_golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with a file of tests/golden; `make golden` writes the file instead."""

    def check(name: str, text: str) -> None:
        file = GOLDEN / name
        if request.config.getoption("--rewrite-golden"):
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8"), f"{file}: review with `make golden`"

    return check
