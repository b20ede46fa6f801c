"""The machine that the NVML stand-in plays: a control file, and its log.

The protocol is at the top of nvml_stub.c. Each change replaces the file, so a call sees the old
machine or the new one. What a healthy GPU says is in machine.py.
"""

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.nvml.machine import CUDA_VERSION, DRIVER_VERSION, H100, Instance, Wave, uuid

__all__ = ["H100", "Instance", "NvmlControl", "Wave", "uuid"]

CONTROL_VARIABLE = "TIDEGAUGE_NVML_CONTROL"
ANY_GPU = "*"
DRIVER = "-"

# nvmlReturn_t
UNINITIALIZED = 1
NOT_SUPPORTED = 3
NO_PERMISSION = 4
NOT_FOUND = 6
DRIVER_NOT_LOADED = 9
FUNCTION_NOT_FOUND = 13
GPU_IS_LOST = 15
LIB_RM_VERSION_MISMATCH = 18
ARGUMENT_VERSION_MISMATCH = 25
UNKNOWN = 999

_PROCESSES = "nvmlDeviceGetComputeRunningProcesses_v3"
_PROCESS_UTILIZATION = "nvmlDeviceGetProcessUtilization"


class NvmlControl:
    """The stand-in's machine. Starts with `gpus` healthy devices; each method changes it at once.

    `gpu` is an index, ANY_GPU or DRIVER, or `"0:1"` for slot 1 of GPU 0's MIG devices; `call` a C
    function's name, as in the protocol. Without `log` the stand-in writes nothing, and is fast.
    """

    def __init__(self, path: Path, *, gpus: int = 1, log: bool = True) -> None:
        self.path = path
        self._written_ns = 0
        self._held = False
        self._xids: list[str] = []
        self._reloads = 0
        self._lines: dict[tuple[str, str, str], str] = {("-", "*", "log"): ""} if log else {}
        self._lines["-", "nvmlSystemGetDriverVersion", "text"] = DRIVER_VERSION
        self._lines["-", "nvmlSystemGetCudaDriverVersion_v2", "value"] = str(CUDA_VERSION)
        self._lines["-", "nvmlSystemGetConfComputeState", "value"] = "0"
        self.gpus(gpus)

    def gpus(self, count: int) -> None:
        """As many healthy devices, numbered from 0: more than before are added, fewer removed."""
        self._lines["-", "nvmlDeviceGetCount_v2", "value"] = str(count)
        for gpu in range(count):
            self._lines[str(gpu), "nvmlDeviceGetName", "text"] = "NVIDIA H100 80GB HBM3"
            self._lines[str(gpu), "nvmlDeviceGetUUID", "text"] = uuid(gpu)
            self._lines[str(gpu), "nvmlDeviceGetPciInfo_v3", "text"] = (
                f"00000000:{gpu + 1:02X}:00.0"
            )
            self._set(gpu, H100)
        self._write()

    def value(self, gpu: int | str, call: str, *values: int) -> None:
        self._put(gpu, call, "value", " ".join(map(str, values)))

    def values(self, gpu: int | str, calls: Mapping[str, tuple[int, ...]]) -> None:
        """Many values in one change."""
        self._set(gpu, calls)
        self._write()

    def text(self, gpu: int | str, call: str, text: str) -> None:
        self._put(gpu, call, "text", text)

    def lack(self, gpu: int | str, *calls: str) -> None:
        """The device does not support these: their values are gone."""
        for call in calls:
            self._lines.pop((str(gpu), call, "value"), None)
        self._write()

    def error(self, gpu: int | str, call: str, code: int) -> None:
        """The call fails until it is healed."""
        self._put(gpu, call, "error", str(code))

    def hang(self, gpu: int | str, call: str, seconds: float) -> None:
        """The call does not return for so long, or until it is healed."""
        self._put(gpu, call, "hang", str(seconds))

    def lose(self, gpu: int) -> None:
        """The device fell off the bus: every call says so."""
        self.error(gpu, "*", GPU_IS_LOST)

    def heal(self) -> None:
        """No error and no hang any more; values stay."""
        self._lines = {k: v for k, v in self._lines.items() if k[2] not in {"error", "hang"}}
        self._write()

    def reload(self) -> None:
        """The driver is replaced: who has NVML open gets LIB_RM_VERSION_MISMATCH for good."""
        self._reloads += 1
        self._put(DRIVER, "*", "reload", str(self._reloads))

    def wave(self, gpu: int | str, wave: Wave) -> None:
        """Power, energy and the sample ring follow the wave from now on."""
        numbers = (wave.base_mw, wave.peak_mw, wave.period_ms, wave.width_ms)
        self._put(gpu, "power", "wave", " ".join(map(str, numbers)))

    def xid(self, gpu: int, code: int) -> None:
        """The device raises an Xid once: each event set that is there now delivers it."""
        self._xids.append(f"{gpu} nvmlEventSetWait_v2 xid {code} {len(self._xids) + 1}\n")
        self._write()

    def mig(self, gpu: int, *instances: Instance) -> None:
        """MIG is on with these instances; utilisation of the whole is not supported then."""
        self._forget_mig(gpu)
        self._lines.pop((str(gpu), "nvmlDeviceGetUtilizationRates", "value"), None)
        self._set(gpu, {"nvmlDeviceGetMigMode": (1, 1)})
        for slot, instance in enumerate(instances):
            name = f"NVIDIA H100 80GB HBM3 MIG {instance.profile}"
            self._lines[f"{gpu}:{slot}", "nvmlDeviceGetName", "text"] = name
            self._lines[f"{gpu}:{slot}", "nvmlDeviceGetUUID", "text"] = instance.uuid
            self._set(f"{gpu}:{slot}", instance.values())
        self._write()

    def no_mig(self, gpu: int) -> None:
        """MIG is off again."""
        self._forget_mig(gpu)
        rates = "nvmlDeviceGetUtilizationRates"
        self._set(gpu, {"nvmlDeviceGetMigMode": (0, 0), rates: H100[rates]})
        self._write()

    def processes(self, gpu: int, *processes: tuple[int, ...]) -> None:
        """(pid, bytes, GPU instance, compute instance), the latter two with MIG only."""
        self._list(gpu, _PROCESSES, processes)

    def process_utilization(self, gpu: int, *samples: tuple[int, ...]) -> None:
        """(pid, timestamp in µs, SM percent, …)."""
        self._list(gpu, _PROCESS_UTILIZATION, samples)

    def calls(self) -> Counter[tuple[str, str]]:
        """How often each (GPU, call) was made so far; `-` is the driver."""
        log = self.path.with_name(f"{self.path.name}.log")
        lines = log.read_text().splitlines() if log.exists() else []
        pairs = (line.split(" ", 1) for line in lines)
        return Counter((gpu, call) for gpu, call in pairs)

    def environment(self, library: Path) -> dict[str, str]:
        """The environment in which a program of its own finds `library` and this machine."""
        folders = (str(library.parent), os.environ.get("LD_LIBRARY_PATH", ""))
        return {
            **os.environ,
            "LD_LIBRARY_PATH": ":".join(filter(None, folders)),
            CONTROL_VARIABLE: str(self.path),
        }

    @contextmanager
    def together(self) -> Iterator[None]:
        """All changes within are one."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self._write()

    def _list(self, gpu: int, call: str, rows: Iterable[tuple[int, ...]]) -> None:
        kept = self._lines.items()
        self._lines = {k: v for k, v in kept if k[0] != str(gpu) or not k[1].startswith(f"{call}/")}
        self._set(gpu, {f"{call}/{slot}": row for slot, row in enumerate(rows)})
        self._write()

    def _forget_mig(self, gpu: int) -> None:
        kept = self._lines.items()
        self._lines = {k: v for k, v in kept if not k[0].startswith(f"{gpu}:")}

    def _set(self, gpu: int | str, calls: Mapping[str, tuple[int, ...]]) -> None:
        for call, values in calls.items():
            self._lines[str(gpu), call, "value"] = " ".join(map(str, values))

    def _put(self, gpu: int | str, call: str, verb: str, argument: str) -> None:
        self._lines[str(gpu), call, verb] = argument
        self._write()

    def _write(self) -> None:
        if self._held:
            return
        lines = [f"{' '.join(key)} {argument}\n" for key, argument in self._lines.items()]
        new = self.path.with_name(f"{self.path.name}.new")
        new.write_text("".join(lines + self._xids))
        # The stand-in reads again when the modification time is another one; a file system's own
        # clock ticks in milliseconds, and would let two changes look alike.
        self._written_ns = max(time.time_ns(), self._written_ns + 1)
        os.utime(new, ns=(self._written_ns, self._written_ns))
        new.replace(self.path)
