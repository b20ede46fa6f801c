"""The GPU source from NVML to samples, on a real child and the compiled stand-in."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.nvml.control import ANY_GPU, GPU_IS_LOST, NO_PERMISSION, UNKNOWN, NvmlControl, uuid
from tests.nvml.metrics import EVERY
from tidegauge.catalog import Metric, gpu_health, gpu_meters
from tidegauge.catalog import gpu as catalog
from tidegauge.catalog import nvml as own
from tidegauge.samples import Sample
from tidegauge.sources.gpu.settings import Settings
from tidegauge.sources.gpu.source import GpuSource
from tidegauge.sources.source import SourceError

QUICK = Settings(
    fast_seconds=0.1,
    medium_seconds=0.2,
    slow_seconds=0.3,
    timeout_seconds=0.5,
    publish_seconds=0.05,
    budget_ratio=1,
)


@asynccontextmanager
async def source(settings: Settings = QUICK) -> AsyncIterator[GpuSource]:
    made = GpuSource(settings)
    try:
        yield made
    finally:
        await made.close()


async def until(
    of: GpuSource, true: Callable[[Sequence[Sample]], bool], *, seconds: float = 10
) -> Sequence[Sample]:
    """The first reading of which that is true."""
    for _ in range(int(seconds / 0.02)):
        samples = await of.read()
        if true(samples):
            return samples
        await asyncio.sleep(0.02)
    pytest.fail(f"not so after {seconds} s; the last reading was {values(samples, catalog.UP)}")


def values(
    samples: Sequence[Sample], metric: Metric, *, gpu: int = 0
) -> dict[tuple[str, ...], object]:
    """The metric's values on one device, by the labels after `gpu` and `uuid`."""
    found = (s for s in samples if s.metric is metric and s.labels[0] == str(gpu))
    return {s.labels[2:]: s.value for s in found}


def ups(samples: Sequence[Sample]) -> dict[tuple[str, ...], object]:
    return {s.labels: s.value for s in samples if s.metric is catalog.UP}


async def test_a_healthy_gpu_gives_every_metric_and_how_it_was_had(nvml: NvmlControl) -> None:
    wanted = EVERY | {gpu_meters.BUSY, gpu_meters.SAMPLE_AGE, gpu_health.XID_ERRORS}
    async with source() as gpus:
        samples = await until(gpus, lambda seen: wanted <= {s.metric for s in seen})
    metrics = {s.metric for s in samples}
    assert metrics == wanted | set(own.METRICS)
    assert values(samples, catalog.POWER)["instant",] == 612.345
    assert values(samples, gpu_health.XID_ERRORS)["79",] == 0, "there before the first"
    assert {s.labels[:2] for s in samples if s.metric in wanted} == {("0", uuid(0))}


async def test_values_follow_the_device(nvml: NvmlControl) -> None:
    async with source() as gpus:
        await gpus.read()
        nvml.value(0, "nvmlDeviceGetUtilizationRates", 0, 100)
        await until(gpus, lambda seen: values(seen, catalog.UTILIZATION) == {(): 0})


async def test_no_series_is_given_twice(nvml: NvmlControl) -> None:
    async with source() as gpus:
        await until(gpus, lambda seen: bool(values(seen, gpu_health.ECC_ERRORS)))
        keys = [(s.metric, s.labels) for s in await gpus.read()]
    assert len(keys) == len(set(keys))


async def test_a_gpu_that_is_lost_in_the_middle_of_a_read_gives_no_half_reading(
    nvml: NvmlControl,
) -> None:
    async with source() as gpus:
        await gpus.read()
        nvml.error(0, "nvmlDeviceGetClockInfo/3", GPU_IS_LOST)
        down = await until(gpus, lambda seen: ups(seen) == {("0", uuid(0)): 0})
        await asyncio.sleep(0.5)
        assert ups(await gpus.read()) == {("0", uuid(0)): 0}, "it stays so"
    kept = {catalog.UP, gpu_meters.SAMPLE_AGE, gpu_meters.BUSY, gpu_health.XID_ERRORS}
    assert {s.metric for s in down if s.metric.labels[:1] == ("gpu",)} <= kept


