"""NVML calls that do not return: bounded in time, never queued, and no reason not to exit."""

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.nvml.control import DRIVER, NvmlControl, uuid
from tests.nvml.metrics import EVERY
from tidegauge.catalog import gpu as catalog
from tidegauge.samples import Sample
from tidegauge.sources.gpu import GpuSource
from tidegauge.sources.source import SourceError

RATES = "nvmlDeviceGetUtilizationRates"
LAST = "nvmlDeviceGetCurrPcieLinkWidth"
HOURS = 7200.0


class Clock:
    """Time as the source sees it, so that patience runs out when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def give_up(source: GpuSource, nvml: NvmlControl, *calls: tuple[str, str]) -> None:
    """Start a read and cancel it once it has made these calls."""
    before = nvml.calls()
    reading = asyncio.create_task(source.read())
    for _ in range(500):
        if all(nvml.calls()[call] > before[call] for call in calls):
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)  # a device that does not hang ends its read
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def refusal(source: GpuSource) -> SourceError:
    with pytest.raises(SourceError) as raised:
        await source.read()
    return raised.value


async def until_up(source: GpuSource) -> list[Sample]:
    """The first reading in which every GPU is up; a call that was let go takes a moment."""
    for _ in range(200):
        try:
            samples = list(await source.read())
        except SourceError:
            samples = []
        if samples and all(s.value == 1.0 for s in samples if s.metric is catalog.UP):
            return samples
        await asyncio.sleep(0.01)
    pytest.fail("not every GPU is up after 2 s")


async def test_a_hung_gpu_costs_its_own_series_only_and_comes_back(nvml: NvmlControl) -> None:
    nvml.gpus(2)
    clock = Clock()
    source = GpuSource(timeout_seconds=HOURS, clock=clock)
    healthy = await source.read()
    nvml.hang(1, RATES, HOURS)
    await give_up(source, nvml, ("0", LAST), ("1", RATES))
    clock.now = HOURS

    hung = await source.read()
    nvml.heal()

    assert [s for s in hung if s.labels[0] == "1"] == [Sample(catalog.UP, 0.0, ("1", uuid(1)))]
    assert [s for s in hung if s.labels[0] == "0"] == [s for s in healthy if s.labels[0] == "0"]
    assert await until_up(source) == healthy


async def test_a_gpu_that_hangs_is_not_waited_for_or_asked_again(nvml: NvmlControl) -> None:
    nvml.gpus(2)
    clock = Clock()
    source = GpuSource(timeout_seconds=HOURS, clock=clock)
    nvml.hang(1, RATES, HOURS)
    await give_up(source, nvml, ("0", LAST), ("1", RATES))
    clock.now = HOURS

    before = nvml.calls()
    for _ in range(5):
        await source.read()

    assert nvml.calls()["1", RATES] == before["1", RATES] == 1
    assert nvml.calls()["0", RATES] == before["0", RATES] + 5


async def test_a_read_ends_when_its_patience_does(nvml: NvmlControl) -> None:
    nvml.hang(0, RATES, HOURS)
    started = time.monotonic()

    error = await refusal(GpuSource(timeout_seconds=0.2))

    assert 0.2 <= time.monotonic() - started < 10
    assert error.reason == "timeout"


async def test_where_every_gpu_hangs_the_source_says_which_calls(nvml: NvmlControl) -> None:
    nvml.gpus(2)
    nvml.hang(0, RATES, HOURS)
    nvml.hang(1, "nvmlDeviceGetUUID", HOURS)
    clock = Clock()
    source = GpuSource(timeout_seconds=HOURS, clock=clock)
    await give_up(source, nvml, ("0", RATES), ("1", "nvmlDeviceGetUUID"))
    clock.now = HOURS + 30

    error = await refusal(source)

    assert error.reason == "timeout"
    assert str(error) == (
        f"{RATES} on GPU 0 has not returned for 7230.0 s; "
        "nvmlDeviceGetUUID on GPU 1 has not returned for 7230.0 s"
    )


async def test_a_gpu_that_was_there_is_down_and_not_gone_when_nothing_can_be_read(
    nvml: NvmlControl,
) -> None:
    nvml.gpus(2)
    source = GpuSource(timeout_seconds=0.2)
    assert source.unread() == []
    await source.read()
    for gpu in (0, 1):
        nvml.hang(gpu, RATES, HOURS)
    with pytest.raises(SourceError):
        await source.read()
    down = {(sample.labels[0], sample.value) for sample in source.unread()}
    assert down == {("0", 0), ("1", 0)}
    nvml.heal()
    await source.close()


async def test_opening_that_hangs_is_a_timeout_and_opens_once(nvml: NvmlControl) -> None:
    nvml.hang(DRIVER, "nvmlInitWithFlags", HOURS)
    source = GpuSource(timeout_seconds=0.2)

    errors = [await refusal(source) for _ in range(3)]
    nvml.heal()
    samples = await until_up(source)

    assert {error.reason for error in errors} == {"timeout"}
    assert str(errors[0]).startswith("nvmlInit has not returned for ")
    assert {sample.metric for sample in samples} == EVERY
    assert nvml.calls()[DRIVER, "nvmlInitWithFlags"] == 1


async def test_reads_that_are_given_up_start_no_more_threads(nvml: NvmlControl) -> None:
    nvml.hang(0, RATES, HOURS)
    source = GpuSource(timeout_seconds=HOURS)
    await give_up(source, nvml, ("0", RATES))
    threads = threading.active_count()

    for _ in range(5):
        await give_up(source, nvml)

    assert threading.active_count() == threads
    assert nvml.calls()["0", RATES] == 1


async def test_the_event_loop_goes_on_while_a_call_hangs(nvml: NvmlControl) -> None:
    nvml.hang(0, RATES, HOURS)
    reading = asyncio.create_task(GpuSource(timeout_seconds=0.3).read())

    ticks = 0
    while not reading.done():
        await asyncio.sleep(0.01)
        ticks += 1

    assert ticks > 5
    assert isinstance(reading.exception(), SourceError)


EXITS = """
import asyncio
from tidegauge.sources.gpu import GpuSource
from tidegauge.sources.source import SourceError

async def main():
    try:
        await GpuSource(timeout_seconds=0.2).read()
    except SourceError as error:
        print(error.reason)

asyncio.run(main())
"""


def test_a_hung_call_does_not_block_exit(nvml: NvmlControl, nvml_library: Path) -> None:
    nvml.hang(0, RATES, HOURS)

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EXITS],
        env={**nvml.environment(nvml_library), "PYTHONPATH": "exporter"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=20,  # an exit that waits for the call takes two hours
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "timeout\n", "")
