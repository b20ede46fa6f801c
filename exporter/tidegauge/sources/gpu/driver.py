"""NVML itself, opened at most once at a time: what it counts in, it is asked to count out.

Runs in the driver's lane. Opened here and not on import: NVML must not be opened before a fork.
"""

from contextlib import suppress

from tidegauge.sources.gpu import nvml
from tidegauge.sources.gpu.device import Device
from tidegauge.sources.gpu.nvml import NvmlError


class Driver:
    """`asking` is the call that was made last, for messages."""

    def __init__(self) -> None:
        self.asking = ""
        self._devices: tuple[Device, ...] = ()

    def devices(self) -> tuple[Device, ...]:
        """The machine's GPUs, the same objects until `close`; none leaves NVML closed.

        Raises:
            NvmlError: no library, no driver, or one that does not answer; NVML is closed.
        """
        if not self._devices:
            self._devices = self._open()
        return self._devices

    def close(self) -> tuple[Device, ...]:
        """Forget the devices, so that the next `devices` opens NVML anew. Nothing is left."""
        self._devices = ()
        self.asking = "nvmlShutdown"
        with suppress(NvmlError):  # it is closed, or it is gone: there is nothing to give back
            nvml.close_library()
        return ()

    def _open(self) -> tuple[Device, ...]:
        self.asking = "nvmlInit"
        nvml.open_library()
        try:
            found = self._found()
        except NvmlError:
            asked = self.asking
            self.close()
            self.asking = asked
            raise
        return found or self.close()

    def _found(self) -> tuple[Device, ...]:
        self.asking = "nvmlSystemGetDriverVersion"
        version = nvml.driver_version()
        self.asking = "nvmlDeviceGetCount"
        return tuple(Device(i, driver_version=version) for i in range(nvml.device_count()))
