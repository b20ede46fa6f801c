"""The table of what is asked of each device, and which samples an answer becomes.

A new series is one row here and one function in nvml.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from tidegauge.catalog import Metric
from tidegauge.catalog import gpu as catalog
from tidegauge.sources.gpu import nvml
from tidegauge.sources.gpu.nvml import Handle

Tier = Literal["fast", "medium", "slow", "gpm"]
TIERS: tuple[Tier, ...] = get_args(Tier)


@dataclass(frozen=True, slots=True)
class Value:
    """A sample without its device; `labels` are what the metric has after `gpu` and `uuid`."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One NVML call. `ask` raises NvmlError; `name` tells calls apart in memory and messages."""

    name: str
    ask: Callable[[Handle], tuple[Value, ...]]


# nvmlClocksEventReason…: bits of one mask. Bit 0 says that nothing runs, the others hold back work.
REASONS = (
    (0x001, "gpu_idle"),
    (0x002, "applications_clocks_setting"),
    (0x004, "sw_power_cap"),
    (0x008, "hw_slowdown"),
    (0x010, "sync_boost"),
    (0x020, "sw_thermal_slowdown"),
    (0x040, "hw_thermal_slowdown"),
    (0x080, "hw_power_brake_slowdown"),
    (0x100, "display_clock_setting"),
    (0x200, "board_limit"),
    (0x400, "reliability"),
)


def throttled(mask: int) -> tuple[Value, ...]:
    """One value for each known reason: 1 where its bit is set, else 0.

    >>> [value.labels for value in throttled(0x44) if value.value]
    [('sw_power_cap',), ('hw_thermal_slowdown',)]
    """
    return tuple(
        Value(catalog.THROTTLED, float(bool(mask & bit)), (reason,)) for bit, reason in REASONS
    )


def _utilization(device: Handle) -> tuple[Value, ...]:
    seen = nvml.utilization(device)
    return (
        Value(catalog.UTILIZATION, seen.gpu_ratio),
        Value(catalog.MEMORY_UTILIZATION, seen.memory_ratio),
    )


def _memory_values(seen: nvml.Memory) -> tuple[Value, ...]:
    values = (
        (catalog.MEMORY_TOTAL, seen.total_bytes),
        (catalog.MEMORY_USED, seen.used_bytes),
        (catalog.MEMORY_FREE, seen.free_bytes),
        (catalog.MEMORY_RESERVED, seen.reserved_bytes),
    )
    return tuple(Value(metric, float(size)) for metric, size in values if size is not None)


def _memory(device: Handle) -> tuple[Value, ...]:
    return _memory_values(nvml.memory(device))


def _memory_before_v2(device: Handle) -> tuple[Value, ...]:
    return _memory_values(nvml.memory_before_v2(device))


def _event_reasons(device: Handle) -> tuple[Value, ...]:
    return throttled(nvml.event_reasons(device))


def _throttle_reasons(device: Handle) -> tuple[Value, ...]:
    return throttled(nvml.throttle_reasons(device))


def _one(
    name: str, metric: Metric, number: Callable[[Handle], float], *labels: str
) -> tuple[Call, ...]:
    return (Call(name, lambda device: (Value(metric, number(device), labels),)),)


def _temperature(name: str, number: Callable[[Handle], float], sensor: str) -> tuple[Call, ...]:
    return _one(name, catalog.TEMPERATURE, number, sensor)


def _clock(domain: int, label: str) -> tuple[Call, ...]:
    def hertz(device: Handle) -> float:
        return nvml.clock_hertz(device, domain)

    return _one(f"nvmlDeviceGetClockInfo/{domain}", catalog.CLOCK, hertz, label)


Question = tuple[Call, ...]
"""One thing to know, as calls that are tried in order until one is supported."""

QUESTIONS: Mapping[Tier, tuple[Question, ...]] = {
    "fast": (
        (Call("nvmlDeviceGetUtilizationRates", _utilization),),
        _one("nvmlDeviceGetPowerUsage", catalog.POWER, nvml.power_watts),
        _one("nvmlDeviceGetTotalEnergyConsumption", catalog.ENERGY, nvml.energy_joules),
    ),
    "medium": (
        (
            Call("nvmlDeviceGetMemoryInfo_v2", _memory),
            Call("nvmlDeviceGetMemoryInfo", _memory_before_v2),
        ),
        _one("nvmlDeviceGetEnforcedPowerLimit", catalog.POWER_LIMIT, nvml.power_limit_watts),
        (
            *_temperature("nvmlDeviceGetTemperatureV", nvml.core_celsius, "core"),
            *_temperature("nvmlDeviceGetTemperature", nvml.core_celsius_before_v, "core"),
        ),
        _temperature("nvmlDeviceGetFieldValues/82", nvml.memory_celsius, "memory"),
        _clock(0, "graphics"),
        _clock(1, "sm"),
        _clock(2, "memory"),
        _clock(3, "video"),
        (
            Call("nvmlDeviceGetCurrentClocksEventReasons", _event_reasons),
            Call("nvmlDeviceGetCurrentClocksThrottleReasons", _throttle_reasons),
        ),
    ),
    "slow": (),
    "gpm": (),
}
"""What is asked on each tier's clock."""
