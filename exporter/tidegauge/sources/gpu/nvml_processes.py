"""The untyped edge: processes on a device, by the pids of the namespace that the driver knows."""

from dataclasses import dataclass

import pynvml

from tidegauge.sources.gpu.nvml import Handle
from tidegauge.sources.gpu.nvml_errors import NOT_FOUND, SUCCESS, NvmlError, ours


@dataclass(frozen=True, slots=True)
class Running:
    """`memory_bytes` is None where the driver does not say."""

    pid: int
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class Usage:
    """A process's share of the SMs in the sample period that ended at `at_us`."""

    pid: int
    at_us: int
    sm_ratio: float


def running(device: Handle) -> tuple[Running, ...]:
    with ours:
        found = pynvml.nvmlDeviceGetComputeRunningProcesses_v3(device)
    return tuple(Running(int(process.pid), process.usedGpuMemory) for process in found)


def usage(device: Handle, since_us: int) -> tuple[Usage, ...]:
    """The samples after `since_us`; a device on which nothing ran has none, which is no error."""
    try:
        with ours:
            found = pynvml.nvmlDeviceGetProcessUtilization(device, since_us)
    except NvmlError as error:
        # pynvml raises "success" too, where the driver has no process to tell of.
        if error.code in {NOT_FOUND, SUCCESS}:
            return ()
        raise
    samples = (Usage(int(s.pid), int(s.timeStamp), int(s.smUtil) / 100) for s in found)
    return tuple(sample for sample in samples if sample.at_us > since_us)
