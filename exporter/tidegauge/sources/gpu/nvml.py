"""The untyped edge: each NVML function that we use, typed, in base units, with our own errors.

Nothing else imports pynvml. Every function may block for as long as the driver likes, so it is
called from a lane (lane.py) and never from the event loop.

    NvmlError                   this call failed now
    ├── UnsupportedError        this device or driver does not know the call: do not ask again
    ├── ForbiddenError          this process may not ask it
    ├── DeviceLostError         the device fell off the bus or needs a reset
    └── DriverGoneError         NVML itself has to be opened again
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NewType

import pynvml

Handle = NewType("Handle", object)


class NvmlError(Exception):
    """An NVML call returned an error; `code` is its nvmlReturn_t."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnsupportedError(NvmlError):
    """The device, or the driver's library, has no such call."""


class ForbiddenError(NvmlError):
    """Not for this process; of a whole device: it belongs to somebody else's container."""


class DeviceLostError(NvmlError):
    """The device does not answer any more, whatever is asked."""


class DriverGoneError(NvmlError):
    """NVML is closed, or the kernel's driver was unloaded or replaced under it."""


_KINDS: dict[int, type[NvmlError]] = {
    pynvml.NVML_ERROR_NOT_SUPPORTED: UnsupportedError,
    pynvml.NVML_ERROR_FUNCTION_NOT_FOUND: UnsupportedError,
    # An older library knows the function, but not the struct version that pynvml hands it.
    pynvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH: UnsupportedError,
    pynvml.NVML_ERROR_DEPRECATED: UnsupportedError,
    pynvml.NVML_ERROR_NO_PERMISSION: ForbiddenError,
    pynvml.NVML_ERROR_GPU_IS_LOST: DeviceLostError,
    pynvml.NVML_ERROR_GPU_NOT_FOUND: DeviceLostError,
    pynvml.NVML_ERROR_RESET_REQUIRED: DeviceLostError,
    pynvml.NVML_ERROR_UNINITIALIZED: DriverGoneError,
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED: DriverGoneError,
    pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: DriverGoneError,
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: DriverGoneError,
}


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


def open_library() -> None:
    """Count one user more of NVML: pair each success with `close_library`."""
    with _ours():
        pynvml.nvmlInit()


def close_library() -> None:
    with _ours():
        pynvml.nvmlShutdown()


def driver_version() -> str:
    with _ours():
        return str(pynvml.nvmlSystemGetDriverVersion())


def device_count() -> int:
    with _ours():
        return int(pynvml.nvmlDeviceGetCount())


def handle(index: int) -> Handle:
    with _ours():
        return Handle(pynvml.nvmlDeviceGetHandleByIndex(index))


def name(device: Handle) -> str:
    with _ours():
        return str(pynvml.nvmlDeviceGetName(device))


def uuid(device: Handle) -> str:
    with _ours():
        return str(pynvml.nvmlDeviceGetUUID(device))


def pci(device: Handle) -> str:
    """The bus address, such as 00000000:3B:00.0."""
    with _ours():
        return str(pynvml.nvmlDeviceGetPciInfo(device).busId)


def utilization(device: Handle) -> Utilization:
    with _ours():
        rates = pynvml.nvmlDeviceGetUtilizationRates(device)
    return Utilization(gpu_ratio=int(rates.gpu) / 100, memory_ratio=int(rates.memory) / 100)


def memory(device: Handle) -> Memory:
    with _ours():
        seen = pynvml.nvmlDeviceGetMemoryInfo(device, version=pynvml.nvmlMemory_v2)
    return Memory(int(seen.total), int(seen.used), int(seen.free), int(seen.reserved))


def memory_before_v2(device: Handle) -> Memory:
    with _ours():
        seen = pynvml.nvmlDeviceGetMemoryInfo(device)
    return Memory(int(seen.total), int(seen.used), int(seen.free), None)


def power_watts(device: Handle) -> float:
    with _ours():
        return int(pynvml.nvmlDeviceGetPowerUsage(device)) / 1000


def power_limit_watts(device: Handle) -> float:
    with _ours():
        return int(pynvml.nvmlDeviceGetEnforcedPowerLimit(device)) / 1000


def energy_joules(device: Handle) -> float:
    with _ours():
        return int(pynvml.nvmlDeviceGetTotalEnergyConsumption(device)) / 1000


def core_celsius(device: Handle) -> float:
    with _ours():
        return float(pynvml.nvmlDeviceGetTemperatureV(device, pynvml.NVML_TEMPERATURE_GPU))


def core_celsius_before_v(device: Handle) -> float:
    with _ours():
        return float(pynvml.nvmlDeviceGetTemperature(device, pynvml.NVML_TEMPERATURE_GPU))


def memory_celsius(device: Handle) -> float:
    return _field(device, pynvml.NVML_FI_DEV_MEMORY_TEMP)


def clock_hertz(device: Handle, domain: int) -> float:
    """`domain` is an nvmlClockType_t: graphics 0, SM 1, memory 2, video 3."""
    with _ours():
        return int(pynvml.nvmlDeviceGetClockInfo(device, domain)) * 1e6


def event_reasons(device: Handle) -> int:
    """Bit mask of what holds the clocks down now (nvmlClocksEventReason…)."""
    with _ours():
        return int(pynvml.nvmlDeviceGetCurrentClocksEventReasons(device))


def throttle_reasons(device: Handle) -> int:
    """The same bit mask, by the name that older libraries know."""
    with _ours():
        return int(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons(device))


# The member of the value union that each nvmlValueType_t fills.
_MEMBERS = ("dVal", "uiVal", "ulVal", "ullVal", "sllVal", "siVal", "usVal")


def _field(device: Handle, field: int) -> float:
    """One field's value. The call succeeds as a whole: each field has a return code of its own."""
    with _ours():
        answer = pynvml.nvmlDeviceGetFieldValues(device, [field])[0]
        if answer.nvmlReturn != pynvml.NVML_SUCCESS:
            raise pynvml.NVMLError(answer.nvmlReturn)
        return float(getattr(answer.value, _MEMBERS[answer.valueType]))


@contextmanager
def _ours() -> Iterator[None]:
    """Turn pynvml's errors into ours; its own can't be hashed or caught by meaning."""
    try:
        yield
    except pynvml.NVMLError as error:
        code = int(error.value)
        raise _KINDS.get(code, NvmlError)(code, str(error)) from error
