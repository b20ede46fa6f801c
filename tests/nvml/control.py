"""The machine that the NVML stand-in plays: a control file, its log, and the values of one GPU.

The protocol is at the top of nvml_stub.c. Each change replaces the file, so a call sees the old
machine or the new one.
"""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

CONTROL_VARIABLE = "TIDEGAUGE_NVML_CONTROL"
ANY_GPU = "*"
DRIVER = "-"

# nvmlReturn_t
NOT_SUPPORTED = 3
NO_PERMISSION = 4
DRIVER_NOT_LOADED = 9
FUNCTION_NOT_FOUND = 13
GPU_IS_LOST = 15
UNKNOWN = 999

# One busy device, in NVML's own units: percent, bytes, mW, mJ, MHz; 0x4 is the software power cap.
H100: Mapping[str, tuple[int, ...]] = {
    "nvmlDeviceGetUtilizationRates": (87, 41),
    "nvmlDeviceGetMemoryInfo_v2": (85_520_809_984, 603_979_776, 24_916_830_208, 60_000_000_000),
    "nvmlDeviceGetMemoryInfo": (85_520_809_984, 24_916_830_208, 60_603_979_776),
    "nvmlDeviceGetPowerUsage": (612_345,),
    "nvmlDeviceGetEnforcedPowerLimit": (700_000,),
    "nvmlDeviceGetTotalEnergyConsumption": (98_765_432_109,),
    "nvmlDeviceGetTemperatureV/0": (64,),
    "nvmlDeviceGetTemperature/0": (64,),
    "nvmlDeviceGetFieldValues/82": (71, 1),
    "nvmlDeviceGetClockInfo/0": (1755,),
    "nvmlDeviceGetClockInfo/1": (1770,),
    "nvmlDeviceGetClockInfo/2": (2619,),
    "nvmlDeviceGetClockInfo/3": (1545,),
    "nvmlDeviceGetCurrentClocksEventReasons": (0x4,),
    "nvmlDeviceGetCurrentClocksThrottleReasons": (0x4,),
}


def uuid(gpu: int) -> str:
    return f"GPU-00000000-0000-0000-0000-{gpu:012d}"


class NvmlControl:
    """The stand-in's machine. Starts with `gpus` healthy devices; each method changes it at once.

    `gpu` is an index, ANY_GPU or DRIVER; `call` a C function's name, as in the protocol.
    """

    def __init__(self, path: Path, *, gpus: int = 1) -> None:
        self.path = path
        self._lines: dict[tuple[str, str, str], str] = {("-", "*", "log"): ""}
        self.text(DRIVER, "nvmlSystemGetDriverVersion", "570.86.15")
        self.gpus(gpus)

    def gpus(self, count: int) -> None:
        """As many healthy devices, numbered from 0."""
        self.value(DRIVER, "nvmlDeviceGetCount_v2", count)
        for gpu in range(count):
            self.text(gpu, "nvmlDeviceGetName", "NVIDIA H100 80GB HBM3")
            self.text(gpu, "nvmlDeviceGetUUID", uuid(gpu))
            self.text(gpu, "nvmlDeviceGetPciInfo_v3", f"00000000:{gpu + 1:02X}:00.0")
            for call, values in H100.items():
                self.value(gpu, call, *values)

    def value(self, gpu: int | str, call: str, *values: int) -> None:
        self._put(gpu, call, "value", " ".join(map(str, values)))

    def text(self, gpu: int | str, call: str, text: str) -> None:
        self._put(gpu, call, "text", text)

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

    def _put(self, gpu: int | str, call: str, verb: str, argument: str) -> None:
        self._lines[str(gpu), call, verb] = argument
        self._write()

    def _write(self) -> None:
        lines = (f"{' '.join(key)} {argument}\n" for key, argument in self._lines.items())
        new = self.path.with_name(f"{self.path.name}.new")
        new.write_text("".join(lines))
        new.replace(self.path)