async def test_a_gpu_lost_before_the_start_is_down_with_no_uuid(nvml: NvmlControl) -> None:
    nvml.lose(0)
    async with source() as gpus:
        assert ups(await gpus.read()) == {("0", ""): 0}
        nvml.heal()
        await until(gpus, lambda seen: ups(seen) == {("0", uuid(0)): 1})


async def test_a_gpu_whose_every_call_fails_is_down(nvml: NvmlControl) -> None:
    async with source() as gpus:
        await gpus.read()
        nvml.error(ANY_GPU, "*", UNKNOWN)
        await until(gpus, lambda seen: ups(seen) == {("0", uuid(0)): 0})


async def test_a_gpu_of_another_container_is_not_ours_to_report(nvml: NvmlControl) -> None:
    nvml.gpus(2)
    nvml.error(0, "nvmlDeviceGetHandleByIndex_v2", NO_PERMISSION)
    async with source() as gpus:
        samples = await gpus.read()
    assert {s.labels[0] for s in samples if s.metric.labels[:1] == ("gpu",)} == {"1"}


async def test_only_gpus_of_other_containers_is_as_good_as_none(nvml: NvmlControl) -> None:
    nvml.error(0, "nvmlDeviceGetHandleByIndex_v2", NO_PERMISSION)
    async with source() as gpus:
        with pytest.raises(SourceError, match="HandleByIndex on GPU 0: Insufficient") as raised:
            await gpus.read()
    assert raised.value.reason == "unavailable"


async def test_an_xid_is_counted_also_when_the_gpu_is_lost_and_the_child_is_a_new_one(
    nvml: NvmlControl,
) -> None:
    async with source() as gpus:
        await gpus.read()
        await until(gpus, lambda seen: bool(values(seen, gpu_health.XID_ERRORS)))
        nvml.xid(0, 79)
        await until(gpus, lambda seen: values(seen, gpu_health.XID_ERRORS).get(("79",)) == 1)
        nvml.lose(0)
        down = await until(gpus, lambda seen: ups(seen) == {("0", uuid(0)): 0})
        assert values(down, gpu_health.XID_ERRORS)["79",] == 1
        nvml.heal()
        nvml.reload()
        back = await until(
            gpus,
            lambda seen: (
                ups(seen) == {("0", uuid(0)): 1}
                and any(s.metric is own.CHILD_RESTARTS and s.value for s in seen)
            ),
        )
        assert values(back, gpu_health.XID_ERRORS)["79",] == 1
        assert values(back, gpu_health.XID_LAST)["79",] > 1.7e9


@pytest.mark.parametrize("asked", [True, False], ids=["opted in", "by default"])
async def test_processes_are_asked_for_only_where_wanted(nvml: NvmlControl, asked) -> None:
    nvml.processes(0, (4242, 1 << 30))
    async with source(replace(QUICK, processes=asked)) as gpus:
        await until(gpus, lambda seen: bool(values(seen, gpu_health.ECC_ERRORS)))
        names = {s.metric.name for s in await gpus.read()}
    assert ("llm_gpu_process_memory_bytes" in names) is asked


async def test_profiling_metrics_are_read_where_wanted(nvml: NvmlControl) -> None:
    async with source(replace(QUICK, gpm_seconds=0.1)) as gpus:
        await until(
            gpus, lambda seen: any(s.metric.name == "llm_gpu_sm_active_ratio" for s in seen)
        )


async def test_tiers_slow_down_where_the_driver_s_budget_asks_for_it(nvml: NvmlControl) -> None:
    def paces(samples: Sequence[Sample]) -> dict[str, float]:
        return {s.labels[0]: s.value for s in samples if s.metric is own.TIER_INTERVAL}

    async with source(replace(QUICK, budget_ratio=1e-5)) as gpus:
        samples = await until(gpus, lambda seen: paces(seen)["fast"] > 2 * QUICK.fast_seconds)
        assert values(samples, catalog.UTILIZATION), "slower, and still true"
    async with source() as gpus:
        samples = await until(gpus, lambda seen: bool(values(seen, gpu_health.ECC_ERRORS)))
        assert paces(samples)["fast"] == QUICK.fast_seconds
