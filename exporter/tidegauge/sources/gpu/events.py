"""Xids as they happen: a wait that blocks, for a thread of its own.

An Xid that happened before the watcher was there is not delivered; the driver's log has it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tidegauge.sources.gpu import nvml, nvml_events
from tidegauge.sources.gpu.asking import Asker, OnCall
from tidegauge.sources.gpu.nvml import DriverGoneError, Handle, NvmlError
from tidegauge.sources.gpu.nvml_events import XidEvent
from tidegauge.sources.gpu.xid_ledger import Xid

__all__ = ["Xid", "XidWatcher"]

_AT_ONCE = 64
"""Xids that one wait gives at most: a device may raise them faster than we count."""


@dataclass(frozen=True, slots=True)
class _Watched:
    index: int
    uuid: str


class XidWatcher:
    """Watches the devices that it is told to; NVML has to be open. `close` gives the set back.

    A device that can't be watched costs itself alone: it is missing from `watching`. `on_call`
    is told of a wait only when it fails: one that waits holds up nobody.

    Raises:
        NvmlError: events are not to be had at all.
    """

    def __init__(
        self, *, on_call: OnCall | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._on_call = on_call
        self._clock = clock
        self._asker = Asker(on_call)
        self._events = self._asker.timed("nvmlEventSetCreate", nvml_events.new_event_set)
        self._devices: dict[int, _Watched] = {}

    @property
    def watching(self) -> tuple[int, ...]:
        """Indexes of the devices whose Xids are delivered."""
        return tuple(device.index for device in self._devices.values())

    def watch(self, index: int) -> None:
        """Watch the device from now on, while nobody waits; it may hang, as any call may.

        Raises:
            DriverGoneError: nothing can be watched any more.
        """
        try:
            device = self._asker.timed("nvmlDeviceGetHandleByIndex", lambda: nvml.handle(index))
            uuid = self._asker.timed("nvmlDeviceGetUUID", lambda: nvml.uuid(device))
            self._asker.timed(
                "nvmlDeviceRegisterEvents", lambda: nvml_events.register_xids(device, self._events)
            )
        except DriverGoneError:
            raise
        except NvmlError:
            return
        self._devices[nvml_events.address(device)] = _Watched(index, uuid)

    def wait(self, timeout_ms: int) -> tuple[Xid, ...]:
        """The Xids that happened since the last wait, or within this one; () if there were none.

        Raises:
            NvmlError: it failed now; with DriverGoneError the watcher has to be made anew.
        """
        event = self._next(timeout_ms)
        found: list[Xid] = []
        while event is not None:
            found.append(self._xid(event))
            if len(found) == _AT_ONCE:
                break
            try:
                event = self._next(0)
            except NvmlError:  # it will be there at the next wait; what we have must not be lost
                break
        return tuple(found)

    def close(self) -> None:
        """Give the event set back, while nobody waits on it."""
        nvml_events.free_event_set(self._events)

    def _next(self, timeout_ms: int) -> XidEvent | None:
        try:
            return nvml_events.wait_for_xid(self._events, timeout_ms)
        except NvmlError as error:
            if self._on_call:
                self._on_call("nvmlEventSetWait", 0.0, error.code)
            raise

    def _xid(self, event: XidEvent) -> Xid:
        known = self._devices.get(nvml_events.address(event.device)) or _asked(event.device)
        return Xid(known.index, known.uuid, event.xid, self._clock())


def _asked(device: Handle) -> _Watched:
    """A device by another handle than the one we know, as after it was put back."""
    return _Watched(nvml.index(device), nvml.uuid(device))
