"""The untyped edge: the driver, and what a device is. What it does is in the nvml_*.py beside this.

Nothing else imports pynvml. Every function may block for as long as the driver likes, so it is
called from a thread or process of its own and never from the event loop. All values are in base
units, and all errors ours (nvml_errors.py).
"""

from typing import NewType

import pynvml

from tidegauge.sources.gpu.nvml_errors import (
    DeviceLostError,
    DriverGoneError,
    ForbiddenError,
    NvmlError,
    UnsupportedError,
    ours,
)

__all__ = [
    "DeviceLostError",
    "DriverGoneError",
    "ForbiddenError",
    "Handle",
    "NvmlError",
    "UnsupportedError",
]

Handle = NewType("Handle", object)


def open_library() -> None:
    """Count one user more of NVML: pair each success with `close_library`."""
    with ours:
        pynvml.nvmlInit()


def close_library() -> None:
    with ours:
        pynvml.nvmlShutdown()


def driver_version() -> str:
    with ours:
        return str(pynvml.nvmlSystemGetDriverVersion())


def cuda_version() -> str:
    """The newest CUDA that the driver can run, such as 12.8."""
    with ours:
        version = int(pynvml.nvmlSystemGetCudaDriverVersion_v2())
    return f"{version // 1000}.{version % 1000 // 10}"


def confidential() -> bool:
    """Whether confidential computing is on."""
    with ours:
        return bool(pynvml.nvmlSystemGetConfComputeState().ccFeature)


def device_count() -> int:
    with ours:
        return int(pynvml.nvmlDeviceGetCount())


def handle(index: int) -> Handle:
    with ours:
        return Handle(pynvml.nvmlDeviceGetHandleByIndex(index))


def index(device: Handle) -> int:
    with ours:
        return int(pynvml.nvmlDeviceGetIndex(device))


def name(device: Handle) -> str:
    with ours:
        return str(pynvml.nvmlDeviceGetName(device))


def uuid(device: Handle) -> str:
    with ours:
        return str(pynvml.nvmlDeviceGetUUID(device))


def pci(device: Handle) -> str:
    """The bus address, such as 00000000:3B:00.0."""
    with ours:
        return str(pynvml.nvmlDeviceGetPciInfo(device).busId)


def ecc_mode(device: Handle) -> bool:
    """Whether memory is checked now; a mode that waits for a reboot does not count."""
    with ours:
        return bool(pynvml.nvmlDeviceGetEccMode(device)[0])


def persistence_mode(device: Handle) -> bool:
    """Whether the driver stays loaded while nothing uses the device."""
    with ours:
        return bool(pynvml.nvmlDeviceGetPersistenceMode(device))
