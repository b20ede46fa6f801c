"""The driver's own ring of samples: read on from the last, asked once where there is none."""

import itertools
import time

import pytest

from tests.nvml.control import GPU_IS_LOST, NOT_SUPPORTED, UNKNOWN, NvmlControl, Wave
from tests.nvml.machine import DRIVER_VERSION
from tidegauge.sources.gpu import nvml as edge
from tidegauge.sources.gpu.device import Device
from tidegauge.sources.gpu.nvml import DeviceLostError, NvmlError
from tidegauge.sources.gpu.nvml_samples import RingKind

STEP_US = 20_000


def device() -> Device:
    edge.open_library()
    return Device(0, driver_version=DRIVER_VERSION)


@pytest.mark.parametrize("kind, value", [("power", 612.345), ("utilization", 0.87)])
def test_samples_are_in_base_units_and_in_order(
    nvml: NvmlControl, kind: RingKind, value: float
) -> None:
    samples = device().ring(kind, 0)

    assert {sample for _, sample in samples} == {value}
    times = [at for at, _ in samples]
    assert len(times) == 120
    assert {later - at for at, later in itertools.pairwise(times)} == {STEP_US}
    assert abs(times[-1] / 1e6 - time.time()) < 5


def test_the_next_reading_has_what_is_new_alone(nvml: NvmlControl) -> None:
    asked = device()
    last = asked.ring("power", 0)[-1][0]
    time.sleep(0.07)

    new = asked.ring("power", last)

    assert 2 <= len(new) < 60
    assert new[0][0] == last + STEP_US
    assert asked.ring("power", last + 10**12) == (), "nothing new is no error"


@pytest.mark.parametrize("code", [NOT_SUPPORTED, 13])
def test_a_device_without_a_ring_is_asked_once_for_each_kind(nvml: NvmlControl, code: int) -> None:
    nvml.error(0, "nvmlDeviceGetSamples/0", code)
    asked = device()

    assert [asked.ring("power", 0) for _ in range(3)] == [()] * 3
    assert asked.ring("utilization", 0)
    assert nvml.calls()["0", "nvmlDeviceGetSamples/0"] == 1


@pytest.mark.parametrize("code, error", [(UNKNOWN, NvmlError), (GPU_IS_LOST, DeviceLostError)])
def test_a_ring_that_fails_says_so(nvml: NvmlControl, code: int, error: type[NvmlError]) -> None:
    nvml.error(0, "nvmlDeviceGetSamples/0", code)

    with pytest.raises(error):
        device().ring("power", 0)


def test_the_ring_shows_a_burst_that_a_slow_reading_would_miss(nvml: NvmlControl) -> None:
    nvml.wave(0, Wave(120_000, 680_000, 1000, 100))

    watts = [sample for _, sample in device().ring("power", 0)]

    assert set(watts) == {120.0, 680.0}
    assert watts.count(680.0) in range(10, 17), "100 ms of each second, for 2.4 s"
