"""The GPU source against the compiled stand-in: values, what is unsupported, what is lost."""

import pytest

from tests.nvml.control import (
    ANY_GPU,
    FUNCTION_NOT_FOUND,
    GPU_IS_LOST,
    NO_PERMISSION,
    NOT_SUPPORTED,
    UNKNOWN,
    NvmlControl,
    uuid,
)
from tests.nvml.metrics import EVERY
from tidegauge.catalog import Metric, gpu_health, gpu_links
from tidegauge.catalog import gpu as catalog
from tidegauge.samples import Distribution, Sample
from tidegauge.sources.gpu import GpuSource
from tidegauge.sources.gpu.calls import REASONS
from tidegauge.sources.source import SourceError

Series = dict[tuple[str, ...], float | Distribution]

WHOLE = ("", "")


def of(samples: list[Sample], metric: Metric, *, gpu: int = 0) -> Series:
    """The metric's values on one device, by the labels after `gpu` and `uuid`."""
    return {
        sample.labels[2:]: sample.value
        for sample in samples
        if sample.metric is metric and sample.labels[0] == str(gpu)
    }


async def read(source: GpuSource) -> list[Sample]:
    return list(await source.read())


@pytest.mark.parametrize(
    "metric, expected",
    [
        (catalog.UP, {(): 1.0}),
        (
            catalog.INFO,
            {
                (
                    *("NVIDIA H100 80GB HBM3", "00000000:01:00.0", "580.126.20", "13.0"),
                    *("off", "on", "on", "off"),
                ): 1.0
            },
        ),
        (catalog.UTILIZATION, {(): 0.87}),
        (catalog.MEMORY_UTILIZATION, {(): 0.41}),
        (catalog.MEMORY_TOTAL, {WHOLE: 85_520_809_984.0}),
        (catalog.MEMORY_RESERVED, {WHOLE: 603_979_776.0}),
        (catalog.MEMORY_FREE, {WHOLE: 24_916_830_208.0}),
        (catalog.MEMORY_USED, {WHOLE: 60_000_000_000.0}),
        (catalog.POWER, {("instant",): 612.345, ("average",): 598.0}),
        (catalog.POWER_LIMIT, {(): 700.0}),
        (catalog.ENERGY, {(): 98_765_432.109}),
        (catalog.TEMPERATURE, {("core",): 64.0, ("memory",): 71.0, ("margin",): 23.0}),
        (catalog.FAN, {(): 0.35}),
        (
            catalog.CLOCK,
            {("graphics",): 1.755e9, ("sm",): 1.77e9, ("memory",): 2.619e9, ("video",): 1.545e9},
        ),
        (
            catalog.THROTTLED,
            {(reason,): float(reason == "sw_power_cap") for _, reason in REASONS},
        ),
        (
            catalog.THROTTLE_SECONDS,
            {
                ("sw_power_cap",): 12.5,
                ("sync_boost",): 0.0,
                ("board_limit",): 0.75,
                ("reliability",): 0.0,
                ("sw_thermal_slowdown",): 3.25,
                ("hw_thermal_slowdown",): 0.001,
                ("hw_power_brake_slowdown",): 0.0,
            },
        ),
        (gpu_links.PCIE_BYTES, {("tx",): 4e9, ("rx",): 1.5e9}),
        (gpu_links.PCIE_GENERATION, {(): 5.0}),
        (gpu_links.PCIE_WIDTH, {(): 16.0}),
        (gpu_links.PCIE_REPLAYS, {(): 7.0}),
        (gpu_links.NVLINK_BYTES, {("tx",): 2_048_000_000.0, ("rx",): 3_072_000_000.0}),
        (
            gpu_links.NVLINK_ERRORS,
            {("crc_flit",): 4.0, ("crc_data",): 0.0, ("replay",): 2.0, ("recovery",): 1.0},
        ),
        (
            gpu_health.ECC_ERRORS,
            {
                ("corrected", "volatile"): 3.0,
                ("uncorrected", "volatile"): 0.0,
                ("corrected", "aggregate"): 17.0,
                ("uncorrected", "aggregate"): 1.0,
            },
        ),
        (gpu_health.REMAPPED_ROWS, {("correctable",): 2.0, ("uncorrectable",): 1.0}),
        (gpu_health.ROW_REMAP_PENDING, {(): 1.0}),
        (gpu_health.ROW_REMAP_FAILED, {(): 0.0}),
        (gpu_health.RECOVERY_ACTION, {(): 1.0}),
    ],
    ids=lambda value: value.name if isinstance(value, Metric) else "in base units",
)
async def test_a_healthy_gpu_gives_every_metric_in_base_units(
    nvml: NvmlControl, metric: Metric, expected: Series
) -> None:
    samples = await read(GpuSource())

    assert of(samples, metric) == pytest.approx(expected)
    assert {sample.metric for sample in samples} == EVERY
    assert {sample.labels[:2] for sample in samples} == {("0", uuid(0))}


