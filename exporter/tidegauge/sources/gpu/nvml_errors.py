"""NVML's return codes as exceptions, told apart by what a reader does about them.

NvmlError                   this call failed now
├── UnsupportedError        this device or driver does not know the call: do not ask again
├── ForbiddenError          this process may not ask it
├── DeviceLostError         the device fell off the bus or needs a reset
└── DriverGoneError         NVML itself has to be opened again
"""

from types import TracebackType

import pynvml

SUCCESS = int(pynvml.NVML_SUCCESS)
INVALID_ARGUMENT = int(pynvml.NVML_ERROR_INVALID_ARGUMENT)
NOT_FOUND = int(pynvml.NVML_ERROR_NOT_FOUND)
TIMEOUT = int(pynvml.NVML_ERROR_TIMEOUT)


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


def error_of(code: int) -> NvmlError:
    """The code as our exception, with NVML's own words."""
    return _KINDS.get(code, NvmlError)(code, str(pynvml.NVMLError(code)))


class _Ours:
    """Turns pynvml's errors into ours; its own can't be hashed or caught by meaning."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if isinstance(error, pynvml.NVMLError):
            raise error_of(int(error.value)) from error


ours = _Ours()
"""`with ours:` around every use of pynvml. Keeps no state, so that one will do for all threads."""
