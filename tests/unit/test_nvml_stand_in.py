"""The stand-in itself: its structs are pynvml's, its waves are true, a reload is for good."""

import ctypes
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pynvml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nvml.control import LIB_RM_VERSION_MISMATCH, NvmlControl, Wave

WAVE = Wave(base_mw=120_000, peak_mw=680_000, period_ms=300, width_ms=50)


@pytest.fixture
def device(nvml: NvmlControl) -> object:
    pynvml.nvmlInit()
    return pynvml.nvmlDeviceGetHandleByIndex(0)


@pytest.mark.parametrize(
    "struct",
    [
        "c_nvmlUtilization_t",
        "c_nvmlMemory_t",
        "c_nvmlMemory_v2_t",
        "c_nvmlTemperature_v1_t",
        "c_nvmlMarginTemperature_v1_t",
        "c_nvmlConfComputeSystemState_t",
        "nvmlPciInfo_t",
        "c_nvmlFieldValue_t",
        "c_nvmlSample_t",
        "c_nvmlEventData_t",
        "c_nvmlProcessInfo_v3_t",
        "c_nvmlProcessUtilizationSample_t",
        "c_nvmlGpmMetric_t",
        "c_nvmlGpmSupport_t",
    ],
)
def test_a_struct_is_as_big_as_pynvml_s(nvml_library: Path, struct: str) -> None:
    library = ctypes.CDLL(str(nvml_library))

    assert library.tidegauge_nvml_size_of(struct.encode()) == ctypes.sizeof(getattr(pynvml, struct))


def test_a_wave_s_energy_is_its_true_integral(nvml: NvmlControl, device: object) -> None:
    nvml.wave(0, WAVE)
    first_before, first, first_after = timed(lambda: energy_joules(device))
    time.sleep(0.4)
    last_before, last, last_after = timed(lambda: energy_joules(device))

    rounding = 0.002
    assert last - first >= WAVE.joules(first_after, last_before) - rounding
    assert last - first <= WAVE.joules(first_before, last_after) + rounding


def test_a_wave_is_at_its_peak_when_the_clock_says_so(nvml: NvmlControl, device: object) -> None:
    nvml.wave(0, WAVE)
    right = 0
    for _ in range(60):
        before, milliwatts, after = timed(lambda: instant_milliwatts(device))
        true = {peak_at(before), peak_at(after)}
        if len(true) == 1 and after - before < WAVE.width_ms * 1_000_000:
            assert milliwatts == (WAVE.peak_mw if True in true else WAVE.base_mw)
            right += 1
        time.sleep(0.007)

    assert right > 20


def timed(ask: Callable[[], float]) -> tuple[int, float, int]:
    """The clock before, the answer, the clock after."""
    before = time.monotonic_ns()
    return before, ask(), time.monotonic_ns()


def energy_joules(device: object) -> float:
    return pynvml.nvmlDeviceGetTotalEnergyConsumption(device) / 1000


def instant_milliwatts(device: object) -> float:
    return pynvml.nvmlDeviceGetFieldValues(device, [186])[0].value.uiVal


def peak_at(clock_ns: int) -> bool:
    return clock_ns % (WAVE.period_ms * 1_000_000) < WAVE.width_ms * 1_000_000


@given(
    st.integers(0, 10**16),
    st.integers(0, 10**11),
    st.integers(0, 10**11),
)
def test_energies_of_a_wave_add_up(start: int, first: int, second: int) -> None:
    whole = WAVE.joules(start, start + first + second)
    parts = WAVE.joules(start, start + first) + WAVE.joules(start + first, start + first + second)
    assert math.isclose(whole, parts, rel_tol=1e-9, abs_tol=1e-6)


@pytest.mark.parametrize(
    "start_ms, end_ms, bursts",
    [(0, 300, 1), (1, 300, 0), (0, 350, 2), (0, 349, 1), (10, 11, 0)],
)
def test_a_burst_counts_if_it_lies_within(start_ms: int, end_ms: int, bursts: int) -> None:
    assert WAVE.bursts(start_ms * 1_000_000, end_ms * 1_000_000) == bursts


def test_a_change_is_seen_however_soon_it_comes(nvml: NvmlControl, device: object) -> None:
    for milliwatts in range(1000, 1300):  # as long each time, within one tick of a file's clock
        nvml.value(0, "nvmlDeviceGetPowerUsage", milliwatts)
        assert pynvml.nvmlDeviceGetPowerUsage(device) == milliwatts


RELOADED = """
import os, pynvml, sys
sys.path.insert(0, ".")
from pathlib import Path
from tests.nvml.control import NvmlControl

control = NvmlControl(Path(os.environ["TIDEGAUGE_NVML_CONTROL"]))
pynvml.nvmlInit()
device = pynvml.nvmlDeviceGetHandleByIndex(0)
pynvml.nvmlDeviceGetPowerUsage(device)
control.reload()
for ask in (lambda: pynvml.nvmlDeviceGetPowerUsage(device), pynvml.nvmlInit):
    try:
        ask()
    except pynvml.NVMLError as error:
        print(error.value)
"""


def test_a_reloaded_driver_is_lost_to_the_process_that_had_it_open(
    nvml_library: Path, tmp_path: Path
) -> None:
    control = NvmlControl(tmp_path / "control")
    environment = control.environment(nvml_library)

    said = [run(RELOADED, environment), run("import pynvml; pynvml.nvmlInit()", environment)]

    assert said == [f"{LIB_RM_VERSION_MISMATCH}\n" * 2, ""], "a new process has the new driver"


def run(script: str, environment: dict[str, str]) -> str:
    return subprocess.run(
        [sys.executable, "-c", script],
        env=environment | {"PATH": os.environ["PATH"]},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout
