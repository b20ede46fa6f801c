"""The machine as the child reads it: the driver, a lane for each device, the budget, the tallies.

`state` is called once a second by the child's main thread, and never waits for NVML.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Protocol

from tidegauge.catalog import nvml as catalog
from tidegauge.samples import Sample
from tidegauge.sources.gpu.asking import OnCall
from tidegauge.sources.gpu.budget import stretched
from tidegauge.sources.gpu.codes import error_name
from tidegauge.sources.gpu.lane import CALLS_KEPT, Lane, Pace, Readable
from tidegauge.sources.gpu.ledger import Ledger
from tidegauge.sources.gpu.nvml import DriverGoneError, NvmlError
from tidegauge.sources.gpu.protocol import DeviceState, End, Part, State
from tidegauge.sources.gpu.settings import Settings
from tidegauge.sources.gpu.tallies import Tallies
from tidegauge.sources.gpu.xid_ledger import Xid, XidLedger

XID_WAIT_MS = 1000
UNNAMED_WAITS, UNNAMED_SECONDS = 20, 0.05  # for devices that have not said yet who they are


class Opener(Protocol):
    """NVML as the machine sees it; Driver is one."""

    asking: str

    def open(self) -> tuple[str, int]:
        """Version and number of devices; raises NvmlError."""

    def machine(self) -> tuple[int, int]:
        """Differs from before when a device came or went; raises NvmlError."""


class Watcher(Protocol):
    """Xids as the machine sees them; XidWatcher is one."""

    def watch(self, index: int) -> None:
        """Hear of this device's, too; raises NvmlError."""

    def wait(self, timeout_ms: int) -> tuple[Xid, ...]:
        """Those that happened; raises NvmlError."""


