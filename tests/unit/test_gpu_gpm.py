"""GPM: metrics of the time between two reads, whose samples are given back."""

import ctypes
import time

import pynvml
import pytest

from tests.nvml.control import GPU_IS_LOST, NOT_SUPPORTED, UNKNOWN, Instance, NvmlControl
from tests.nvml.machine import DRIVER_VERSION
from tidegauge.catalog import gpu, gpu_opt_in
from tidegauge.samples import Sample
from tidegauge.sources.gpu import nvml as edge
from tidegauge.sources.gpu.device import Device
from tidegauge.sources.gpu.gpm import APART_SECONDS
from tidegauge.sources.gpu.nvml import DeviceLostError, NvmlError

MIB = 2.0**20
H100 = {
    (gpu_opt_in.SM_ACTIVE.name, "", ""): 0.625,
    (gpu_opt_in.SM_OCCUPANCY.name, "", ""): 0.25,
    (gpu_opt_in.TENSOR_ACTIVE.name, "", ""): 0.3175,
    (gpu_opt_in.DRAM_ACTIVE.name, "", ""): 0.48,
    (gpu_opt_in.PCIE_RATE.name, "", "", "tx"): 512 * MIB,
    (gpu_opt_in.PCIE_RATE.name, "", "", "rx"): 2048 * MIB,
    (gpu_opt_in.NVLINK_RATE.name, "", "", "tx"): 50 * MIB,
    (gpu_opt_in.NVLINK_RATE.name, "", "", "rx"): 100 * MIB,
}


class Clock:
    """As far apart as a test says; the stand-in looks at its own clock as well."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self) -> None:
        self.now += APART_SECONDS
        time.sleep(APART_SECONDS + 0.005)


def device(clock: Clock) -> Device:
    edge.open_library()
    return Device(0, driver_version=DRIVER_VERSION, clock=clock)


def series(samples: tuple[Sample, ...]) -> dict[tuple[str, ...], object]:
    return {
        (sample.metric.name, *sample.labels[2:]): sample.value
        for sample in samples
        if sample.metric is not gpu.INFO
    }


def live_samples() -> int:
    return ctypes.c_int.in_dll(pynvml.nvmlLib, "tidegauge_nvml_gpm_samples").value


def test_the_second_read_has_what_happened_since_the_first(nvml: NvmlControl) -> None:
    clock = Clock()
    asked = device(clock)

    first = series(asked.read("gpm"))
    clock.wait()
    second = series(asked.read("gpm"))
    nvml.value(0, "nvmlGpmMetricsGet/2", 10)
    clock.wait()
    third = series(asked.read("gpm"))
    asked.close()

    assert first == {}
    assert second == pytest.approx(H100)
    assert third[gpu_opt_in.SM_ACTIVE.name, "", ""] == pytest.approx(0.1)


def test_a_read_that_comes_too_soon_has_the_values_from_before(nvml: NvmlControl) -> None:
    clock = Clock()
    asked = device(clock)
    asked.read("gpm")
    clock.wait()
    before = asked.read("gpm")
    clock.now += APART_SECONDS / 2

    assert asked.read("gpm") == before
    assert nvml.calls()["0", "nvmlGpmSampleGet"] == 2
    asked.close()


def test_samples_are_given_back(nvml: NvmlControl) -> None:
    clock = Clock()
    asked = device(clock)
    before = live_samples()
    for _ in range(3):
        asked.read("gpm")
        clock.wait()

    during = live_samples()
    asked.close()

    assert during == before + 2
    assert live_samples() == before


@pytest.mark.parametrize("code", [NOT_SUPPORTED, 13])
def test_a_device_before_hopper_is_asked_once(nvml: NvmlControl, code: int) -> None:
    nvml.error(0, "nvmlGpmQueryDeviceSupport", code)
    asked = device(Clock())

    assert [series(asked.read("gpm")) for _ in range(3)] == [{}] * 3
    assert nvml.calls()["0", "nvmlGpmQueryDeviceSupport"] == 1


def test_a_device_that_says_no_takes_no_sample(nvml: NvmlControl) -> None:
    nvml.value(0, "nvmlGpmQueryDeviceSupport", 0)

    assert series(device(Clock()).read("gpm")) == {}
    assert nvml.calls()["0", "nvmlGpmSampleGet"] == 0


def test_a_metric_that_the_device_lacks_leaves_the_others(nvml: NvmlControl) -> None:
    clock = Clock()
    nvml.lack(0, "nvmlGpmMetricsGet/60", "nvmlGpmMetricsGet/61")
    asked = device(clock)
    asked.read("gpm")
    clock.wait()

    names = {name for name, *_ in series(asked.read("gpm"))}
    asked.close()

    assert names == {name for name, *_ in H100} - {gpu_opt_in.NVLINK_RATE.name}


@pytest.mark.parametrize("call", ["nvmlGpmSampleGet", "nvmlGpmMetricsGet"])
def test_a_call_that_fails_is_no_value_and_no_leak(nvml: NvmlControl, call: str) -> None:
    clock = Clock()
    asked = device(clock)
    before = live_samples()
    asked.read("gpm")
    nvml.error(0, call, UNKNOWN)
    clock.wait()

    with pytest.raises(NvmlError):
        asked.read("gpm")
    nvml.heal()
    clock.wait()

    assert series(asked.read("gpm")) == pytest.approx(H100)
    asked.close()
    assert live_samples() == before


def test_a_lost_device_gives_its_samples_back(nvml: NvmlControl) -> None:
    asked = device(Clock())
    before = live_samples()
    asked.read("gpm")
    nvml.error(0, "*", GPU_IS_LOST)

    with pytest.raises(DeviceLostError):
        asked.read("fast")
    assert live_samples() == before


def test_with_mig_each_gpu_instance_is_sampled(nvml: NvmlControl) -> None:
    clock = Clock()
    nvml.mig(0, Instance(gi=2, ci=0), Instance(gi=2, ci=1), Instance(gi=5, ci=0))
    nvml.values(0, {"nvmlGpmMetricsGet/2/2": (40,), "nvmlGpmMetricsGet/2/5": (60,)})
    asked = device(clock)
    asked.read("gpm")
    clock.wait()

    seen = series(asked.read("gpm"))
    asked.close()

    name = gpu_opt_in.SM_ACTIVE.name
    assert seen == pytest.approx({(name, "2", ""): 0.4, (name, "5", ""): 0.6})
