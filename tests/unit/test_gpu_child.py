"""The child as a process: small, ends when it should, and speaks over its own pipe only."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.nvml.control import DRIVER, DRIVER_NOT_LOADED, NvmlControl
from tidegauge.sources.gpu.process import Child, Pipe
from tidegauge.sources.gpu.protocol import State, decode
from tidegauge.sources.gpu.settings import Settings

ROOT = Path(__file__).parents[2]
QUICK = Settings(publish_seconds=0.05)
HEAVY = ("aiohttp", "pydantic", "prometheus_client", "numpy", "asyncio", "multidict", "yarl")


@asynccontextmanager
async def child(settings: Settings = QUICK) -> AsyncIterator[Child]:
    running = await Child.start(settings)
    try:
        yield running
    finally:
        await running.stop()


async def states(running: Child, *, seconds: float = 10) -> AsyncIterator[State]:
    async with asyncio.timeout(seconds):
        while line := await running.line():
            yield decode(line)


async def first(running: Child) -> State:
    """The first state with a device that has answered."""
    async for state in states(running):
        if any(device.answered_at is not None for device in state.devices):
            return state
    raise AssertionError("the child ended before a device had answered")


def alive(pid: int) -> bool:
    """Whether the process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


async def gone(pid: int, *, seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    return not alive(pid)


def test_it_imports_nothing_that_costs_memory(nvml: NvmlControl) -> None:
    code = "import sys, json, tidegauge.sources.gpu.child; print(json.dumps(sorted(sys.modules)))"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert set(json.loads(said.stdout)).isdisjoint(HEAVY)


def test_the_parent_does_not_import_nvml() -> None:
    code = "import sys, tidegauge.sources.gpu.source; print('pynvml' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert said.stdout == "False\n"


async def test_it_speaks_once_a_tick_whatever_changes(nvml: NvmlControl) -> None:
    async with child() as running:
        await first(running)
        began, count = time.monotonic(), 0
        async for state in states(running):
            count += 1
            assert len(state.devices) == 1
            if count == 10:
                break
        assert time.monotonic() - began >= 0.3


async def test_what_has_not_changed_is_not_sent_again(nvml: NvmlControl) -> None:
    async with child() as running:
        await first(running)
        sent = [part.name async for state in _next(running, 4) for part in state.devices[0].parts]
        assert sent.count("medium") <= 1


async def _next(running: Child, number: int) -> AsyncIterator[State]:
    for _ in range(number):
        line = await running.line()
        assert line
        yield decode(line)


async def test_it_ends_when_its_standard_input_does(nvml: NvmlControl) -> None:
    async with child() as running:
        await first(running)
        running._process.stdin.close()
        assert await gone(running.pid)


async def test_it_ends_on_sigterm_also_while_a_call_hangs(nvml: NvmlControl) -> None:
    nvml.hang(0, "nvmlDeviceGetUtilizationRates", 3600)
    async with child() as running:
        await running.line()
        os.kill(running.pid, signal.SIGTERM)
        assert await gone(running.pid)


async def test_it_is_ended_by_force_where_it_does_not_listen(nvml: NvmlControl) -> None:
    async with child() as running:
        await first(running)
        os.kill(running.pid, signal.SIGSTOP)
        started = time.monotonic()
        await running.stop()
        assert time.monotonic() - started < 5
        assert await gone(running.pid)


class Stuck:
    """A process that the kernel holds: no signal ends it."""

    pid, returncode, stdin, stdout = 4242, None, None, None

    def __init__(self) -> None:
        self.signals: list[str] = []

    def terminate(self) -> None:
        self.signals.append("terminate")

    def kill(self) -> None:
        self.signals.append("kill")

    async def wait(self) -> None:
        await asyncio.sleep(3600)


async def test_one_that_nothing_ends_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    process = Stuck()
    ends = os.pipe(), os.pipe()
    pipes = [await Pipe.reading(ours) for ours, _ in ends]
    await asyncio.wait_for(Child(process, *pipes, end_seconds=0.02).stop(), 2)
    for _, theirs in ends:
        os.close(theirs)
    assert process.signals == ["terminate", "kill"]
    assert [record.getMessage() for record in caplog.records] == ["child does not end; left behind"]


PARENT = """
import asyncio, sys
from tidegauge.sources.gpu.process import Child, Pipe
from tidegauge.sources.gpu.settings import Settings

async def main():
    child = await Child.start(Settings(publish_seconds=0.05))
    await child.line()
    print(child.pid, flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


@pytest.mark.parametrize("hung", [False, True], ids=["at work", "in a call that hangs"])
async def test_a_parent_that_is_killed_leaves_no_orphan(nvml: NvmlControl, hung) -> None:
    if hung:
        nvml.hang(0, "nvmlDeviceGetUtilizationRates", 3600)
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout
    pid = int(await asyncio.wait_for(parent.stdout.readline(), 10))
    assert alive(pid)
    parent.kill()
    await parent.wait()
    assert await gone(pid)


async def test_without_a_driver_it_says_so_and_ends(nvml: NvmlControl) -> None:
    nvml.error(DRIVER, "nvmlInitWithFlags", DRIVER_NOT_LOADED)
    async with child() as running:
        said = [state async for state in states(running)]
        assert said[-1].end
        assert said[-1].end.reason == "unavailable"
        assert said[-1].end.message.startswith("nvmlInit: ")
        assert await gone(running.pid)


NOISY = """
import os, sys, threading
def shout():
    while True:
        os.write(1, b"libnvidia-ml: \\xff{\\"v\\":1}\\n" * 100)
threading.Thread(target=shout, daemon=True).start()
import runpy
sys.argv = ["child", *sys.argv[1:]]
runpy.run_module("tidegauge.sources.gpu.child", run_name="__main__")
"""


async def test_what_the_library_prints_is_no_part_of_what_is_said(
    nvml: NvmlControl, caplog: pytest.LogCaptureFixture
) -> None:
    running = await Child.start(
        QUICK, command=lambda settings, fd: (sys.executable, "-c", NOISY, settings, str(fd))
    )
    try:
        assert (await first(running)).devices[0].trouble is None
        assert [state async for state in _next(running, 3)]
    finally:
        await running.stop()
    printed = [r for r in caplog.records if r.getMessage() == "child printed"]
    assert 0 < len(printed) <= 20, "logged, but not all of it"


async def test_settings_that_are_none_end_it_with_a_word(caplog: pytest.LogCaptureFixture) -> None:
    running = await Child.start(QUICK, command=lambda _, fd: _bad(fd))
    assert await asyncio.wait_for(running.line(), 10) is None
    await asyncio.sleep(0.05)
    await running.stop()
    assert any("JSONDecodeError" in record.text for record in caplog.records)


def _bad(fd: int) -> tuple[str, ...]:
    return (sys.executable, "-m", "tidegauge.sources.gpu.child", "no settings", str(fd))


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_no_descriptor_is_left_open(nvml: NvmlControl) -> None:
    async with child() as running:
        await first(running)
    await asyncio.sleep(0.05)
    before = descriptors()
    for _ in range(3):
        async with child() as running:
            await running.line()
    await asyncio.sleep(0.05)
    assert descriptors() <= before


async def test_what_is_left_behind_holds_no_file_of_ours() -> None:
    """As a child in the kernel does: here it is another process that keeps the pipes open."""
    before = len(tuple(Path("/proc/self/fd").iterdir()))
    running = await Child.start(Settings(), command=lambda _, __: ("sh", "-c", "sleep 5 & exit"))
    await running._process.wait()
    await running.stop()
    await asyncio.sleep(0.05)
    assert running.status == 0
    assert len(tuple(Path("/proc/self/fd").iterdir())) <= before
