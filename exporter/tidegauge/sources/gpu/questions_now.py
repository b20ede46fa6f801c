"""What a device does now: the fast tier, and the medium one.

Fast is what has to be read often to be worth anything, and is cheap: a field takes microseconds.
Field 185 can take milliseconds, so the mean of power is in the medium tier.
"""

from tidegauge.catalog import gpu as catalog
from tidegauge.catalog import gpu_links
from tidegauge.sources.gpu import nvml_now as nvml
from tidegauge.sources.gpu.nvml import Handle
from tidegauge.sources.gpu.question import Call, Field, Question, Value, field_name, one

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

_INSTANT_POWER = field_name(186)
_MEMORY = (catalog.MEMORY_TOTAL, catalog.MEMORY_USED, catalog.MEMORY_FREE)
_MILLI = 1e-3
_NANO = 1e-9


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


def _clock(domain: int, label: str) -> Question:
    def hertz(device: Handle) -> float:
        return nvml.clock_hertz(device, domain)

    return (one(f"nvmlDeviceGetClockInfo/{domain}", catalog.CLOCK, hertz, label),)


def _throttle_seconds(number: int, reason: str) -> Field:
    return Field(number, catalog.THROTTLE_SECONDS, (reason,), scale=_NANO)


def _pcie_bytes(number: int, direction: str) -> Question:
    return (Field(number, gpu_links.PCIE_BYTES, (direction,), wraps=True),)


FAST: tuple[Question, ...] = (
    (
        Call(
            "nvmlDeviceGetUtilizationRates",
            (catalog.UTILIZATION, catalog.MEMORY_UTILIZATION),
            _utilization,
        ),
    ),
    (
        Field(186, catalog.POWER, ("instant",), scale=_MILLI),
        one("nvmlDeviceGetPowerUsage", catalog.POWER, nvml.power_watts, "average"),
    ),
    (
        Field(83, catalog.ENERGY, scale=_MILLI),
        one("nvmlDeviceGetTotalEnergyConsumption", catalog.ENERGY, nvml.energy_joules),
    ),
)

MEMORY: Question = (
    Call(
        "nvmlDeviceGetMemoryInfo_v2",
        (*_MEMORY, catalog.MEMORY_RESERVED),
        lambda device: _memory_values(nvml.memory(device)),
    ),
    Call(
        "nvmlDeviceGetMemoryInfo",
        _MEMORY,
        lambda device: _memory_values(nvml.memory_before_v2(device)),
    ),
)
"""Asked of the whole device, and of each of its MIG instances."""

MEDIUM: tuple[Question, ...] = (
    MEMORY,
    # Where power now is not known, the fast tier has the mean already.
    (Field(185, catalog.POWER, ("average",), scale=_MILLI, needs=_INSTANT_POWER),),
    (one("nvmlDeviceGetEnforcedPowerLimit", catalog.POWER_LIMIT, nvml.power_limit_watts),),
    (
        one("nvmlDeviceGetTemperatureV", catalog.TEMPERATURE, nvml.core_celsius, "core"),
        one("nvmlDeviceGetTemperature", catalog.TEMPERATURE, nvml.core_celsius_before_v, "core"),
    ),
    (Field(82, catalog.TEMPERATURE, ("memory",)),),
    (one("nvmlDeviceGetMarginTemperature", catalog.TEMPERATURE, nvml.margin_celsius, "margin"),),
    (one("nvmlDeviceGetFanSpeed", catalog.FAN, nvml.fan_ratio),),
    _clock(0, "graphics"),
    _clock(1, "sm"),
    _clock(2, "memory"),
    _clock(3, "video"),
    (
        Call(
            "nvmlDeviceGetCurrentClocksEventReasons",
            (catalog.THROTTLED,),
            lambda device: throttled(nvml.event_reasons(device)),
        ),
        Call(
            "nvmlDeviceGetCurrentClocksThrottleReasons",
            (catalog.THROTTLED,),
            lambda device: throttled(nvml.throttle_reasons(device)),
        ),
    ),
    (_throttle_seconds(74, "sw_power_cap"),),
    (_throttle_seconds(76, "sync_boost"),),
    (_throttle_seconds(77, "board_limit"),),
    (_throttle_seconds(79, "reliability"),),
    # Every few seconds, as 32 bits of bytes are soon full.
    _pcie_bytes(197, "tx"),
    _pcie_bytes(198, "rx"),
)


def thermal_throttling(driver_version: str) -> tuple[Question, ...]:
    """The medium tier's fields whose numbers depend on the driver.

    Drivers 575 and 580.65 number them 251 to 253. From 580.82 on they are 269 to 271, and the
    old numbers are power smoothing, as they were before 575: a wrong one would be read as time.
    In between, and before, only what field 75 says is known for certain.

    >>> [field.number for field, *_ in thermal_throttling("580.126.20")]
    [269, 270, 271]
    >>> [field.number for field, *_ in thermal_throttling("570.172.08")]
    [75]
    """
    first = _first_thermal_field(driver_version)
    software = _throttle_seconds(75, "sw_thermal_slowdown")
    if first is None:
        return ((software,),)
    return (
        (_throttle_seconds(first, "sw_thermal_slowdown"), software),
        (_throttle_seconds(first + 1, "hw_thermal_slowdown"),),
        (_throttle_seconds(first + 2, "hw_power_brake_slowdown"),),
    )


def _first_thermal_field(driver_version: str) -> int | None:
    major, _, rest = driver_version.partition(".")
    minor = rest.partition(".")[0]
    if not (major.isdecimal() and minor.isdecimal()):
        return None
    version = (int(major), int(minor))
    if version >= (580, 82):
        return 269
    return 251 if (575, 0) <= version <= (580, 65) else None
