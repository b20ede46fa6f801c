"""One device's thread: reads it tier by tier, each on its own clock.

A call that hangs keeps its lane and nothing else. Only this thread writes; `state` and `kept` are
called from another one, and what they read is replaced whole.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from tidegauge.catalog import gpu as catalog
from tidegauge.samples import Sample
from tidegauge.sources.gpu.asking import OnCall
from tidegauge.sources.gpu.calls import Tier
from tidegauge.sources.gpu.cost import Cost
from tidegauge.sources.gpu.meters import RING_KINDS, DeviceMeters, RingKind
from tidegauge.sources.gpu.nvml import DeviceLostError, DriverGoneError, ForbiddenError, NvmlError
from tidegauge.sources.gpu.protocol import DeviceState, End, Part, Trouble
from tidegauge.sources.gpu.settings import Beat, Settings

FEW_INTERVALS = 3  # a value is true, and a gap is bridged, for so many intervals
MOMENT_SECONDS = 0.5  # and a moment: threads are late now and then
SICK_SECONDS = 1.0  # a device that fails is asked no more often
CALLS_KEPT = 100_000  # taken away every second; if nobody does, let go of the oldest


class Readable(Protocol):
    """A device as its lane sees it; Device is one."""

    index: int
    labels: tuple[str, str]

    @property
    def asking(self) -> str:
        """The call that was made last."""

    def read(self, tier: Tier) -> tuple[Sample, ...]:
        """The tier's samples now; raises NvmlError."""

    def ring(self, kind: RingKind, since_us: int) -> tuple[tuple[int, float], ...]:
        """NVML's own samples after `since_us` of the driver's clock, oldest first; or none."""


@dataclass(slots=True)
class Pace:
    """How often each tier of a device is read; replaced whole by whoever watches the budget."""

    intervals: dict[Beat, float]


@dataclass(frozen=True, slots=True)
class _Failure:
    trouble: Trouble
    message: str
    since: float