async def test_values_follow_the_device(nvml: NvmlControl) -> None:
    source = GpuSource()
    await read(source)
    nvml.value(0, "nvmlDeviceGetUtilizationRates", 0, 100)

    samples = await read(source)

    assert of(samples, catalog.UTILIZATION) == {(): 0.0}
    assert of(samples, catalog.MEMORY_UTILIZATION) == {(): 1.0}


async def test_each_of_eight_gpus_has_its_own_series(nvml: NvmlControl) -> None:
    nvml.gpus(8)
    for gpu in range(8):
        nvml.value(gpu, "nvmlDeviceGetFieldValues/186", gpu * 1000)

    samples = await read(GpuSource())

    for gpu in range(8):
        assert of(samples, catalog.POWER, gpu=gpu)[("instant",)] == float(gpu)
    assert len({sample.labels[1] for sample in samples}) == 8


ENERGY, INSTANT = "nvmlDeviceGetFieldValues/83", "nvmlDeviceGetFieldValues/186"
UNSUPPORTED = [
    ("nvmlDeviceGetUtilizationRates", {catalog.UTILIZATION, catalog.MEMORY_UTILIZATION}),
    (INSTANT, set[Metric]()),
    ("nvmlDeviceGetEnforcedPowerLimit", {catalog.POWER_LIMIT}),
    (ENERGY, set[Metric]()),
    ("nvmlDeviceGetMemoryInfo_v2", {catalog.MEMORY_RESERVED}),
    ("nvmlDeviceGetTemperatureV/0", set[Metric]()),
    ("nvmlDeviceGetCurrentClocksEventReasons", set[Metric]()),
    ("nvmlDeviceGetFanSpeed", {catalog.FAN}),
    ("nvmlDeviceGetFieldValues/94", {gpu_links.PCIE_REPLAYS}),
    ("nvmlDeviceGetFieldValues/230", {gpu_health.RECOVERY_ACTION}),
]


@pytest.mark.parametrize("code", [NOT_SUPPORTED, FUNCTION_NOT_FOUND])
@pytest.mark.parametrize("call, missing", UNSUPPORTED, ids=[call for call, _ in UNSUPPORTED])
async def test_what_is_not_supported_is_absent_and_asked_once(
    nvml: NvmlControl, call: str, missing: set[Metric], code: int
) -> None:
    nvml.gpus(2)
    nvml.error(0, call, code)
    source = GpuSource()

    readings = [await read(source) for _ in range(3)]

    for samples in readings:
        seen = {sample.metric for sample in samples if sample.labels[0] == "0"}
        assert EVERY - seen == missing
    assert nvml.calls()["0", call] == 1
    assert nvml.calls()["1", call] == 3


async def test_memory_before_v2_counts_what_is_reserved_as_used(nvml: NvmlControl) -> None:
    nvml.error(0, "nvmlDeviceGetMemoryInfo_v2", FUNCTION_NOT_FOUND)

    samples = await read(GpuSource())

    assert of(samples, catalog.MEMORY_USED) == {WHOLE: 60_603_979_776.0}
    assert of(samples, catalog.MEMORY_RESERVED) == {}


