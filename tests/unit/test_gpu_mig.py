"""MIG: instances have memory of their own, and a device that is cut otherwise is another one."""

import pytest

from tests.nvml.control import GPU_IS_LOST, UNKNOWN, Instance, NvmlControl, uuid
from tests.nvml.machine import DRIVER_VERSION
from tidegauge.catalog import Metric, gpu, gpu_opt_in
from tidegauge.samples import Distribution, Sample
from tidegauge.sources.gpu import nvml as edge
from tidegauge.sources.gpu.calls import Tier
from tidegauge.sources.gpu.device import Device
from tidegauge.sources.gpu.nvml import DeviceLostError

SMALL = Instance(gi=7, ci=0, used=1_000_000_000)
BIG = Instance(gi=2, ci=0, profile="3g.40gb", total=42_144_366_592, used=9_000_000_000)
WHOLE_USED = 60_000_000_000.0


def device() -> Device:
    edge.open_library()
    return Device(0, driver_version=DRIVER_VERSION)


def series(samples: tuple[Sample, ...], metric: Metric) -> dict[tuple[str, ...], object]:
    assert {sample.labels[:2] for sample in samples} == {("0", uuid(0))}
    values: dict[tuple[str, ...], float | Distribution] = {
        sample.labels[2:]: sample.value for sample in samples if sample.metric is metric
    }
    return dict(values)


def read(of: Device, tier: Tier, metric: Metric) -> dict[tuple[str, ...], object]:
    return series(of.read(tier), metric)


def test_each_instance_has_memory_of_its_own_beside_the_whole(nvml: NvmlControl) -> None:
    nvml.mig(0, SMALL, BIG)

    assert read(device(), "medium", gpu.MEMORY_USED) == {
        ("", ""): WHOLE_USED,
        ("7", "0"): 1e9,
        ("2", "0"): 9e9,
    }


def test_an_instance_s_memory_falls_back_as_a_device_s_does(nvml: NvmlControl) -> None:
    nvml.mig(0, SMALL)
    nvml.lack("0:0", "nvmlDeviceGetMemoryInfo_v2")
    asked = device()

    used = [read(asked, "medium", gpu.MEMORY_USED)["7", "0"] for _ in range(2)]

    assert used == [float(SMALL.used + SMALL.reserved)] * 2
    assert nvml.calls()["0:0", "nvmlDeviceGetMemoryInfo_v2"] == 1


def test_each_instance_is_told_with_its_profile(nvml: NvmlControl) -> None:
    nvml.mig(0, SMALL, BIG)

    assert read(device(), "slow", gpu_opt_in.MIG) == {
        ("7", "0", SMALL.uuid, "1g.10gb"): 1.0,
        ("2", "0", BIG.uuid, "3g.40gb"): 1.0,
    }


def test_mig_switched_on_and_off_is_seen_by_the_slow_tier(nvml: NvmlControl) -> None:
    asked = device()
    asked.read("fast")
    before = asked.shape
    nvml.mig(0, SMALL)
    cut_up = read(asked, "slow", gpu.INFO)
    busy_with_mig = read(asked, "fast", gpu.UTILIZATION)
    during = asked.shape
    nvml.no_mig(0)
    asked.read("slow")

    assert before == (False, ())
    assert during == (True, ((7, 0, SMALL.uuid),))
    assert asked.shape == before
    assert {labels[4] for labels in cut_up} == {"on"}
    assert busy_with_mig == {}
    assert read(asked, "fast", gpu.UTILIZATION) == {(): 0.87}, "asked again, without MIG"
    assert read(asked, "medium", gpu.MEMORY_USED) == {("", ""): WHOLE_USED}


def test_an_instance_that_goes_takes_its_series_with_it(nvml: NvmlControl) -> None:
    nvml.mig(0, SMALL, BIG)
    asked = device()
    asked.read("medium")
    nvml.mig(0, BIG)
    asked.read("slow")

    assert set(read(asked, "medium", gpu.MEMORY_USED)) == {("", ""), ("2", "0")}


@pytest.mark.parametrize(
    "call", ["nvmlDeviceGetMigDeviceHandleByIndex", "nvmlDeviceGetMaxMigDeviceCount"]
)
def test_instances_that_can_t_be_listed_are_the_ones_from_before(
    nvml: NvmlControl, call: str
) -> None:
    nvml.mig(0, SMALL)
    asked = device()
    asked.read("slow")
    nvml.error(0, call, UNKNOWN)

    assert read(asked, "slow", gpu_opt_in.MIG) == {("7", "0", SMALL.uuid, "1g.10gb"): 1.0}


def test_an_instance_that_fails_costs_no_other_series(nvml: NvmlControl) -> None:
    nvml.mig(0, SMALL, BIG)
    asked = device()
    asked.read("fast")
    nvml.error("0:0", "*", UNKNOWN)

    assert read(asked, "medium", gpu.MEMORY_USED) == {("", ""): WHOLE_USED, ("2", "0"): 9e9}


def test_a_lost_device_takes_its_instances_along(nvml: NvmlControl) -> None:
    nvml.mig(0, SMALL)
    asked = device()
    asked.read("medium")
    nvml.error("0:0", "*", GPU_IS_LOST)

    with pytest.raises(DeviceLostError):
        asked.read("medium")
    assert asked.shape is None


def test_a_device_without_mig_has_no_word_of_it(nvml: NvmlControl) -> None:
    nvml.lack(0, "nvmlDeviceGetMigMode")
    asked = device()

    assert [labels[4] for labels in read(asked, "slow", gpu.INFO)] == [""]
    assert asked.shape == (None, ())
