"""What every test may ask for: golden files, kept under tests/golden."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The gate says the same of the same tree each time, in little time; `make fuzz` looks for what it
# has not seen.
settings.register_profile("gate", derandomize=True, deadline=None, max_examples=50)
settings.register_profile("explore", derandomize=False, deadline=None, print_blob=True)
settings.load_profile("gate")

pytest_plugins = ["tests.nvml.fixtures"]

_GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite tests/golden instead of comparing"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long go first: one at the end would keep one processor of several busy."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command sends the root logger to its own standard error; undo that after each test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text to tests/golden/<name>, or rewrites that file with --update-golden."""

    def check(name: str, text: str) -> None:
        path = _GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        assert path.exists(), f"no golden file {name}; write it with --update-golden"
        assert text == path.read_text(), f"{name} differs; if that is meant, use --update-golden"

    return check
