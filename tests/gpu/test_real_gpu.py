"""What only a real driver can show. Skipped without one; `pytest -m gpu` runs these alone.

Each says what it would take for it to fail: the stand-in proves nothing about them.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pynvml
import pytest

from tidegauge.catalog import Metric, gpu_meters
from tidegauge.catalog import gpu as catalog
from tidegauge.catalog import nvml as own
from tidegauge.samples import Sample
from tidegauge.sources.gpu import nvml
from tidegauge.sources.gpu.device import Device
from tidegauge.sources.gpu.settings import Settings
from tidegauge.sources.gpu.source import GpuSource

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/dev/nvidiactl").exists(), reason="no NVIDIA driver here"),
]

WINDOW_SECONDS = 5.0


@asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[GpuSource]:
    source = GpuSource(settings)
    try:
        yield source
    finally:
        await source.close()


def values(samples: Sequence[Sample], metric: Metric) -> dict[tuple[str, ...], float]:
    return {s.labels: s.value for s in samples if s.metric is metric}


async def test_every_device_is_up_and_says_what_it_is() -> None:
    """Fails where NVML's ABI is not what pynvml and we think it is."""
    async with reading(Settings()) as source:
        samples = await source.read()
    assert set(values(samples, catalog.UP).values()) == {1}
    for labels in values(samples, catalog.INFO):
        said = dict(zip(catalog.INFO.labels, labels, strict=True))
        assert said["uuid"].startswith("GPU-")
        assert said["name"]
        assert said["driver"].count(".") >= 1
    for used in values(samples, catalog.MEMORY_USED).values():
        assert used > 0


async def test_energy_grows_as_power_says() -> None:
    """Fails where a unit is wrong: mJ, mW, or what the fields 83 and 186 mean."""
    settings = Settings(fast_seconds=0.1, window_seconds=WINDOW_SECONDS, budget_ratio=1)
    async with reading(settings) as source:
        before = values(await source.read(), catalog.ENERGY)
        joules = dict(before)
        for _ in range(30):
            await asyncio.sleep(0.5)
            samples = await source.read()
            now = values(samples, catalog.ENERGY)
            assert all(now[labels] >= joules[labels] for labels in now), "it never goes back"
            joules = now
    means = {
        labels[:2]: watts
        for labels, watts in values(samples, gpu_meters.POWER_WINDOW).items()
        if labels[2] == "mean"
    }
    for labels, grown in joules.items():
        assert (grown - before[labels]) / 15 == pytest.approx(means[labels], rel=0.3, abs=10)


async def test_calls_cost_less_than_the_budget() -> None:
    """Fails where a real driver is so slow that 1 Hz does not fit into 1 % of a second."""
    async with reading(Settings()) as source:
        first = await source.read()
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(35)
        samples = await source.read()
        seconds = asyncio.get_running_loop().time() - began
    spent = values(samples, own.DRIVER_SECONDS)[()] - values(first, own.DRIVER_SECONDS)[()]
    assert spent / seconds <= Settings().budget_ratio
    assert values(samples, own.TIER_INTERVAL)["fast",] == Settings().fast_seconds


def test_the_ring_is_in_watts_and_shares_and_in_order() -> None:
    """Fails where a sample's unit, type or clock is not what is documented."""
    if hasattr(pynvml.nvmlLib, "tidegauge_nvml_stand_in"):
        pytest.skip("an earlier test loaded the stand-in; run this one by itself")
    nvml.open_library()
    device = Device(0, driver_version=nvml.driver_version())
    device.read("fast")
    watts = device.ring("power", 0)
    shares = device.ring("utilization", 0)
    nvml.close_library()
    if not watts:
        pytest.skip("this device keeps no ring of power")
    times = [at for at, _ in watts]
    assert times == sorted(times)
    assert 0 < times[-1] - times[0] < 600_000_000, "µs"
    assert all(1 < value < 2000 for _, value in watts)
    assert all(0 <= value <= 1 for _, value in shares)


async def test_a_child_that_ends_leaves_the_driver_as_it_was() -> None:
    """Fails where a process that ends without nvmlShutdown leaves something behind."""
    for _ in range(5):
        async with reading(Settings(publish_seconds=0.1)) as source:
            assert set(values(await source.read(), catalog.UP).values()) == {1}