class Lane:
    """One device, its meters and its schedule.

    `calls` holds (name, seconds, code) of each NVML call until somebody takes it away. `end` is
    set when the child has to end.
    """

    def __init__(
        self,
        make_device: Callable[[OnCall], Readable],
        settings: Settings,
        pace: Pace,
        *,
        stagger: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.calls: deque[tuple[str, float, int]] = deque(maxlen=CALLS_KEPT)
        self.parts: dict[str, Part] = {}
        self.end: End | None = None
        self._device = make_device(self._on_call)
        self._settings = settings
        self.pace = pace
        self._stagger = stagger
        self._clock, self._wall = clock, wall
        self._due: dict[Beat, float] = dict.fromkeys(pace.intervals, clock())
        self._costs = {beat: Cost() for beat in pace.intervals}
        self._tried: set[Beat] = set()
        self._started_at: float | None = None
        self._answered_at: float | None = None
        self._failures: dict[Beat, _Failure] = {}
        self._spent = 0.0
        self._meters: DeviceMeters | None = None  # from the first answer on, when it has a name
        self._mig = ""

    def run(self) -> None:
        """Read until the child has to end: a thread's whole life."""
        while self.end is None:
            beat = self.next_beat()
            time.sleep(max(self._due[beat] - self._clock(), 0.0))
            self.read(beat)

    def next_beat(self) -> Beat:
        return min(self._due, key=self._due.__getitem__)

    def read(self, beat: Beat) -> None:
        """Read one tier now, and settle when it is read again."""
        started = self._started_at = self._clock()
        self._spent = 0.0
        try:
            self._ask(beat, started)
            self._failures.pop(beat, None)
        except DriverGoneError as error:
            self.end = End("driver", self._said(error))
        except NvmlError as error:
            self._failed(beat, _trouble(error), self._said(error), started)
        except Exception as error:  # noqa: BLE001 - a bug in one call must not end the lane
            self._failed(beat, "failed", self._said(error), started)
        self._started_at = None
        self._costs[beat].add(self._spent)
        self._tried.add(beat)
        self._due[beat] = self._next(beat, started)

    @property
    def labels(self) -> tuple[str, str]:
        return self._device.labels

    @property
    def settled(self) -> bool:
        """Whether every tier was tried once, or something is wrong."""
        return len(self._tried) == len(self._due) or self._failure() is not None

    @property
    def costs(self) -> dict[Beat, float]:
        """The driver time of one read of each tier, where it is known."""
        costs = ((beat, cost.seconds) for beat, cost in self._costs.items())
        return {beat: seconds for beat, seconds in costs if seconds is not None}

    def state(self, now: float) -> DeviceState:
        """The device as it is, its parts left out."""
        device = self._device
        well = DeviceState(device.index, device.labels, self._answered_at, settled=self.settled)
        failure = self._hung(now) or self._failure()
        if failure is None:
            return well
        seconds = now - failure.since
        return replace(
            well, trouble=failure.trouble, trouble_seconds=seconds, message=failure.message
        )

    def kept(self) -> list[Sample]:
        """The meters, as counters since the lane began."""
        return self._meters.kept() if self._meters else []

    def _on_call(self, name: str, seconds: float, code: int) -> None:
        self._spent += seconds
        self.calls.append((name, seconds, code))

    def _ask(self, beat: Beat, now: float) -> None:
        within, wall = FEW_INTERVALS * self._interval(beat) + MOMENT_SECONDS, self._wall()
        if beat == "ring":
            if self._meters:
                self._drain(self._meters, within)
            return
        samples = tuple(s for s in self._device.read(beat) if _finite(s))
        meters = self._meters
        if meters is None or meters.labels != self._device.labels:
            seconds = self._settings.window_seconds
            meters = self._meters = DeviceMeters(self._device.labels, window_seconds=seconds)
        if beat == "fast":
            self._answered_at = now
            self._look_at_mig(samples)
            meters.fast(samples, now=now, wall=wall, within=within)
            if window := meters.window(wall):
                self._put("window", window, now, 2 * self._settings.window_seconds)
        else:
            samples = tuple(s for s in samples if s.metric is not catalog.INFO)
            if beat == "medium":
                meters.throttled(samples, now=now, within=within)
        self._put(beat, samples, now, FEW_INTERVALS * self._interval(beat))

    def _drain(self, meters: DeviceMeters, within: float) -> None:
        for kind in RING_KINDS:
            new = self._device.ring(kind, meters.since(kind))
            meters.drained(kind, new, now=self._clock(), wall=self._wall(), within=within)

    def _put(self, name: str, samples: tuple[Sample, ...], now: float, good_for: float) -> None:
        grace = self._settings.timeout_seconds + self._settings.publish_seconds
        self.parts[name] = Part(name, now, good_for + grace, samples)

    def _look_at_mig(self, samples: tuple[Sample, ...]) -> None:
        mig = next((_mig(s) for s in samples if s.metric is catalog.INFO), "")
        if mig and self._mig and mig != self._mig:  # empty: it can't be read now
            self.end = End("mig", f"GPU {self._device.index}: MIG was {self._mig}, is {mig}")
        self._mig = mig or self._mig

    def _said(self, error: Exception) -> str:
        text = str(error) if isinstance(error, NvmlError) else repr(error)
        return f"{self._device.asking} on GPU {self._device.index}: {text}"

    def _failed(self, beat: Beat, trouble: Trouble, message: str, now: float) -> None:
        before = self._failures.get(beat)
        since = before.since if before and before.trouble == trouble else now
        self._failures[beat] = _Failure(trouble, message, since)

    def _hung(self, now: float) -> _Failure | None:
        started, device = self._started_at, self._device
        if started is None or now - started <= self._settings.timeout_seconds:
            return None
        message = f"{device.asking} on GPU {device.index} has not returned"
        return _Failure("hung", message, started)

    def _failure(self) -> _Failure | None:
        """A device is lost whoever hears it first; else it is as well as its fast tier."""
        failures = dict(self._failures)
        lost = (failure for failure in failures.values() if failure.trouble == "lost")
        return next(lost, failures.get("fast"))

    def _next(self, beat: Beat, started: float) -> float:
        interval = self._interval(beat)
        failure = self._failures.get(beat)
        if failure is not None:  # whoever heard that it is lost has to hear that it is back
            lost = failure.trouble == "lost"
            interval = SICK_SECONDS if lost else max(interval, SICK_SECONDS)
        if self._stagger and beat == "fast":  # devices are not asked all at once
            wait, self._stagger = (1 + self._stagger) * interval, 0.0
            return started + wait
        due = self._due[beat] + interval
        return due if started < due <= started + interval else started + interval

    def _interval(self, beat: Beat) -> float:
        return self.pace.intervals[beat]


def _finite(sample: Sample) -> bool:
    """Missing is missing: a driver that says NaN does not know."""
    return isinstance(sample.value, int | float) and math.isfinite(sample.value)


def _mig(info: Sample) -> str:
    return info.labels[info.metric.labels.index("mig")]


def _trouble(error: NvmlError) -> Trouble:
    if isinstance(error, DeviceLostError):
        return "lost"
    return "forbidden" if isinstance(error, ForbiddenError) else "failed"
