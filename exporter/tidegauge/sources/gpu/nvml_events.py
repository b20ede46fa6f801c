"""The untyped edge: event sets, of which we want Xids alone."""

import ctypes
from dataclasses import dataclass
from typing import NewType

import pynvml

from tidegauge.sources.gpu.nvml import Handle
from tidegauge.sources.gpu.nvml_errors import TIMEOUT, NvmlError, ours

EventSet = NewType("EventSet", object)


@dataclass(frozen=True, slots=True)
class XidEvent:
    device: Handle
    xid: int


def new_event_set() -> EventSet:
    """Pair with `free_event_set`."""
    with ours:
        return EventSet(pynvml.nvmlEventSetCreate())


def free_event_set(events: EventSet) -> None:
    with ours:
        pynvml.nvmlEventSetFree(events)


def register_xids(device: Handle, events: EventSet) -> None:
    with ours:
        pynvml.nvmlDeviceRegisterEvents(device, pynvml.nvmlEventTypeXidCriticalError, events)


def wait_for_xid(events: EventSet, timeout_ms: int) -> XidEvent | None:
    """The next Xid, or None if there was none in that time. Blocks, without the GIL."""
    try:
        with ours:
            seen = pynvml.nvmlEventSetWait_v2(events, timeout_ms)
    except NvmlError as error:
        if error.code == TIMEOUT:
            return None
        raise
    return XidEvent(Handle(seen.device), int(seen.eventData))


def address(device: Handle) -> int:
    """The same for two handles of one device, which as ctypes pointers don't compare equal."""
    return ctypes.cast(device, ctypes.c_void_p).value or 0  # type: ignore[arg-type]
