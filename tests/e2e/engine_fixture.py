"""A real llama.cpp server for a test: started on a free loopback port, ended by pid."""

import contextlib
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.model import ModelShape, cached_model
from tests.haproxy import free_port

ROOT = Path(__file__).resolve().parents[2]
QUICK = ModelShape(width=64, layers=2, heads=2, feed_forward=128)
_READY_SECONDS = 20


@dataclass(frozen=True, slots=True)
class RunningEngine:
    """An engine that answered /health, and the process behind it."""

    url: str
    process: subprocess.Popen[str]


@contextlib.contextmanager
def running_engine(model: Path, *options: str) -> Iterator[RunningEngine]:
    """Start `demo.engine` with these options and wait until it is healthy."""
    port = free_port()
    command = [sys.executable, "-m", "demo.engine", "--model", str(model), "--port", str(port)]
    process = subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_answers(f"{url}/health", process)
        yield RunningEngine(url, process)
    finally:
        process.kill()
        process.communicate()


def wait_until_answers(url: str, process: subprocess.Popen[str]) -> None:
    """Wait until `url` answers 200; the test fails if `process` ends before, or takes too long."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"it ended with {process.returncode}: {process.communicate()[1]}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(url, timeout=5).close()  # raises unless it is 200
            return
        time.sleep(0.05)
    pytest.fail(f"{url} did not answer within {_READY_SECONDS} s")


@pytest.fixture(scope="session")
def quick_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that answers thousands of tokens a second."""
    return cached_model(tmp_path_factory.mktemp("model"), QUICK)


@pytest.fixture
def engine(quick_model: Path) -> Iterator[RunningEngine]:
    """A fresh engine without a CPU limit, its counters at 0."""
    with running_engine(quick_model, "--allowance", "none", "--alias", "chat") as running:
        yield running
