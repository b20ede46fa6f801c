"""Fields: one call for many, each remembered by itself; which number means what; wrapping."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nvml.control import (
    ARGUMENT_VERSION_MISMATCH,
    GPU_IS_LOST,
    NOT_SUPPORTED,
    UNKNOWN,
    NvmlControl,
)
from tests.nvml.machine import DRIVER_VERSION, RETIRED_PAGES
from tidegauge.catalog import Metric, gpu, gpu_health, gpu_links
from tidegauge.samples import Distribution
from tidegauge.sources.gpu import nvml as edge
from tidegauge.sources.gpu.calls import Tier
from tidegauge.sources.gpu.counter import Unwrapped
from tidegauge.sources.gpu.device import Device
from tidegauge.sources.gpu.nvml import DeviceLostError

FIELDS = "nvmlDeviceGetFieldValues"
Told = list[tuple[str, int]]


def device(told: Told | None = None, *, driver_version: str = DRIVER_VERSION) -> Device:
    edge.open_library()
    heard: Told = [] if told is None else told
    return Device(
        0, driver_version=driver_version, on_call=lambda name, _, code: heard.append((name, code))
    )


def read(of: Device, tier: Tier, metric: Metric) -> dict[tuple[str, ...], float | Distribution]:
    return {s.labels[2:]: s.value for s in of.read(tier) if s.metric is metric}


@pytest.mark.parametrize("tier", ["fast", "medium", "slow"])
def test_all_fields_of_a_tier_are_one_call(nvml: NvmlControl, tier: Tier) -> None:
    told: Told = []
    asked = device(told)
    asked.read("fast")
    asked.read(tier)  # what is not supported is found out
    told.clear()

    asked.read(tier)

    assert told.count((FIELDS, 0)) == 1


def test_a_field_that_is_not_supported_is_asked_once_and_leaves_the_others(
    nvml: NvmlControl,
) -> None:
    nvml.error(0, f"{FIELDS}/143", NOT_SUPPORTED)
    asked = device()

    rows = [read(asked, "slow", gpu_health.REMAPPED_ROWS) for _ in range(3)]

    assert rows == [{("correctable",): 2.0}] * 3
    assert nvml.calls()["0", f"{FIELDS}/143"] == 1
    assert nvml.calls()["0", f"{FIELDS}/142"] == 3


def test_a_field_that_no_driver_has_heard_of_is_not_supported(nvml: NvmlControl) -> None:
    invalid_argument = 2
    nvml.error(0, f"{FIELDS}/230", invalid_argument)
    asked = device()

    for _ in range(3):
        asked.read("slow")

    assert nvml.calls()["0", f"{FIELDS}/230"] == 1


def test_a_field_that_fails_is_told_as_the_call_s_failure_and_asked_again(
    nvml: NvmlControl,
) -> None:
    told: Told = []
    asked = device(told)
    nvml.error(0, f"{FIELDS}/83", UNKNOWN)
    nvml.error(0, f"{FIELDS}/186", NOT_SUPPORTED)

    failed = read(asked, "fast", gpu.ENERGY)
    nvml.heal()

    assert failed == {}
    assert (FIELDS, UNKNOWN) in told
    assert read(asked, "fast", gpu.ENERGY) == {(): 98_765_432.109}


def test_a_field_that_says_the_device_is_lost_ends_the_reading(nvml: NvmlControl) -> None:
    asked = device()
    nvml.error(0, f"{FIELDS}/142", GPU_IS_LOST)

    with pytest.raises(DeviceLostError):
        asked.read("slow")


@pytest.mark.parametrize("code", [NOT_SUPPORTED, ARGUMENT_VERSION_MISMATCH])
def test_without_any_fields_the_older_calls_answer(nvml: NvmlControl, code: int) -> None:
    nvml.error(0, FIELDS, code)
    asked = device()

    assert read(asked, "fast", gpu.ENERGY) == {(): 98_765_432.109}
    assert read(asked, "fast", gpu.POWER) == {("average",): 598.0}
    assert read(asked, "medium", gpu.THROTTLE_SECONDS) == {}
    asked_so_far = nvml.calls()["0", FIELDS]
    asked.read("fast")
    asked.read("medium")
    assert nvml.calls()["0", FIELDS] == asked_so_far, "no field is left to ask for"


def test_the_mean_of_power_comes_from_one_tier_alone(nvml: NvmlControl) -> None:
    nvml.lack(0, f"{FIELDS}/186")
    asked = device()

    assert read(asked, "fast", gpu.POWER) == {("average",): 598.0}
    assert read(asked, "medium", gpu.POWER) == {}


def test_power_now_and_its_mean_are_told_apart(nvml: NvmlControl) -> None:
    asked = device()

    assert read(asked, "fast", gpu.POWER) == {("instant",): 612.345}
    assert read(asked, "medium", gpu.POWER) == {("average",): 598.0}
    assert nvml.calls()["0", "nvmlDeviceGetPowerUsage"] == 0


@pytest.mark.parametrize(
    "version, thermal",
    [
        ("570.172.08", {"sw_thermal_slowdown": 1.0}),
        ("575.51.02", {"sw_thermal_slowdown": 51.0, "hw_thermal_slowdown": 52.0}),
        ("580.65.06", {"sw_thermal_slowdown": 51.0, "hw_thermal_slowdown": 52.0}),
        ("580.76.05", {"sw_thermal_slowdown": 1.0}),
        ("580.82.07", {"sw_thermal_slowdown": 69.0, "hw_thermal_slowdown": 70.0}),
        ("590.44.01", {"sw_thermal_slowdown": 69.0, "hw_thermal_slowdown": 70.0}),
        ("not a version", {"sw_thermal_slowdown": 1.0}),
    ],
    ids=[
        "before them, the older field alone",
        "the first numbers",
        "the last driver with them",
        "in between nobody knows",
        "the first driver with the new ones",
        "newer ones",
        "a driver that can't be told",
    ],
)
def test_a_field_that_was_renumbered_is_read_by_the_driver_s_numbers(
    nvml: NvmlControl, version: str, thermal: dict[str, float]
) -> None:
    seconds = {75: 1, 251: 51, 252: 52, 253: 53, 269: 69, 270: 70, 271: 71}
    nvml.values(0, {f"{FIELDS}/{field}": (n * 10**9,) for field, n in seconds.items()})

    seen = read(device(driver_version=version), "medium", gpu.THROTTLE_SECONDS)

    by_reason = {reason: value for (reason,), value in seen.items() if "thermal" in reason}
    assert by_reason == thermal


def test_where_pages_are_retired_they_are_told(nvml: NvmlControl) -> None:
    nvml.values(0, RETIRED_PAGES)
    asked = device()

    pages = read(asked, "slow", gpu_health.RETIRED_PAGES)

    assert pages == {("single_bit",): 5.0, ("double_bit",): 2.0}
    assert read(asked, "slow", gpu_health.RETIRED_PAGES_PENDING) == {(): 1.0}


def test_nvlink_5_counts_bytes_in_fields_of_its_own(nvml: NvmlControl) -> None:
    nvml.values(0, {f"{FIELDS}/202": (7_000,), f"{FIELDS}/204": (9_000,), f"{FIELDS}/208": (3,)})
    asked = device()

    assert read(asked, "slow", gpu_links.NVLINK_BYTES) == {("tx",): 7000.0, ("rx",): 9000.0}
    assert read(asked, "slow", gpu_links.NVLINK_ERRORS)[("receive",)] == 3.0


def test_pcie_bytes_of_32_bits_go_on_when_they_are_full(nvml: NvmlControl) -> None:
    asked = device()
    seen = []
    for reading in (4_294_967_000, 704, 1704):
        nvml.value(0, f"{FIELDS}/197", reading, 1)
        seen.append(read(asked, "medium", gpu_links.PCIE_BYTES)["tx",])

    assert seen == [4_294_967_000.0, 4_294_968_000.0, 4_294_969_000.0]


def test_pcie_bytes_go_on_when_the_device_comes_back(nvml: NvmlControl) -> None:
    asked = device()
    before = read(asked, "medium", gpu_links.PCIE_BYTES)
    nvml.lose(0)
    with pytest.raises(DeviceLostError):
        asked.read("medium")
    nvml.heal()

    assert read(asked, "medium", gpu_links.PCIE_BYTES) == before


@given(st.lists(st.integers(0, 2**32 - 1)), st.sampled_from([2**32, 2**64]))
def test_an_unwrapped_counter_never_goes_back(readings: list[int], size: int) -> None:
    counter = Unwrapped()
    seen = [counter.follow(reading, size=size) for reading in readings]
    assert seen == sorted(seen)


@given(st.integers(0, 2**40), st.lists(st.integers(0, 2**32 - 1)))
def test_less_than_a_turn_between_readings_loses_nothing(start: int, steps: list[int]) -> None:
    counter, true = Unwrapped(), start
    first = counter.follow(true % 2**32, size=2**32)
    for step in steps:
        true += step
        assert counter.follow(true % 2**32, size=2**32) - first == true - start