@pytest.mark.parametrize(
    "call, metric, labels",
    [
        ("nvmlDeviceGetClockInfo/3", catalog.CLOCK, ("video",)),
        ("nvmlDeviceGetFieldValues/82", catalog.TEMPERATURE, ("memory",)),
    ],
    ids=["one clock of four", "a field, by its own return code"],
)
async def test_one_part_that_is_not_supported_leaves_the_others(
    nvml: NvmlControl, call: str, metric: Metric, labels: tuple[str, ...]
) -> None:
    source = GpuSource()
    before = of(await read(source), metric)
    nvml.error(0, call, NOT_SUPPORTED)

    after = [of(await read(source), metric) for _ in range(2)]

    assert labels in before
    assert after == [{k: v for k, v in before.items() if k != labels}] * 2
    assert nvml.calls()["0", call] == 2


@pytest.mark.parametrize("code", [UNKNOWN, NO_PERMISSION])
@pytest.mark.parametrize(
    "call, metric",
    [
        ("nvmlDeviceGetEnforcedPowerLimit", catalog.POWER_LIMIT),
        ("nvmlDeviceGetFieldValues/83", catalog.ENERGY),
    ],
    ids=["a call", "a field"],
)
async def test_what_fails_now_is_asked_again(
    nvml: NvmlControl, call: str, metric: Metric, code: int
) -> None:
    source = GpuSource()
    nvml.error(0, call, code)

    failed = await read(source)
    nvml.heal()
    healed = await read(source)

    assert {s.metric for s in failed} == EVERY - {metric}
    assert {s.metric for s in healed} == EVERY


async def test_a_lost_gpu_costs_its_own_series_only_and_comes_back(nvml: NvmlControl) -> None:
    nvml.gpus(2)
    source = GpuSource()
    healthy = await read(source)
    nvml.lose(1)

    lost = await read(source)
    nvml.heal()

    assert [s for s in lost if s.labels[0] == "1"] == [Sample(catalog.UP, 0.0, ("1", uuid(1)))]
    assert [s for s in lost if s.labels[0] == "0"] == [s for s in healthy if s.labels[0] == "0"]
    assert await read(source) == healthy
    opened = [nvml.calls()[gpu, "nvmlDeviceGetHandleByIndex_v2"] for gpu in "01"]
    assert opened == [1, 2], "a device that comes back has a new handle"


async def test_a_gpu_lost_in_the_middle_of_a_read_gives_no_half_reading(nvml: NvmlControl) -> None:
    source = GpuSource()
    nvml.error(0, "nvmlDeviceGetClockInfo/3", GPU_IS_LOST)

    assert await read(source) == [Sample(catalog.UP, 0.0, ("0", uuid(0)))]


async def test_a_gpu_lost_before_the_start_is_down_with_no_uuid(nvml: NvmlControl) -> None:
    nvml.lose(0)

    assert await read(GpuSource()) == [Sample(catalog.UP, 0.0, ("0", ""))]


async def test_a_gpu_whose_every_call_fails_is_down(nvml: NvmlControl) -> None:
    source = GpuSource()
    await read(source)
    nvml.error(ANY_GPU, "*", UNKNOWN)

    assert await read(source) == [Sample(catalog.UP, 0.0, ("0", uuid(0)))]


async def test_a_gpu_of_another_container_is_not_ours_to_report(nvml: NvmlControl) -> None:
    nvml.gpus(2)
    nvml.error(0, "nvmlDeviceGetHandleByIndex_v2", NO_PERMISSION)

    assert {sample.labels[0] for sample in await read(GpuSource())} == {"1"}


async def test_only_gpus_of_other_containers_is_as_good_as_none(nvml: NvmlControl) -> None:
    nvml.error(0, "nvmlDeviceGetHandleByIndex_v2", NO_PERMISSION)

    with pytest.raises(SourceError, match="HandleByIndex on GPU 0: Insufficient Perm") as raised:
        await read(GpuSource())

    assert raised.value.reason == "unavailable"
