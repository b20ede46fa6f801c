"""A device against the compiled stand-in: values in base units, and what is not supported."""

import pytest

from tests.nvml.control import (
    FUNCTION_NOT_FOUND,
    NO_PERMISSION,
    NOT_SUPPORTED,
    UNKNOWN,
    NvmlControl,
    uuid,
)
from tests.nvml.machine import DRIVER_VERSION
from tests.nvml.metrics import EVERY
from tidegauge.catalog import Metric, gpu_health, gpu_links
from tidegauge.catalog import gpu as catalog
from tidegauge.samples import Distribution, Sample
from tidegauge.sources.gpu.calls import REASONS, TIERS
from tidegauge.sources.gpu.device import Device
from tidegauge.sources.gpu.nvml import open_library

Series = dict[tuple[str, ...], float | Distribution]

WHOLE = ("", "")
ASKED = EVERY - {catalog.UP}


def of(samples: list[Sample], metric: Metric, *, gpu: int = 0) -> Series:
    """The metric's values on one device, by the labels after `gpu` and `uuid`."""
    return {
        sample.labels[2:]: sample.value
        for sample in samples
        if sample.metric is metric and sample.labels[0] == str(gpu)
    }


@pytest.fixture(autouse=True)
def opened(nvml: NvmlControl) -> None:
    open_library()


def machine(gpus: int = 1) -> list[Device]:
    return [Device(gpu, driver_version=DRIVER_VERSION) for gpu in range(gpus)]


def read(devices: list[Device]) -> list[Sample]:
    """The three tiers that are always read, of every device."""
    seen = (s for device in devices for tier in TIERS[:3] for s in device.read(tier))
    return list(dict.fromkeys(seen))


@pytest.mark.parametrize(
    "metric, expected",
    [
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
def test_a_healthy_gpu_gives_every_metric_in_base_units(
    nvml: NvmlControl, metric: Metric, expected: Series
) -> None:
    samples = read(machine())

    assert of(samples, metric) == pytest.approx(expected)
    assert {sample.metric for sample in samples} == ASKED
    assert {sample.labels[:2] for sample in samples} == {("0", uuid(0))}


def test_values_follow_the_device(nvml: NvmlControl) -> None:
    source = machine()
    read(source)
    nvml.value(0, "nvmlDeviceGetUtilizationRates", 0, 100)

    samples = read(source)

    assert of(samples, catalog.UTILIZATION) == {(): 0.0}
    assert of(samples, catalog.MEMORY_UTILIZATION) == {(): 1.0}


def test_each_of_eight_gpus_has_its_own_series(nvml: NvmlControl) -> None:
    nvml.gpus(8)
    for gpu in range(8):
        nvml.value(gpu, "nvmlDeviceGetFieldValues/186", gpu * 1000)

    samples = read(machine(8))

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
def test_what_is_not_supported_is_absent_and_asked_once(
    nvml: NvmlControl, call: str, missing: set[Metric], code: int
) -> None:
    nvml.gpus(2)
    nvml.error(0, call, code)
    source = machine(2)

    readings = [read(source) for _ in range(3)]

    for samples in readings:
        seen = {sample.metric for sample in samples if sample.labels[0] == "0"}
        assert ASKED - seen == missing
    assert nvml.calls()["0", call] == 1
    assert nvml.calls()["1", call] == 3


def test_memory_before_v2_counts_what_is_reserved_as_used(nvml: NvmlControl) -> None:
    nvml.error(0, "nvmlDeviceGetMemoryInfo_v2", FUNCTION_NOT_FOUND)

    samples = read(machine())

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
def test_one_part_that_is_not_supported_leaves_the_others(
    nvml: NvmlControl, call: str, metric: Metric, labels: tuple[str, ...]
) -> None:
    source = machine()
    before = of(read(source), metric)
    nvml.error(0, call, NOT_SUPPORTED)

    after = [of(read(source), metric) for _ in range(2)]

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
def test_what_fails_now_is_asked_again(
    nvml: NvmlControl, call: str, metric: Metric, code: int
) -> None:
    source = machine()
    nvml.error(0, call, code)

    failed = read(source)
    nvml.heal()
    healed = read(source)

    assert {s.metric for s in failed} == ASKED - {metric}
    assert {s.metric for s in healed} == ASKED
