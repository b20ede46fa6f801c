"""The untyped edge: what a device does now, each NVML function typed and in base units."""

from dataclasses import dataclass

import pynvml

from tidegauge.sources.gpu.nvml import Handle
from tidegauge.sources.gpu.nvml_errors import ours


@dataclass(frozen=True, slots=True)
class Utilization:
    """Shares of the driver's last sample period, 0 to 1."""

    gpu_ratio: float
    memory_ratio: float


@dataclass(frozen=True, slots=True)
class Memory:
    """`reserved_bytes` is None where NVML counts it as used (before its v2 call)."""

    total_bytes: int
    used_bytes: int
    free_bytes: int
    reserved_bytes: int | None


def utilization(device: Handle) -> Utilization:
    with ours:
        rates = pynvml.nvmlDeviceGetUtilizationRates(device)
    return Utilization(gpu_ratio=int(rates.gpu) / 100, memory_ratio=int(rates.memory) / 100)


def memory(device: Handle) -> Memory:
    with ours:
        seen = pynvml.nvmlDeviceGetMemoryInfo(device, version=pynvml.nvmlMemory_v2)
    return Memory(int(seen.total), int(seen.used), int(seen.free), int(seen.reserved))


def memory_before_v2(device: Handle) -> Memory:
    with ours:
        seen = pynvml.nvmlDeviceGetMemoryInfo(device)
    return Memory(int(seen.total), int(seen.used), int(seen.free), None)


def power_watts(device: Handle) -> float:
    """The mean of the last second on Ampere and later, but for GA100; before, power now."""
    with ours:
        return int(pynvml.nvmlDeviceGetPowerUsage(device)) / 1000


def power_limit_watts(device: Handle) -> float:
    with ours:
        return int(pynvml.nvmlDeviceGetEnforcedPowerLimit(device)) / 1000


def energy_joules(device: Handle) -> float:
    with ours:
        return int(pynvml.nvmlDeviceGetTotalEnergyConsumption(device)) / 1000


def core_celsius(device: Handle) -> float:
    with ours:
        return float(pynvml.nvmlDeviceGetTemperatureV(device, pynvml.NVML_TEMPERATURE_GPU))


def core_celsius_before_v(device: Handle) -> float:
    with ours:
        return float(pynvml.nvmlDeviceGetTemperature(device, pynvml.NVML_TEMPERATURE_GPU))


def margin_celsius(device: Handle) -> float:
    """How far below its nearest slowdown threshold the device is."""
    with ours:
        return float(pynvml.nvmlDeviceGetMarginTemperature(device))


def fan_ratio(device: Handle) -> float:
    """Intended speed as a share of the fan's maximum; above 1 on some boards."""
    with ours:
        return int(pynvml.nvmlDeviceGetFanSpeed(device)) / 100


def clock_hertz(device: Handle, domain: int) -> float:
    """`domain` is an nvmlClockType_t: graphics 0, SM 1, memory 2, video 3."""
    with ours:
        return int(pynvml.nvmlDeviceGetClockInfo(device, domain)) * 1e6


def event_reasons(device: Handle) -> int:
    """Bit mask of what holds the clocks down now (nvmlClocksEventReason…)."""
    with ours:
        return int(pynvml.nvmlDeviceGetCurrentClocksEventReasons(device))


def throttle_reasons(device: Handle) -> int:
    """The same bit mask, by the name that older libraries know."""
    with ours:
        return int(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons(device))


def ecc_errors(device: Handle, kind: int, scope: int) -> int:
    """`kind`: corrected 0, uncorrected 1. `scope`: since the driver was loaded 0, ever 1."""
    with ours:
        return int(pynvml.nvmlDeviceGetTotalEccErrors(device, kind, scope))


def pcie_generation(device: Handle) -> int:
    with ours:
        return int(pynvml.nvmlDeviceGetCurrPcieLinkGeneration(device))


def pcie_width(device: Handle) -> int:
    """Lanes in use now; an idle device may let some sleep."""
    with ours:
        return int(pynvml.nvmlDeviceGetCurrPcieLinkWidth(device))
