"""A machine with no NVML, no driver or no GPU, and one where they come later or go away."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.nvml.control import (
    DRIVER,
    DRIVER_NOT_LOADED,
    UNKNOWN,
    NvmlControl,
)
from tests.nvml.fixtures import build_library
from tests.nvml.metrics import EVERY
from tidegauge.catalog import gpu as catalog
from tidegauge.sources.gpu import GpuSource
from tidegauge.sources.source import SourceError

LIB_RM_VERSION_MISMATCH = 18
UNINITIALIZED = 1


def opened(nvml: NvmlControl) -> int:
    """How often NVML was opened and not closed; a failed opening in the log counts in too."""
    calls = nvml.calls()
    return calls[DRIVER, "nvmlInitWithFlags"] - calls[DRIVER, "nvmlShutdown"]


async def refusal(source: GpuSource) -> SourceError:
    with pytest.raises(SourceError) as raised:
        await source.read()
    return raised.value


async def test_no_driver_is_unavailable_until_it_is_loaded(nvml: NvmlControl) -> None:
    source = GpuSource()
    nvml.error(DRIVER, "nvmlInitWithFlags", DRIVER_NOT_LOADED)

    errors = [await refusal(source) for _ in range(3)]
    nvml.heal()
    samples = await source.read()

    assert {error.reason for error in errors} == {"unavailable"}
    assert str(errors[0]).startswith("nvmlInit: Driver Not Loaded")
    assert {sample.metric for sample in samples} == EVERY
    assert opened(nvml) == 3 + 1


async def test_no_gpu_leaves_nvml_closed_and_is_asked_again(nvml: NvmlControl) -> None:
    source = GpuSource()
    nvml.value(DRIVER, "nvmlDeviceGetCount_v2", 0)

    errors = [await refusal(source) for _ in range(3)]
    left_open = opened(nvml)
    nvml.gpus(1)

    assert {error.reason for error in errors} == {"unavailable"}
    assert str(errors[0]) == "NVML lists no GPU on this machine"
    assert left_open == 0
    assert await source.read()
    assert opened(nvml) == 1


async def test_a_driver_that_fails_after_opening_leaves_nvml_closed(nvml: NvmlControl) -> None:
    source = GpuSource()
    nvml.error(DRIVER, "nvmlDeviceGetCount_v2", UNKNOWN)

    errors = [await refusal(source) for _ in range(3)]

    assert str(errors[0]).startswith("nvmlDeviceGetCount: Unknown Error")
    assert opened(nvml) == 0


@pytest.mark.parametrize("code", [UNINITIALIZED, DRIVER_NOT_LOADED, LIB_RM_VERSION_MISMATCH])
async def test_a_driver_that_goes_away_is_opened_again(nvml: NvmlControl, code: int) -> None:
    nvml.gpus(2)
    source = GpuSource()
    before = await source.read()
    nvml.error("1", "nvmlDeviceGetUtilizationRates", code)

    error = await refusal(source)
    nvml.heal()

    assert error.reason == "unavailable"
    assert str(error).startswith("nvmlDeviceGetUtilizationRates on GPU 1: ")
    assert opened(nvml) == 0
    assert await source.read() == before
    assert opened(nvml) == 1


NO_LIBRARY = """
import asyncio, shutil, sys
from tidegauge.sources.gpu import GpuSource
from tidegauge.sources.source import SourceError

async def main():
    source = GpuSource()
    for _ in range(2):
        try:
            await source.read()
        except SourceError as error:
            print(error.reason, "|", error)
    shutil.copy(sys.argv[1], sys.argv[2])
    print(sorted({sample.metric.name for sample in await source.read()}))

asyncio.run(main())
"""


def run_with_library(nvml: NvmlControl, library: Path, script: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        env={**nvml.environment(library), "PYTHONPATH": "exporter"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_no_library_is_unavailable_until_it_is_installed(
    nvml: NvmlControl, nvml_library: Path, tmp_path: Path
) -> None:
    installed = tmp_path / "lib" / nvml_library.name
    installed.parent.mkdir()

    lines = run_with_library(
        nvml, installed, NO_LIBRARY, str(nvml_library), str(installed)
    ).splitlines()

    assert lines[0].startswith("unavailable | nvmlInit: NVML Shared Library Not Found")
    assert lines[1] == lines[0]
    assert lines[2] == str(sorted(metric.name for metric in EVERY))


OLD_LIBRARY = """
import asyncio
from tidegauge.sources.gpu import GpuSource

async def main():
    source = GpuSource()
    for _ in range(2):
        print(sorted({sample.metric.name for sample in await source.read()}))

asyncio.run(main())
"""


def test_a_library_without_the_newer_functions_costs_only_what_it_lacks(
    nvml: NvmlControl, tmp_path: Path
) -> None:
    library = build_library(tmp_path, "-DOLD_DRIVER")

    lines = run_with_library(nvml, library, OLD_LIBRARY).splitlines()

    known = [metric.name for metric in EVERY if metric is not catalog.MEMORY_RESERVED]
    assert lines == [str(sorted(known))] * 2
