"""What a device is, as labels of llm_gpu_info: what stays, and modes that may be switched."""

from collections.abc import Callable
from typing import Literal

from tidegauge.sources.gpu import nvml
from tidegauge.sources.gpu.asking import Asker
from tidegauge.sources.gpu.nvml import DeviceLostError, DriverGoneError, Handle, NvmlError

Switch = Literal["on", "off", ""]
"""Empty where it can't be known."""

Modes = tuple[Switch, Switch, Switch]
UNKNOWN: Modes = ("", "", "")


def uuid_of(device: Handle, asker: Asker) -> str:
    return asker.optional("nvmlDeviceGetUUID", lambda: nvml.uuid(device), "")


def identity(device: Handle, asker: Asker) -> tuple[str, str, str]:
    """Name, PCI address, and the newest CUDA that the driver runs; empty if not supported.

    Raises:
        NvmlError: the device does not say what it is.
    """
    return (
        asker.optional("nvmlDeviceGetName", lambda: nvml.name(device), ""),
        asker.optional("nvmlDeviceGetPciInfo", lambda: nvml.pci(device), ""),
        asker.optional("nvmlSystemGetCudaDriverVersion", nvml.cuda_version, ""),
    )


def modes(device: Handle, asker: Asker, before: Modes = UNKNOWN) -> Modes:
    """ECC, persistence and confidential computing; as `before` where one can't be read now.

    Raises:
        DeviceLostError, DriverGoneError: nothing else can be read either.
    """
    ecc, persistence, cc = before
    return (
        _mode("nvmlDeviceGetEccMode", lambda: nvml.ecc_mode(device), asker, ecc),
        _mode(
            "nvmlDeviceGetPersistenceMode",
            lambda: nvml.persistence_mode(device),
            asker,
            persistence,
        ),
        _mode("nvmlSystemGetConfComputeState", nvml.confidential, asker, cc),
    )


def switch(is_on: bool | None) -> Switch:  # noqa: FBT001  # the whole of what it is told
    """How a mode is written.

    >>> switch(True), switch(None)
    ('on', '')
    """
    return "" if is_on is None else "on" if is_on else "off"


def _mode(name: str, ask: Callable[[], bool], asker: Asker, before: Switch) -> Switch:
    def known() -> bool | None:
        return ask()

    try:
        return switch(asker.optional(name, known, None))
    except (DeviceLostError, DriverGoneError):
        raise
    except NvmlError:
        return before
