"""Every fault of a machine with GPUs, on a real child: no scrape fails, the rest is read.

Each call that NVML is asked gets a device of its own that fails in it, so that all of them fail
at the same time; the first device is healthy. The calls are those that the stand-in was asked, so
that a new one is covered from its first day.
"""

import asyncio
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
PATIENT = Limits(hung_seconds=60)
DEVICES = 60  # at most: the stand-in has 64
IDENTITY = ("nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetUUID")


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

    def values(self, metric: Metric) -> dict[tuple[str, ...], float]:
        samples = self.pipeline.snapshot().samples()
        return {s.labels: s.value for s in samples if s.metric is metric}

    def up(self) -> dict[int, float]:
        return {int(labels[0]): value for labels, value in self.values(catalog.UP).items()}

    def restarts(self, reason: str) -> float:
        return self.values(own.CHILD_RESTARTS).get((reason,), 0)

    async def until(self, true: Callable[[], bool], what: str, *, seconds: float = 15) -> None:
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
        assert running.slowest < 1, "a scrape waits for nothing"
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


async def asked(nvml: NvmlControl) -> list[str]:
    """Every call that a device can be asked: what is, and what is instead of it."""
    nvml.gpus(2)
    async with sidecar() as running:
        await running.until(lambda: running.up() == {0: 1, 1: 1}, "up")
        await asyncio.sleep(0.5)
        first = {call for gpu, call in nvml.calls() if gpu == "1"} - set(IDENTITY)
        for call in first:
            nvml.error(1, call, NOT_SUPPORTED)
        await asyncio.sleep(0.7)
    return sorted({call for gpu, call in nvml.calls() if gpu == "1"} - {IDENTITY[0]})


async def test_each_call_fails_in_each_way_and_the_others_are_read(
    nvml: NvmlControl, quiet: NvmlControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEGAUGE_NVML_CONTROL", str(nvml.path))
    calls = await asked(nvml)
    assert len(calls) >= 15
    monkeypatch.setenv("TIDEGAUGE_NVML_CONTROL", str(quiet.path))
    faulty = dict(enumerate(calls[:DEVICES], start=1))
    quiet.gpus(len(faulty) + 1)
    async with sidecar() as running:
        everything = range(len(faulty) + 1)
        all_up = dict.fromkeys(everything, 1)
        await running.until(lambda: running.up() == all_up, "all up")
        series = len(running.pipeline.snapshot().samples())
        for code in (GPU_IS_LOST, UNKNOWN, NO_PERMISSION, NOT_SUPPORTED):
            for gpu, call in faulty.items():
                quiet.error(gpu, call, code)
            before = running.values(own.ERRORS)
            await running.until(
                lambda before=before: _new(running.values(own.ERRORS), before) >= len(calls) * 0.8,
                f"{len(calls)} calls failing with {code}",
            )
            await asyncio.sleep(0.5)
            up = running.up()
            assert up[0] == 1, "the healthy one is read"
            assert running.values(catalog.POWER_LIMIT)[("0", uuid(0))] == 700
            quiet.heal()
            if code != NOT_SUPPORTED:  # that is remembered
                await running.until(lambda: running.up() == all_up, f"all up after {code}")
        assert running.restarts("exited") == 0
        assert series > 15 * len(everything)


def _new(now: dict[tuple[str, ...], float], before: dict[tuple[str, ...], float]) -> int:
    return sum(count > before.get(labels, 0) for labels, count in now.items())


async def test_each_call_hangs_and_the_others_are_read(
    nvml: NvmlControl, quiet: NvmlControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEGAUGE_NVML_CONTROL", str(nvml.path))
    calls = await asked(nvml)
    monkeypatch.setenv("TIDEGAUGE_NVML_CONTROL", str(quiet.path))
    faulty = dict(enumerate(calls[:DEVICES], start=1))
    quiet.gpus(len(faulty) + 1)
    async with sidecar() as running:
        all_up = dict.fromkeys(range(len(faulty) + 1), 1)
        await running.until(lambda: running.up() == all_up, "all up")
        for gpu, call in faulty.items():
            quiet.hang(gpu, call, 30)
        asked_again = {gpu for gpu, call in faulty.items() if call not in _once(calls)}
        await running.until(
            lambda: all(running.up()[gpu] == 0 for gpu in asked_again), "hung devices down"
        )
        assert running.up()[0] == 1
        assert running.values(own.CHILD_UP) == {(): 1}
        quiet.heal()
        await running.until(lambda: running.up() == all_up, "all up again")
        assert {running.restarts(reason) for reason in ("hung", "silent", "exited")} == {0}


def _once(calls: list[str]) -> set[str]:
    """Calls that are made when a device is opened, or instead of another one."""
    return {call for call in calls if call in ONCE}


ONCE = {
    "nvmlDeviceGetUUID",
    "nvmlDeviceGetName",
    "nvmlDeviceGetPciInfo_v3",
    "nvmlDeviceGetMemoryInfo",
    "nvmlDeviceGetTemperature/0",
    "nvmlDeviceGetCurrentClocksThrottleReasons",
}


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
            running.source.kill()
            await running.until(lambda died=died: running.restarts("exited") > died, "noticed")
            await running.until(
                lambda before=before: running.values(own.DRIVER_SECONDS)[()] > before, "on"
            )
        assert running.up()[0] == 1
