"""The MIG instances of a device, and how to tell that they are others than before."""

from dataclasses import dataclass

from tidegauge.sources.gpu import nvml, nvml_mig
from tidegauge.sources.gpu.asking import Asker
from tidegauge.sources.gpu.nvml import DeviceLostError, DriverGoneError, Handle, NvmlError

WHOLE = ("", "")
"""The labels `gi` and `ci` of a whole device: absent."""


@dataclass(frozen=True, slots=True)
class Instance:
    """`gi` and `ci` are the GPU and compute instance, `profile` such as 1g.10gb."""

    handle: Handle
    gi: int
    ci: int
    uuid: str
    profile: str

    @property
    def labels(self) -> tuple[str, str]:
        return (str(self.gi), str(self.ci))


Shape = tuple[bool | None, tuple[tuple[int, int, str], ...]]
"""Whether MIG is on (None: the device has none), and (gi, ci, uuid) of each instance."""


@dataclass(frozen=True, slots=True)
class Partition:
    """`mig` is None on a device that has none."""

    mig: bool | None
    instances: tuple[Instance, ...] = ()

    @property
    def shape(self) -> Shape:
        return self.mig, tuple((i.gi, i.ci, i.uuid) for i in self.instances)

    @property
    def targets(self) -> tuple[int | None, ...]:
        """What GPM can be asked of: each GPU instance, or None for the whole device."""
        whole: tuple[int | None, ...] = (None,)
        return tuple({instance.gi: None for instance in self.instances}) or whole


def partition(device: Handle, asker: Asker, before: Partition | None = None) -> Partition:
    """How the device is cut now; `before` where that can't be read.

    Raises:
        DeviceLostError, DriverGoneError: another failure changes nothing.
    """
    try:
        return _partition(device, asker)
    except (DeviceLostError, DriverGoneError):
        raise
    except NvmlError:
        return before or Partition(None)


def profile_of(name: str) -> str:
    """The profile at the end of a MIG device's name; empty if there is none.

    >>> profile_of("NVIDIA H100 80GB HBM3 MIG 1g.10gb")
    '1g.10gb'
    """
    return name.rpartition(" MIG ")[2] if " MIG " in name else ""


def _partition(device: Handle, asker: Asker) -> Partition:
    def mode() -> bool | None:
        return nvml_mig.mig_mode(device)

    mig = asker.optional("nvmlDeviceGetMigMode", mode, None)
    if not mig:
        return Partition(mig)
    listing = "nvmlDeviceGetMigDeviceHandleByIndex"
    handles = asker.timed(listing, lambda: nvml_mig.mig_handles(device))
    return Partition(mig, tuple(_instance(handle, asker) for handle in handles))


def _instance(mig: Handle, asker: Asker) -> Instance:
    gi, ci = asker.timed("nvmlDeviceGetGpuInstanceId", lambda: nvml_mig.instance_ids(mig))
    uuid = asker.timed("nvmlDeviceGetUUID", lambda: nvml.uuid(mig))
    name = asker.timed("nvmlDeviceGetName", lambda: nvml.name(mig))
    return Instance(mig, gi, ci, uuid, profile_of(name))