class Machine:
    """Starts its threads with `start`; all of them are daemons, and end with the process."""

    def __init__(
        self,
        settings: Settings,
        *,
        make_driver: Callable[[OnCall], Opener],
        make_device: Callable[[int, str, OnCall], Readable],
        make_watcher: Callable[[OnCall], Watcher],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._make_device = make_device
        self._make_watcher = make_watcher
        self._clock = clock
        self._calls: deque[tuple[str, float, int]] = deque(maxlen=CALLS_KEPT)
        self._on_call: OnCall = lambda *call: self._calls.append(call)
        self._driver = make_driver(self._on_call)
        self._xids: deque[Xid] = deque(maxlen=CALLS_KEPT)
        self._xid_ledger = XidLedger()
        self._listed: set[tuple[str, str]] = set()
        self._began_at = clock()
        self._opened = False
        self._end: End | None = None
        self._lanes: tuple[Lane, ...] = ()
        self._sent: dict[tuple[int, str], Part] = {}
        self._tallies = Tallies()
        self._ledger = Ledger()

    def start(self) -> None:
        """Open NVML, in a thread: that may hang, too."""
        threading.Thread(target=self._follow, name="nvml", daemon=True).start()

    @property
    def settled(self) -> bool:
        """Whether every device has answered once, or has something to say for itself."""
        return self._opened and all(lane.settled for lane in self._lanes)

    def state(self) -> State:
        """What has changed since the last call."""
        now = self._clock()
        self._tally()
        self._keep_budget()
        ends = (lane.end for lane in self._lanes)
        return State(
            at=now,
            devices=tuple(self._device(lane, now) for lane in self._lanes),
            kept=self._ledger.news(self._kept()),
            opening_seconds=None if self._opened else now - self._began_at,
            opening="" if self._opened else self._driver.asking,
            end=self._end or next((end for end in ends if end), None),
        )

    def _follow(self) -> None:
        try:
            version, count = self._driver.open()
        except NvmlError as error:
            message = f"{self._driver.asking}: {error}; GPUs need NVIDIA's driver and NVML"
            self._end = End("unavailable", message)
            return
        if not count:
            self._end = End("unavailable", "NVML lists no GPU on this machine")
            return
        self._lanes = tuple(self._lane(index, count, version) for index in range(count))
        self._opened = True
        for number, lane in enumerate(self._lanes):
            threading.Thread(target=lane.run, name=f"nvml gpu {number}", daemon=True).start()
        threading.Thread(target=self._listen, name="nvml xid", daemon=True).start()
        self._end = self._watch()

    def _lane(self, index: int, count: int, version: str) -> Lane:
        make = partial(self._make_device, index, version)
        pace = Pace(self._settings.intervals())
        return Lane(make, self._settings, pace, stagger=index / count, clock=self._clock)

    def _watch(self) -> End:
        """Returns when devices came or went, or the driver is gone."""
        before: tuple[int, int] | None = None
        while True:
            try:
                now = self._driver.machine()
                if before is not None and now != before:
                    return End("devices", f"{max(before)} GPUs before, {max(now)} now")
                before = now
            except DriverGoneError as error:
                return End("driver", f"{self._driver.asking}: {error}")
            except NvmlError:  # for this time; the tallies say so
                pass
            time.sleep(self._settings.slow_seconds)

    def _listen(self) -> None:
        """Collect Xids as long as the driver delivers them.

        Of the devices that have answered: one that hangs must not keep us from the others.
        """
        try:
            watcher = self._make_watcher(self._on_call)
        except NvmlError:  # no events here; the tallies say why
            return
        for _ in range(UNNAMED_WAITS):  # so that those that answer are heard from the first moment
            if not all(lane.labels[1] for lane in self._lanes):
                time.sleep(UNNAMED_SECONDS)
        watched: set[int] = set()
        while True:
            try:
                for index, lane in enumerate(self._lanes):
                    if index not in watched and lane.labels[1]:
                        watched.add(index)
                        watcher.watch(index)
                if watched:
                    self._xids.extend(watcher.wait(XID_WAIT_MS))
                else:
                    time.sleep(1)
            except DriverGoneError as error:
                self._end = End("driver", f"Xids: {error}")
                return
            except NvmlError:
                time.sleep(1)

    def _device(self, lane: Lane, now: float) -> DeviceState:
        state, parts = lane.state(now), lane.parts.copy()
        new = tuple(p for p in parts.values() if self._sent.get((state.index, p.name)) is not p)
        self._sent |= {(state.index, part.name): part for part in new}
        return replace(state, parts=new)

    def _tally(self) -> None:
        for calls in (self._calls, *(lane.calls for lane in self._lanes)):
            while calls:
                name, seconds, code = calls.popleft()
                self._tallies.add(name, seconds, error_name(code) if code else None)

    def _keep_budget(self) -> None:
        """Stretch the dearest tiers of the dearest devices: one that is slow slows no other."""
        lanes, wanted = dict(enumerate(self._lanes)), self._settings.intervals()
        paced = stretched(
            {(n, beat): seconds for n in lanes for beat, seconds in wanted.items()},
            {(n, beat): cost for n, lane in lanes.items() for beat, cost in lane.costs.items()},
            budget_ratio=self._settings.budget_ratio,
        )
        for n, lane in lanes.items():
            lane.pace.intervals = {beat: paced[n, beat] for beat in wanted}

    def _intervals(self) -> Iterable[Sample]:
        """Those of the device that is read least often."""
        for beat, seconds in self._settings.intervals().items():
            longest = max((lane.pace.intervals[beat] for lane in self._lanes), default=seconds)
            yield Sample(catalog.TIER_INTERVAL, longest, (beat,))

    def _kept(self) -> Iterable[Sample]:
        yield from self._intervals()
        for lane in self._lanes:
            yield from lane.kept()
        yield from self._xid_samples()
        yield from self._tallies.samples()

    def _xid_samples(self) -> Iterable[Sample]:
        """Known Xids of each device from 0 on; nothing while nothing changes."""
        changed = False
        for lane in self._lanes:
            gpu, uuid = lane.labels
            if uuid and (gpu, uuid) not in self._listed:
                self._listed.add((gpu, uuid))
                self._xid_ledger.watch(int(gpu), uuid)
                changed = True
        while self._xids:
            self._xid_ledger.add(self._xids.popleft())
            changed = True
        return self._xid_ledger.samples() if changed else ()
