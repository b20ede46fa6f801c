"""NVML itself: opened once in a process, which ends when it has to be opened anew.

Its library is never unloaded, so a new driver needs a new process. Opened in a thread of the
child and not on import: NVML must not be opened before a fork.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tidegauge.sources.gpu import nvml
from tidegauge.sources.gpu.asking import OnCall
from tidegauge.sources.gpu.nvml import NvmlError

PROC_GPUS = Path("/proc/driver/nvidia/gpus")

Answer = TypeVar("Answer")


class Driver:
    """`asking` is the call that was made last, for messages."""

    def __init__(self, on_call: OnCall, *, folder: Path = PROC_GPUS) -> None:
        self.asking = ""
        self._on_call = on_call
        self._folder = folder

    def open(self) -> tuple[str, int]:
        """The driver's version, and how many devices it lists.

        Raises:
            NvmlError: no library, no driver, or one that does not answer.
        """
        self._ask("nvmlInit", nvml.open_library)
        return self._ask("nvmlSystemGetDriverVersion", nvml.driver_version), self._count()

    def machine(self) -> tuple[int, int]:
        """A device more or less shows here: what NVML lists, and what the kernel's module does.

        NVML lists what was there when it was opened; the module knows of what came later.
        """
        return self._count(), self._folders()

    def _folders(self) -> int:
        try:
            return len(tuple(self._folder.iterdir()))
        except OSError:  # not there, hidden from us, or removed with the module this moment
            return 0

    def _count(self) -> int:
        return self._ask("nvmlDeviceGetCount", nvml.device_count)

    def _ask(self, name: str, call: Callable[[], Answer]) -> Answer:
        self.asking, started, code = name, time.perf_counter(), 0
        try:
            return call()
        except NvmlError as error:
            code = error.code
            raise
        finally:
            self._on_call(name, time.perf_counter() - started, code)
