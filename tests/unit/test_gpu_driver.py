"""A machine with no NVML, no driver or no GPU, and one where they come later or go away."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.nvml.control import (
    DRIVER,
    DRIVER_NOT_LOADED,
    LIB_RM_VERSION_MISMATCH,
    UNINITIALIZED,
    UNKNOWN,
    NvmlControl,
)
from tests.nvml.fixtures import build_library
from tests.nvml.metrics import EVERY
from tidegauge.catalog import gpu as catalog
from tidegauge.catalog import nvml as own
from tidegauge.sources.gpu.driver import Driver
from tidegauge.sources.gpu.restarts import Limits
from tidegauge.sources.gpu.settings import Settings
from tidegauge.sources.gpu.source import GpuSource
from tidegauge.sources.source import SourceError

QUICK = Settings(fast_seconds=0.1, slow_seconds=0.2, publish_seconds=0.05, timeout_seconds=0.5)
SOON = Limits(first_seconds=0.05, unavailable_seconds=0.1)


async def refusal(source: GpuSource) -> SourceError:
    with pytest.raises(SourceError) as raised:
        await source.read()
    return raised.value


async def until_read(source: GpuSource, *, seconds: float = 10) -> set[object]:
    """The metrics of the first reading with a device that is up, once its slow tier was read."""
    for _ in range(int(seconds / 0.02)):
        try:
            samples = await source.read()
        except SourceError:
            samples = ()
        metrics = {sample.metric for sample in samples}
        if catalog.INFO in metrics and own.CHILD_UP in metrics and len(metrics) > 30:
            return metrics
        await asyncio.sleep(0.02)
    pytest.fail(f"no device after {seconds} s")


@pytest.mark.parametrize(
    "call,code,words",
    [
        ("nvmlInitWithFlags", DRIVER_NOT_LOADED, "nvmlInit: Driver Not Loaded"),
        ("nvmlDeviceGetCount_v2", UNKNOWN, "nvmlDeviceGetCount: Unknown Error"),
    ],
    ids=["no driver", "a driver that fails after opening"],
)
async def test_what_is_not_there_is_unavailable_until_it_is(
    nvml: NvmlControl, call: str, code: int, words: str
) -> None:
    source = GpuSource(QUICK, SOON)
    nvml.error(DRIVER, call, code)
    errors = [await refusal(source) for _ in range(3)]
    nvml.heal()
    assert await until_read(source) >= EVERY
    await source.close()
    assert {error.reason for error in errors} == {"unavailable"}
    assert str(errors[0]).startswith(words)
    assert all(error.retry_after_seconds for error in errors)


async def test_no_gpu_is_unavailable_until_there_is_one(nvml: NvmlControl) -> None:
    source = GpuSource(QUICK, SOON)
    nvml.value(DRIVER, "nvmlDeviceGetCount_v2", 0)
    error = await refusal(source)
    assert (error.reason, str(error)) == ("unavailable", "NVML lists no GPU on this machine")
    assert source.unread()
    assert not any(s.metric.name.startswith("llm_") for s in source.unread())
    nvml.gpus(1)
    assert await until_read(source) >= EVERY
    await source.close()


def test_what_the_kernel_s_module_lists_is_a_change_too(nvml: NvmlControl, tmp_path: Path) -> None:
    told: list[str] = []
    driver = Driver(lambda name, _, __: told.append(name), folder=tmp_path / "gpus")
    driver.open()
    before = driver.machine()
    (tmp_path / "gpus" / "0000:01:00.0").mkdir(parents=True)
    assert driver.machine() != before, "NVML itself lists what was there when it was opened"
    assert set(told) == {"nvmlInit", "nvmlSystemGetDriverVersion", "nvmlDeviceGetCount"}


def test_a_module_that_can_not_be_looked_at_is_none(nvml: NvmlControl, tmp_path: Path) -> None:
    (tmp_path / "gpus").write_text("as if it went away while we look")
    driver = Driver(lambda *_: None, folder=tmp_path / "gpus")
    driver.open()
    assert driver.machine() == (1, 0)


@pytest.mark.parametrize("code", [UNINITIALIZED, DRIVER_NOT_LOADED, LIB_RM_VERSION_MISMATCH])
async def test_a_driver_that_goes_away_is_opened_by_a_new_process(
    nvml: NvmlControl, code: int
) -> None:
    nvml.gpus(2)
    source = GpuSource(QUICK, SOON)
    await source.read()
    nvml.error("1", "nvmlDeviceGetUtilizationRates", code)
    for _ in range(500):
        counts = {s.labels: s.value for s in await source.read() if s.metric is own.CHILD_RESTARTS}
        if counts["driver",]:
            break
        await asyncio.sleep(0.02)
    assert counts["driver",] >= 1
    nvml.heal()
    assert await until_read(source) >= EVERY
    await source.close()


async def _read_on(source: GpuSource) -> None:
    while await source.read():
        await asyncio.sleep(0.02)


async def test_a_driver_that_is_unloaded_takes_the_devices_down(nvml: NvmlControl) -> None:
    source = GpuSource(QUICK, SOON)
    await source.read()
    nvml.error(DRIVER, "nvmlInitWithFlags", DRIVER_NOT_LOADED)
    nvml.error(0, "*", DRIVER_NOT_LOADED)
    with pytest.raises(SourceError) as raised:
        await asyncio.wait_for(_read_on(source), 10)
    assert raised.value.reason == "unavailable"
    assert {s.value for s in source.unread() if s.metric is catalog.UP} == {0}
    await source.close()


async def test_no_library_is_unavailable_until_it_is_installed(
    nvml: NvmlControl, nvml_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "lib" / nvml_library.name
    installed.parent.mkdir()
    monkeypatch.setenv("LD_LIBRARY_PATH", str(installed.parent))
    source = GpuSource(QUICK, SOON)
    error = await refusal(source)
    shutil.copy(nvml_library, installed)
    assert await until_read(source) >= EVERY
    await source.close()
    assert error.reason == "unavailable"
    assert str(error).startswith("nvmlInit: NVML Shared Library Not Found")


async def test_a_library_without_the_newer_functions_costs_only_what_it_lacks(
    nvml: NvmlControl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_library(tmp_path, "-DOLD_DRIVER")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    source = GpuSource(QUICK, SOON)
    assert EVERY - await until_read(source) == {catalog.MEMORY_RESERVED}
    await source.close()
