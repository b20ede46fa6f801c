"""What is known of the devices in the parent: the children's states put together, as samples.

No clock, no network, no logging: same arguments, same answer. `now` is monotonic.
"""

from dataclasses import replace

from tidegauge.catalog import Metric, gpu_meters
from tidegauge.catalog import gpu as catalog
from tidegauge.samples import Sample
from tidegauge.sources.gpu.carried import Carried
from tidegauge.sources.gpu.onward import Onward
from tidegauge.sources.gpu.protocol import DeviceState, Part, State

# Both NVML and we may count these; where NVML ever did, ours is not shown.
_COUNTED_TWICE = frozenset[Metric]({catalog.ENERGY, catalog.THROTTLE_SECONDS})


class Board:
    """A device that was seen once stays: when it is gone, its `llm_gpu_up` is 0."""

    def __init__(self) -> None:
        self.devices: tuple[DeviceState, ...] = ()
        self._known: dict[str, tuple[str, str]] = {}  # by uuid, or by index where there is none
        self._at: dict[int, tuple[str, str]] = {}  # who was last seen at which index
        self._answered: dict[str, float] = {}
        self._parts: dict[tuple[int, str], Part] = {}
        self._nvml_counts: set[tuple[Metric, tuple[str, ...]]] = set()
        self._carried = Carried()
        self._onward = Onward()

    def take(self, state: State) -> None:
        """One more state of the present child."""
        if state.devices:  # none while a new child still opens NVML
            self.devices = tuple(replace(device, parts=()) for device in state.devices)
        for device in state.devices:
            self._name(device)
            for part in device.parts:
                samples = tuple(map(self._onward.follow, part.samples))
                self._parts[device.index, part.name] = replace(part, samples=samples)
                both = (s for s in samples if s.metric in _COUNTED_TWICE)
                self._nvml_counts.update((s.metric, s.labels) for s in both)
        self._carried.update(state.kept)

    def turn(self) -> None:
        """The child has ended. What it said is true for as long as it said."""
        self._carried.turn()
        self._onward.turn()

    def forget(self, metric: Metric) -> None:
        """Show nothing of a kept metric until a child says it anew."""
        self._carried.forget(metric)

    def samples(self, now: float) -> tuple[Sample, ...]:
        """Every series that is true now."""
        said = [s for device in self.devices for s in self._said(device, now)]
        return (*self._up(now), *said, *self._kept())

    def down(self, now: float) -> tuple[Sample, ...]:
        """What is true while nothing can be read: devices that were there are down."""
        up = (Sample(catalog.UP, 0.0, labels) for labels in self._known.values())
        return (*up, *self._ages(now), *self._kept())

    def well(self, device: DeviceState, now: float) -> bool:
        """Whether the device answers, and lately."""
        part = self._parts.get((device.index, "fast"))
        return device.trouble is None and part is not None and _true(part, now)

    def _kept(self) -> list[Sample]:
        counts = self._nvml_counts
        return [s for s in self._carried.samples() if (s.metric, s.labels) not in counts]

    def _name(self, device: DeviceState) -> None:
        if device.trouble == "forbidden":  # a device of somebody else's: we say nothing of it
            return
        if device.trouble is None and device.answered_at is None:  # not asked yet
            return
        before = self._at.get(device.index)
        labels = before if before and not device.labels[1] else device.labels
        if before not in (None, labels):  # another device has this index now
            self._parts = {key: p for key, p in self._parts.items() if key[0] != device.index}
        self._at[device.index] = labels
        gpu, uuid = labels
        if uuid:
            self._known.pop(gpu, None)  # it can say who it is now
        self._known[uuid or gpu] = labels
        if device.answered_at is not None:
            self._answered[uuid or gpu] = device.answered_at

    def _up(self, now: float) -> list[Sample]:
        well = {self._at.get(device.index) for device in self.devices if self.well(device, now)}
        up = [Sample(catalog.UP, float(x in well), x) for x in self._known.values()]
        return [*up, *self._ages(now)]

    def _ages(self, now: float) -> list[Sample]:
        return [
            Sample(gpu_meters.SAMPLE_AGE, max(now - at, 0.0), self._known[key])
            for key, at in self._answered.items()
            if key in self._known
        ]

    def _said(self, device: DeviceState, now: float) -> list[Sample]:
        if not self.well(device, now):
            return []
        parts = (p for (index, _), p in self._parts.items() if index == device.index)
        return [sample for part in parts if _true(part, now) for sample in part.samples]


def _true(part: Part, now: float) -> bool:
    return now <= part.taken_at + part.good_for
