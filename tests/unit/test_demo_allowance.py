"""Real processes under a real allowance: what they get, how they end, and what stays behind."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import cgroup
from demo.process import Process

ROOT = Path(__file__).parents[2]
BUSY = """
import sys
from demo.allowance import AllowanceError, limit_cpu
try:
    print(limit_cpu(float(sys.argv[2]), mechanism=sys.argv[1]), flush=True)
except AllowanceError as error:
    sys.exit(f"AllowanceError: {error}")
while True:
    pass
"""


MECHANISMS = ["duty", "cgroup"]


@contextlib.contextmanager
def busy(mechanism: str, cores: float) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY, mechanism, str(cores)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until_limited(process: subprocess.Popen[str], mechanism: str) -> None:
    assert process.stdout
    assert process.stderr
    granted = process.stdout.readline().strip()
    if mechanism == "cgroup" and not granted:
        pytest.skip(f"no quota can be written here: {process.stderr.read().strip()}")
    assert granted in ({"cgroup", "duty"} if mechanism == "auto" else {mechanism})


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def groups_of(pid: int) -> list[Path]:
    mountinfo = Path("/proc/self/mountinfo").read_text()
    own = Path("/proc/self/cgroup").read_text()
    return [
        group
        for hierarchy in cgroup.hierarchies(mountinfo, own)
        for parent in hierarchy.parents()
        for group in parent.glob(f"*-{pid}")
    ]


@pytest.mark.parametrize("mechanism", [*MECHANISMS, "auto"])
def test_a_busy_process_gets_no_more_than_its_allowance(mechanism: str) -> None:
    with busy(mechanism, 0.3) as process:
        wait_until_limited(process, mechanism)
        clock = Process(process.pid)
        at, spent = time.monotonic(), clock.cpu_seconds()
        time.sleep(1.5)
        used = (clock.cpu_seconds() - spent) / (time.monotonic() - at)
        # A shared machine may give less, never more; one burst may still be saved up at the start.
        assert 0.05 < used < 0.36


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_at_once_and_nothing_stays_behind(mechanism: str, ending: signal.Signals) -> None:
    with busy(mechanism, 0.1) as process:
        wait_until_limited(process, mechanism)
        (warden,) = children(process.pid)
        watched = Process(warden)
        time.sleep(0.1)
        process.send_signal(ending)
        assert process.wait(timeout=2) == -ending
        assert watched.ended(within=5)
        assert groups_of(process.pid) == []


def test_signals_to_the_group_leave_the_warden_at_its_post() -> None:
    with busy("duty", 0.1) as process:
        wait_until_limited(process, "duty")
        (warden,) = children(process.pid)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            Process(warden).send(number)
        time.sleep(0.2)
        seen = set()
        for _ in range(100):
            seen.add(state(process.pid))
            time.sleep(0.005)
        assert {"T", "R"} <= seen


@pytest.mark.parametrize(
    "mechanism, cores, message",
    [
        pytest.param("duty", 0.0, "0.0 cores: must be above 0", id="nothing"),
        pytest.param("duty", 4096.0, "4096.0 cores: must be above 0 and at most", id="too much"),
    ],
)
def test_an_allowance_that_cannot_be(mechanism: str, cores: float, message: str) -> None:
    with busy(mechanism, cores) as process:
        assert process.wait(timeout=10) == 1
        assert process.stderr
        assert message in process.stderr.read()
