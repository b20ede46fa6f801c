"""Every fault of a machine with GPUs, on a real child: no scrape fails, the rest is read.

Each call that NVML is asked gets a device of its own that fails in it, so that all of them fail
at the same time; the first device is healthy. The calls are those that the stand-in was asked, so
that a new one is covered from its first day.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.nvml.control import (
    GPU_IS_LOST,
    NO_PERMISSION,
    NOT_SUPPORTED,
    UNKNOWN,
    Instance,
    NvmlControl,
    uuid,
)
from tidegauge.catalog import Metric
from tidegauge.catalog import gpu as catalog
from tidegauge.catalog import nvml as own
from tidegauge.exposition import render
from tidegauge.pipeline import Pipeline, Schedule
from tidegauge.sources.gpu.restarts import Limits
from tidegauge.sources.gpu.settings import Settings
from tidegauge.sources.gpu.source import GpuSource

QUICK = Settings(
    fast_seconds=0.1,
    medium_seconds=0.2,
    slow_seconds=0.3,
    gpm_seconds=0.3,
    processes=True,
    budget_ratio=1,
    timeout_seconds=0.5,
    publish_seconds=0.05,
)
PATIENT = Limits(hung_seconds=60, silent_seconds=60)
HANG_SECONDS = 30  # what hangs in these tests hangs for no less
DEVICES = 60  # at most: the stand-in has 64


class Sidecar:
    """A pipeline that reads, and a scraper that never pauses; `failed` scrapes are kept."""

    def __init__(self, settings: Settings, limits: Limits) -> None:
        self.source = GpuSource(settings, limits)
        self.pipeline = Pipeline([Schedule(self.source, 0.05, 30)])
        self.scrapes = 0
        self.slowest = 0.0

    async def scrape(self) -> None:
        while True:
            started = time.monotonic()
            assert render(self.pipeline.snapshot().samples())
            self.slowest = max(self.slowest, time.monotonic() - started)
            self.scrapes += 1
            await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """End the child, once there is one."""
        await self.until(lambda: self.source._supervisor.pid is not None, "a child")
        os.kill(self.source._supervisor.pid, signal.SIGKILL)

    def values(self, metric: Metric) -> dict[tuple[str, ...], float]:
        samples = self.pipeline.snapshot().samples()
        return {s.labels: s.value for s in samples if s.metric is metric}

    def up(self) -> dict[int, float]:
        return {int(labels[0]): value for labels, value in self.values(catalog.UP).items()}

    def restarts(self, reason: str) -> float:
        return self.values(own.CHILD_RESTARTS).get((reason,), 0)

    async def until(self, true: Callable[[], bool], what: str, *, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"not {what} after {seconds} s: {self.up()}"
            await asyncio.sleep(0.02)


@asynccontextmanager
async def sidecar(settings: Settings = QUICK, limits: Limits = PATIENT) -> AsyncIterator[Sidecar]:
    """Scraped all the time; at the end no scrape has failed and the first GPU was read."""
    running = Sidecar(settings, limits)
    tasks = [asyncio.create_task(running.pipeline.run()), asyncio.create_task(running.scrape())]
    try:
        yield running
        assert not tasks[1].done(), f"a scrape failed: {tasks[1].exception()!r}"
        assert running.scrapes > 3
        assert running.slowest < HANG_SECONDS / 2, "a scrape waits for nothing that hangs"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def quiet(nvml: NvmlControl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NvmlControl:
    """A machine of three GPUs that keeps no log, and is fast."""
    control = NvmlControl(tmp_path / "quiet", gpus=3, log=False)
    monkeypatch.setenv("TIDEGAUGE_NVML_CONTROL", str(control.path))
    return control


async def asked(nvml: NvmlControl) -> tuple[list[str], list[str]]:
    """What the stand-in is asked of a device: all of it, and what it is asked again and again.

    The second device supports nothing, so that it is asked what it could be asked instead.
    """
    nvml.gpus(2)
    nvml.processes(0, (4242, 1 << 30))
    async with sidecar() as running:
        await running.until(lambda: running.up() == {0: 1, 1: 1}, "up")
        await asyncio.sleep(0.3)
        for call in {call for gpu, call in nvml.calls() if gpu == "1"}:
            nvml.error(1, call, NOT_SUPPORTED)
        await asyncio.sleep(1)
    counts = nvml.calls()
    again = sorted(call for (gpu, call), n in counts.items() if gpu == "0" and n > 2)
    return sorted({call for gpu, call in counts if gpu in "01"}), again


@pytest.fixture(scope="module")
def calls(
    nvml_library: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[str], list[str]]:
    """As `asked`, once for all tests."""
    control = NvmlControl(tmp_path_factory.mktemp("asked") / "nvml-control")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in control.environment(nvml_library).items():
            patch.setenv(name, value)
        return asyncio.run(asked(control))


def spread(quiet: NvmlControl, calls: list[str]) -> dict[int, str]:
    """A device for each call, beside the healthy first one; calls beyond the last share."""
    faulty = {1 + place % DEVICES: call for place, call in enumerate(calls)}
    quiet.gpus(len(faulty) + 1)
    return faulty


async def test_each_call_fails_in_each_way_and_the_others_are_read(
    quiet: NvmlControl, calls: tuple[list[str], list[str]]
) -> None:
    every, again = calls
    assert len(every) > 60
    assert len(again) > 30
    faulty = spread(quiet, again)
    all_up = dict.fromkeys(range(len(faulty) + 1), 1)
    async with sidecar() as running:
        await running.until(lambda: running.up() == all_up, "all up")
        healthy = of_first(running)
        # A GPM metric has a code of its own, and costs nothing but itself whatever that says.
        lost = all_up | {g: 0 for g, call in faulty.items() if "GpmMetricsGet/" not in call}
        for code in (GPU_IS_LOST, UNKNOWN, NO_PERMISSION, NOT_SUPPORTED):
            with quiet.together():
                for gpu, call in faulty.items():
                    quiet.error(gpu, call, code)
            if code == GPU_IS_LOST:
                await running.until(lambda: running.up() == lost, "lost")
            await asyncio.sleep(0.5)
            await running.until(
                lambda: running.up()[0] == 1 and of_first(running) >= healthy, "the healthy one up"
            )
            quiet.heal()
            await running.until(lambda: running.up() == all_up, f"all up after {code}")
        failed = {labels[1] for labels, n in running.values(own.ERRORS).items() if n}
        assert failed >= {"gpu_is_lost", "unknown", "no_permission", "not_supported"}
        assert sum(running.values(own.CHILD_RESTARTS).values()) == 0


def of_first(running: Sidecar) -> set[tuple[str, tuple[str, ...]]]:
    """The series of the first device."""
    samples = running.pipeline.snapshot().samples()
    device = (s for s in samples if s.metric.labels[:1] == ("gpu",) and s.labels[0] == "0")
    return {(s.metric.name, s.labels) for s in device}


@pytest.mark.parametrize(
    "code",
    [
        GPU_IS_LOST,
        pytest.param(NOT_SUPPORTED, marks=pytest.mark.slow),
        pytest.param(UNKNOWN, marks=pytest.mark.slow),
        pytest.param(NO_PERMISSION, marks=pytest.mark.slow),
    ],
)
async def test_each_call_fails_from_the_start_and_the_others_are_read(
    quiet: NvmlControl, calls: tuple[list[str], list[str]], code: int
) -> None:
    faulty = spread(quiet, calls[0])
    with quiet.together():
        for gpu, call in faulty.items():
            quiet.error(gpu, call, code)
    async with sidecar() as running:
        await running.until(lambda: running.up().get(0) == 1, "up")
        await asyncio.sleep(0.7)
        await running.until(lambda: running.up().get(0) == 1, "up still")
        quiet.heal()
        all_up = dict.fromkeys(range(len(faulty) + 1), 1)
        await running.until(lambda: running.up() == all_up, "all up")


@pytest.mark.parametrize("when", ["from the start", "in the middle"])
async def test_each_call_hangs_and_the_others_are_read(
    quiet: NvmlControl, calls: tuple[list[str], list[str]], when: str
) -> None:
    every, again = calls
    faulty = spread(quiet, every if when == "from the start" else again)
    all_up = dict.fromkeys(range(len(faulty) + 1), 1)
    async with sidecar() as running:
        if when == "in the middle":
            await running.until(lambda: running.up() == all_up, "all up")
        with quiet.together():
            for gpu, call in faulty.items():
                quiet.hang(gpu, call, HANG_SECONDS)
        if when == "in the middle":
            down = {0: 1} | dict.fromkeys(faulty, 0)
            await running.until(lambda: running.up() == down, "hung devices down")
        await running.until(lambda: running.up().get(0) == 1, "up")
        await asyncio.sleep(0.7)
        await running.until(lambda: running.up().get(0) == 1, "up still")
        assert running.values(own.CHILD_UP) == {(): 1}
        quiet.heal()
        await running.until(lambda: running.up() == all_up, "all up again")
        assert sum(running.values(own.CHILD_RESTARTS).values()) == 0


async def test_a_device_that_hangs_for_long_has_the_child_started_anew(quiet: NvmlControl) -> None:
    limits = Limits(hung_seconds=0.5, longest_seconds=30)
    async with sidecar(limits=limits) as running:
        await running.until(lambda: running.up() == {0: 1, 1: 1, 2: 1}, "all up")
        quiet.hang(1, "nvmlDeviceGetUtilizationRates", 3600)
        await running.until(lambda: running.restarts("hung") == 1, "started anew")
        await running.until(lambda: running.up() == {0: 1, 1: 0, 2: 1}, "the others up")
        quiet.heal()
        await running.until(lambda: running.up() == {0: 1, 1: 1, 2: 1}, "all up again")
        assert running.restarts("hung") == 1


async def test_a_driver_that_is_replaced_is_read_by_a_new_process(quiet: NvmlControl) -> None:
    async with sidecar(limits=Limits(first_seconds=0.1)) as running:
        await running.until(lambda: running.up() == {0: 1, 1: 1, 2: 1}, "all up")
        first = running.values(own.DRIVER_SECONDS)[()]
        quiet.reload()
        await running.until(lambda: running.restarts("driver") == 1, "started anew")
        await asyncio.sleep(0.5)
        await running.until(lambda: running.up() == {0: 1, 1: 1, 2: 1}, "all up again")
        assert running.values(own.DRIVER_SECONDS)[()] > first, "counters go on"


async def test_gpus_that_are_added_and_removed_are_noticed(quiet: NvmlControl) -> None:
    async with sidecar(limits=Limits(first_seconds=0.1)) as running:
        await running.until(lambda: running.up() == {0: 1, 1: 1, 2: 1}, "all up")
        quiet.gpus(4)
        await running.until(lambda: running.up() == {0: 1, 1: 1, 2: 1, 3: 1}, "one more")
        quiet.gpus(2)
        await running.until(lambda: running.up() == {0: 1, 1: 1, 2: 0, 3: 0}, "two fewer, down")
        assert running.restarts("devices") == 2


async def test_a_lost_gpu_is_down_and_its_return_is_noticed(quiet: NvmlControl) -> None:
    limits = Limits(hung_seconds=0.5)
    async with sidecar(limits=limits) as running:
        await running.until(lambda: running.up() == {0: 1, 1: 1, 2: 1}, "all up")
        quiet.lose(1)
        await running.until(lambda: running.up() == {0: 1, 1: 0, 2: 1}, "one down")
        await running.until(lambda: running.restarts("lost") == 1, "a new process looks for it")
        quiet.heal()
        await running.until(lambda: running.up() == {0: 1, 1: 1, 2: 1}, "back")


async def test_a_child_that_dies_is_replaced_and_its_counters_go_on(quiet: NvmlControl) -> None:
    async with sidecar(limits=Limits(first_seconds=0.1)) as running:
        await running.until(lambda: running.up() == {0: 1, 1: 1, 2: 1}, "all up")
        await asyncio.sleep(0.5)
        for _ in range(2):
            before = running.values(own.DRIVER_SECONDS)[()]
            died = running.restarts("exited")
            await running.kill()
            await running.until(lambda died=died: running.restarts("exited") > died, "noticed")
            await running.until(
                lambda before=before: running.values(own.DRIVER_SECONDS)[()] > before, "on"
            )
        await running.until(lambda: running.up()[0] == 1, "up")


async def test_mig_that_is_switched_on_and_off_is_read_by_a_new_process(quiet: NvmlControl) -> None:
    async with sidecar(limits=Limits(first_seconds=0.1)) as running:
        await running.until(lambda: running.up() == {0: 1, 1: 1, 2: 1}, "all up")
        quiet.mig(1, Instance(1, 0))
        await running.until(
            lambda: ("1", uuid(1), "1", "0") in running.values(catalog.MEMORY_USED), "cut up"
        )
        await running.until(lambda: running.restarts("mig") == 1, "started anew")
        await running.until(lambda: running.up() == {0: 1, 1: 1, 2: 1}, "all up")
        quiet.no_mig(1)
        await running.until(lambda: running.restarts("mig") == 2, "started anew")
        await running.until(
            lambda: ("1", uuid(1), "1", "0") not in running.values(catalog.MEMORY_USED), "whole"
        )
        await running.until(lambda: running.up() == {0: 1, 1: 1, 2: 1}, "all up again")
