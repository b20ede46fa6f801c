"""NVML calls that do not return: bounded in time, and no reason not to exit."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.nvml.control import DRIVER, NvmlControl, uuid
from tidegauge.catalog import gpu as catalog
from tidegauge.catalog import gpu_meters
from tidegauge.catalog import nvml as own
from tidegauge.catalog.gpu_health import XID_ERRORS
from tidegauge.samples import Sample
from tidegauge.sources.gpu.restarts import Limits
from tidegauge.sources.gpu.settings import Settings
from tidegauge.sources.gpu.source import GpuSource
from tidegauge.sources.source import SourceError

UTILIZATION = "nvmlDeviceGetUtilizationRates"
HOURS = 7200.0
QUICK = Settings(
    fast_seconds=0.1, medium_seconds=0.1, publish_seconds=0.05, timeout_seconds=0.3, budget_ratio=1
)
PATIENT = Limits(hung_seconds=HOURS)


def ups(samples: tuple[Sample, ...]) -> dict[str, object]:
    return {s.labels[0]: s.value for s in samples if s.metric is catalog.UP}


async def until(source: GpuSource, expected: dict[str, float]) -> tuple[Sample, ...]:
    """The first reading in which these GPUs are up and down."""
    seen: tuple[Sample, ...] = ()
    for _ in range(500):
        try:
            seen = tuple(await source.read())
        except SourceError:
            seen = tuple(source.unread())
        if ups(seen) == expected:
            return seen
        await asyncio.sleep(0.02)
    pytest.fail(f"{ups(seen)} after 10 s, not {expected}")


async def refusal(source: GpuSource) -> SourceError:
    """The first reading that fails."""
    for _ in range(500):
        try:
            await source.read()
        except SourceError as error:
            return error
        await asyncio.sleep(0.02)
    pytest.fail("no reading failed in 10 s")


async def test_a_hung_gpu_costs_its_own_series_only_and_comes_back(nvml: NvmlControl) -> None:
    nvml.gpus(2)
    source = GpuSource(QUICK, PATIENT)
    await source.read()
    nvml.hang(1, UTILIZATION, HOURS)
    hung = await until(source, {"0": 1, "1": 0})
    now = {s.metric for s in hung if s.labels[:2] == ("1", uuid(1)) and s.metric.kind == "gauge"}
    assert now <= {catalog.UP, gpu_meters.SAMPLE_AGE}
    assert any(s.metric is catalog.POWER for s in hung if s.labels[:1] == ("0",))
    nvml.heal()
    await until(source, {"0": 1, "1": 1})
    await source.close()


async def test_a_gpu_that_hangs_is_not_asked_again_and_the_others_are(nvml: NvmlControl) -> None:
    nvml.gpus(2)
    source = GpuSource(QUICK, PATIENT)
    nvml.hang(1, UTILIZATION, HOURS)
    await until(source, {"0": 1, "1": 0})
    before = nvml.calls()
    await asyncio.sleep(0.5)
    after = nvml.calls()
    assert after["1", UTILIZATION] == before["1", UTILIZATION] == 1
    assert after["0", UTILIZATION] >= before["0", UTILIZATION] + 3
    await source.close()


async def test_where_every_gpu_hangs_the_source_says_which_calls(nvml: NvmlControl) -> None:
    nvml.gpus(2)
    nvml.hang(0, UTILIZATION, HOURS)
    nvml.hang(1, "nvmlDeviceGetUUID", HOURS)
    source = GpuSource(QUICK, PATIENT)
    started = time.monotonic()
    error = await refusal(source)
    assert time.monotonic() - started < 5
    await source.close()
    assert (error.reason, str(error)) == (
        "timeout",
        f"{UTILIZATION} on GPU 0 has not returned; nvmlDeviceGetUUID on GPU 1 has not returned",
    )


async def test_gpus_that_were_there_are_down_and_not_gone(nvml: NvmlControl) -> None:
    nvml.gpus(2)
    source = GpuSource(QUICK, PATIENT)
    assert ups(tuple(source.unread())) == {}
    await source.read()
    nvml.hang("*", UTILIZATION, HOURS)
    await refusal(source)
    assert ups(tuple(source.unread())) == {"0": 0, "1": 0}
    await source.close()


async def test_opening_that_hangs_is_a_timeout_and_the_child_goes_on_when_it_returns(
    nvml: NvmlControl,
) -> None:
    nvml.hang(DRIVER, "nvmlInitWithFlags", HOURS)
    source = GpuSource(QUICK, PATIENT)
    error = await refusal(source)
    nvml.heal()
    await until(source, {"0": 1})
    await source.close()
    assert (error.reason, str(error)) == ("timeout", "nvmlInit has not returned")
    assert nvml.calls()[DRIVER, "nvmlInitWithFlags"] == 1


async def test_opening_that_hangs_for_long_is_tried_by_a_new_child(nvml: NvmlControl) -> None:
    nvml.hang(DRIVER, "nvmlInitWithFlags", HOURS)
    source = GpuSource(QUICK, Limits(hung_seconds=0.5))
    await refusal(source)
    for _ in range(500):
        counts = {s.labels: s.value for s in source.unread() if s.metric is own.CHILD_RESTARTS}
        if counts["hung",]:
            break
        await asyncio.sleep(0.02)
    nvml.heal()
    await until(source, {"0": 1})
    await source.close()
    assert counts["hung",] >= 1


async def test_the_event_loop_goes_on_while_a_call_hangs(nvml: NvmlControl) -> None:
    nvml.hang(0, UTILIZATION, HOURS)
    source = GpuSource(QUICK, PATIENT)
    reading = asyncio.create_task(source.read())
    ticks = 0
    while not reading.done():
        await asyncio.sleep(0.01)
        ticks += 1
    await source.close()
    assert ticks > 5
    assert isinstance(reading.exception(), SourceError)


EXITS = """
import asyncio
from tidegauge.sources.gpu.settings import Settings
from tidegauge.sources.gpu.source import GpuSource
from tidegauge.sources.source import SourceError

async def main():
    source = GpuSource(Settings(timeout_seconds=0.2))
    try:
        await source.read()
    except SourceError as error:
        print(error.reason)
    await source.close()

asyncio.run(main())
"""


def test_a_hung_call_does_not_block_exit(nvml: NvmlControl) -> None:
    nvml.hang(0, UTILIZATION, HOURS)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EXITS],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=20,  # an exit that waits for the call takes two hours
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "timeout\n", "GPU silent\n")


async def test_a_gpu_that_hangs_from_the_start_does_not_silence_the_xids_of_the_others(
    nvml: NvmlControl,
) -> None:
    nvml.gpus(2)
    nvml.hang(0, "nvmlDeviceGetUUID", HOURS)
    source = GpuSource(QUICK, PATIENT)
    await until(source, {"0": 0, "1": 1})
    await asyncio.sleep(1.2)  # when it is known that one hangs, the others are listened to
    nvml.xid(1, 79)
    labels = ("1", uuid(1), "79")
    for _ in range(300):
        seen = {s.labels: s.value for s in await source.read() if s.metric is XID_ERRORS}
        if seen[labels]:
            break
        await asyncio.sleep(0.02)
    assert seen[labels] == 1
    await source.close()
