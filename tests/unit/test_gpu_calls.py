"""Every call that a device is asked, failing in every way: never more than its own series."""

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from tests.nvml.control import (
    GPU_IS_LOST,
    LIB_RM_VERSION_MISMATCH,
    NO_PERMISSION,
    NOT_SUPPORTED,
    UNKNOWN,
    Instance,
    NvmlControl,
)
from tests.nvml.machine import DRIVER_VERSION
from tidegauge.catalog import CATALOG
from tidegauge.sources.gpu import nvml as edge
from tidegauge.sources.gpu.calls import CALL_NAMES, QUESTIONS, TIERS, Tier
from tidegauge.sources.gpu.device import Device
from tidegauge.sources.gpu.events import XidWatcher
from tidegauge.sources.gpu.nvml import DeviceLostError, DriverGoneError, NvmlError
from tidegauge.sources.gpu.nvml_samples import RingKind
from tidegauge.sources.gpu.processes import Processes
from tidegauge.sources.gpu.question import Call, Field

INSTANCE = Instance(gi=2, ci=0)
CODES = {
    "not supported": NOT_SUPPORTED,
    "no permission": NO_PERMISSION,
    "unknown error": UNKNOWN,
    "lost": GPU_IS_LOST,
    "driver reloaded": LIB_RM_VERSION_MISMATCH,
}
# The C function behind a name of pynvml's, where they differ.
VERSIONS = {
    "nvmlDeviceGetHandleByIndex": "nvmlDeviceGetHandleByIndex_v2",
    "nvmlDeviceGetPciInfo": "nvmlDeviceGetPciInfo_v3",
    "nvmlDeviceGetComputeRunningProcesses": "nvmlDeviceGetComputeRunningProcesses_v3",
}
OF_A_DEVICE = [
    name
    for name in CALL_NAMES
    if not re.match("nvmlEventSet|nvmlSystem|nvmlInit|nvmlDeviceGetCount", name)
]
DISPENSABLE = [name for name in OF_A_DEVICE if name != "nvmlDeviceGetHandleByIndex"]


def series(device: Device) -> set[tuple[str, ...]]:
    """What all tiers give, a tier that fails giving nothing."""
    found: set[tuple[str, ...]] = set()
    for tier in TIERS:
        try:
            found |= {(sample.metric.name, *sample.labels) for sample in device.read(tier)}
        except (DeviceLostError, DriverGoneError):
            raise
        except NvmlError:
            continue
    return found


@pytest.fixture
def device(nvml: NvmlControl, tmp_path: Path) -> Device:
    nvml.processes(0, (100, 1))
    edge.open_library()
    return Device(0, driver_version=DRIVER_VERSION, processes=Processes(tmp_path))


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
@pytest.mark.parametrize("name", DISPENSABLE)
def test_a_call_that_fails_costs_its_own_series_or_says_that_all_is_lost(
    nvml: NvmlControl, device: Device, name: str, code: int
) -> None:
    call = VERSIONS.get(name, name)
    whole = series(device)
    asked = [c for gpu, c in nvml.calls() if gpu == "0" and c.split("/")[0] == call]
    for one in asked or [call]:
        nvml.error(0, one, code)
    fatal = code in {GPU_IS_LOST, LIB_RM_VERSION_MISMATCH} and name in asked_at_each_read(nvml)

    try:
        left = series(device)
    except (DeviceLostError, DriverGoneError):
        assert fatal
    else:
        assert names(left)
        assert names(left) <= names(whole)
        assert not fatal
    nvml.heal()

    if code != NOT_SUPPORTED:
        # What takes two samples some time apart may have come meanwhile.
        assert series(device) >= whole


def asked_at_each_read(nvml: NvmlControl) -> set[str]:
    """Not those of a device that is open already, nor of GPM, which waits between two samples."""
    calls = {call.split("/")[0] for gpu, call in nvml.calls() if gpu == "0"}
    at_once = {"nvmlDeviceGetName", "nvmlDeviceGetUUID", "nvmlDeviceGetPciInfo"}
    return {n for n in DISPENSABLE if VERSIONS.get(n, n) in calls and "Gpm" not in n} - at_once


def names(found: set[tuple[str, ...]]) -> set[str]:
    return {name for name, *_ in found}


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_a_device_that_can_t_be_opened_says_why(
    nvml: NvmlControl, device: Device, code: int
) -> None:
    nvml.error(0, "nvmlDeviceGetHandleByIndex_v2", code)

    for tier in TIERS:
        with pytest.raises(NvmlError) as raised:
            device.read(tier)
        assert raised.value.code == code


def test_every_name_that_is_told_is_in_the_list(nvml: NvmlControl, tmp_path: Path) -> None:
    nvml.mig(0, INSTANCE)
    nvml.processes(0, (100, 1))
    told: set[str] = set()
    edge.open_library()
    processes = Processes(tmp_path)
    device = Device(
        0,
        driver_version=DRIVER_VERSION,
        on_call=lambda name, *_: told.add(name),
        processes=processes,
    )
    for tier in TIERS:
        device.read(tier)
    for kind in get_args(RingKind):
        device.ring(kind, 0)
    watcher = XidWatcher(on_call=lambda name, *_: told.add(name))
    watcher.watch(0)
    watcher.close()
    device.close()

    assert told <= set(CALL_NAMES)
    assert len(told) > 25
    assert list(CALL_NAMES) == sorted(set(CALL_NAMES))


@pytest.mark.parametrize("tier", TIERS)
def test_the_table_asks_for_metrics_of_the_catalogue_and_names_each_row_once(tier: Tier) -> None:
    rows = [row for question in QUESTIONS[tier] for row in question]
    metrics = [m for row in rows for m in (row.metrics if isinstance(row, Call) else (row.metric,))]

    assert set(metrics) <= set(CATALOG)
    assert len({row.name for row in rows}) == len(rows)


HEAVY = ("aiohttp", "multidict", "numpy", "prometheus_client", "pydantic", "yaml")


@pytest.mark.parametrize("module", ["device", "driver", "events", "xid_ledger"])
def test_a_process_that_only_reads_gpus_loads_nothing_heavy(module: str) -> None:
    script = f"import sys, tidegauge.sources.gpu.{module}; print(set(sys.modules) & set({HEAVY}))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )

    assert done.stdout == "set()\n"


def test_what_a_row_needs_is_another_row() -> None:
    rows = [row for tier in QUESTIONS.values() for question in tier for row in question]
    names = {row.name for row in rows}

    assert {row.needs for row in rows if isinstance(row, Field) and row.needs} <= names
