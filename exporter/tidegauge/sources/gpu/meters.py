"""What one device adds up and sums up between two scrapes, out of its samples.

No clock, no network, no logging: same arguments, same answer. `now` is monotonic, `wall` in Unix
seconds; values with more labels than the device's own are of a part of it, and are left out.
"""

from collections.abc import Sequence
from typing import Literal

from tidegauge.catalog import Metric, gpu_meters
from tidegauge.catalog import gpu as catalog
from tidegauge.samples import Sample
from tidegauge.sources.gpu.fallback import Fallback
from tidegauge.sources.gpu.measured import Measured
from tidegauge.sources.gpu.throttle import ThrottleMeter
from tidegauge.sources.gpu.window import PowerWindow

RingKind = Literal["power", "utilization"]
RING_KINDS: tuple[RingKind, ...] = ("power", "utilization")

_WATTS = tuple((catalog.POWER, labels) for labels in (("instant",), (), ("average",)))


class DeviceMeters:
    """Fed by the tiers and by NVML's ring; `within` is the longest gap that is bridged."""

    def __init__(self, labels: tuple[str, str], *, window_seconds: float) -> None:
        self.labels = labels
        self._busy = Measured(ramp=False)
        self._power = Measured(ramp=True)
        self._energy = Fallback()  # of the integral of power
        self._throttle = ThrottleMeter()
        self._window = PowerWindow(window_seconds)
        self._drained_us = dict.fromkeys(RING_KINDS, 0)

    def fast(self, samples: Sequence[Sample], *, now: float, wall: float, within: float) -> None:
        """Utilisation, power, and whether NVML has an energy counter."""
        seen = self._of_the_device(samples)
        busy = seen.get((catalog.UTILIZATION, ()))
        if busy is not None:
            self._busy.polled(now, busy, within=within)
        self._energy.heard(counter=(catalog.ENERGY, ()) in seen)
        watts = next((seen[key] for key in _WATTS if key in seen), None)
        if watts is not None:
            weight = self._power.polled(now, watts, within=within)
            self._window.add(wall, watts, weight)

    def throttled(self, samples: Sequence[Sample], *, now: float, within: float) -> None:
        """The reasons that hold the clocks down, and which of them NVML counts."""
        seen = self._of_the_device(samples)
        bits = {
            labels[0]: value
            for (metric, labels), value in seen.items()
            if metric is catalog.THROTTLED
        }
        counted = {labels[0] for metric, labels in seen if metric is catalog.THROTTLE_SECONDS}
        self._throttle.add(now, bits, counted=counted, within=within)

    def since(self, kind: RingKind) -> int:
        """Up to when the ring has been drained, in microseconds of the driver's clock."""
        return self._drained_us[kind]

    def drained(
        self,
        kind: RingKind,
        new: Sequence[tuple[int, float]],
        *,
        now: float,
        wall: float,
        within: float,
    ) -> None:
        """NVML's own samples since then; the newest is taken to be of this moment."""
        if not new:
            return
        since, newest = self._drained_us[kind], new[-1][0]
        self._drained_us[kind] = newest
        if not since:  # what was before us, or before a restart, was counted or is nobody's
            new = new[-1:]
        meter = self._power if kind == "power" else self._busy
        weights = meter.drained(now, [(at / 1e6, value) for at, value in new], within=within)
        if kind == "power":
            for (at, watts), weight in zip(new, weights, strict=True):
                self._window.add(wall - (newest - at) / 1e6, watts, weight)

    def window(self, wall: float) -> tuple[Sample, ...]:
        """The summary of a window that is over, once."""
        summary = self._window.over(wall)
        if summary is None:
            return ()
        stats = (
            ("min", summary.min),
            ("mean", summary.mean),
            ("max", summary.max),
            ("p95", summary.p95),
        )
        return tuple(
            Sample(gpu_meters.POWER_WINDOW, value, (*self.labels, stat)) for stat, value in stats
        )

    def kept(self) -> list[Sample]:
        """The counters; may be called from another thread."""
        totals: list[tuple[Metric, float | None, tuple[str, ...]]] = [
            (gpu_meters.BUSY, self._busy.total, ()),
            (catalog.ENERGY, self._power.total if self._energy.needed else None, ()),
        ]
        for reason, seconds in self._throttle.seconds.items():
            totals.append((catalog.THROTTLE_SECONDS, seconds, (reason,)))
        return [
            Sample(metric, value, (*self.labels, *labels))
            for metric, value, labels in totals
            if value is not None
        ]

    def _of_the_device(
        self, samples: Sequence[Sample]
    ) -> dict[tuple[Metric, tuple[str, ...]], float]:
        return {
            (sample.metric, sample.labels[2:]): sample.value
            for sample in samples
            if isinstance(sample.value, int | float) and sample.metric in _MEASURED
        }


_MEASURED = frozenset(
    {
        catalog.UTILIZATION,
        catalog.POWER,
        catalog.ENERGY,
        catalog.THROTTLED,
        catalog.THROTTLE_SECONDS,
    }
)
