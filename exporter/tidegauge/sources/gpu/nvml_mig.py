"""The untyped edge: MIG, a device cut into instances that have handles of their own."""

import pynvml

from tidegauge.sources.gpu.nvml import Handle
from tidegauge.sources.gpu.nvml_errors import NOT_FOUND, NvmlError, ours


def mig_mode(device: Handle) -> bool:
    """Whether MIG is on now; a mode that waits for a reset does not count."""
    with ours:
        return bool(pynvml.nvmlDeviceGetMigMode(device)[0])


def mig_handles(device: Handle) -> tuple[Handle, ...]:
    """The MIG devices that are there, in the order of their slots."""
    with ours:
        slots = int(pynvml.nvmlDeviceGetMaxMigDeviceCount(device))
    found = (_mig_handle(device, slot) for slot in range(slots))
    return tuple(handle for handle in found if handle is not None)


def instance_ids(mig: Handle) -> tuple[int, int]:
    """GPU instance and compute instance."""
    with ours:
        gi = pynvml.nvmlDeviceGetGpuInstanceId(mig)
        return int(gi), int(pynvml.nvmlDeviceGetComputeInstanceId(mig))


def _mig_handle(device: Handle, slot: int) -> Handle | None:
    try:
        with ours:
            return Handle(pynvml.nvmlDeviceGetMigDeviceHandleByIndex(device, slot))
    except NvmlError as error:
        if error.code == NOT_FOUND:  # slots have holes
            return None
        raise
