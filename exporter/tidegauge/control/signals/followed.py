"""The series of one signal, each with its tracker, and what was judged of them.

No clock, no network, no logging. Called from the bench's thread, one job at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tidegauge.control.signals.keyed import Key
from tidegauge.control.signals.room import Room
from tidegauge.control.signals.signal import Signal
from tidegauge.thresholds.budget import Calibration
from tidegauge.thresholds.tracker import Judged, Tracker


@dataclass(frozen=True, slots=True)
class Verdict:
    """The latest point of a series; without `judged`, its history has not been read yet.

    `alarms` were counted since then.
    """

    at: float
    value: float
    judged: Judged | None = None
    calibration: Calibration | None = None
    alarms: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a point: verdicts, how many series had no room, and new thresholds.

    `seen` is when each series, also of those that are gone, last had a value.
    """

    verdicts: Mapping[Key, Verdict]
    seen: Mapping[Key, float]
    refused: int = 0
    renewed: Sequence[Key] = ()


class Followed:
    """Trackers by series. A series that is not there now is remembered while it matters."""

    def __init__(self, signal: Signal, room: Room) -> None:
        self._signal = signal
        self._room = room
        self._trackers: dict[Key, Tracker] = {}
        self._seen: dict[Key, float] = {}
        self._held = 0  # of the room

    @property
    def keys(self) -> frozenset[Key]:
        """Series that are there, or are remembered."""
        return frozenset(self._trackers)

    def name(self, key: Key) -> str:
        """A name that no other series has, of any signal."""
        return "/".join((self._signal.name, *key))

    def reserve(self) -> bool:
        """Whether there is room for one more series, which has it then."""
        if not self._room.claim():
            return False
        self._held += 1
        return True

    def adopt(self, key: Key, tracker: Tracker, *, seen: float) -> None:
        """Follow a series whose history was learned, in the room that was reserved."""
        self._trackers[key], self._seen[key] = tracker, seen

    def latest(self) -> Taken:
        """Where the history that was learned ends."""
        found = ((key, _verdict(tracker)) for key, tracker in self._trackers.items())
        return Taken({key: verdict for key, verdict in found if verdict}, dict(self._seen))

    def take(self, at: float, values: Mapping[Key, float]) -> Taken:
        """Judge the next point. A series that has none is told of it when it comes back."""
        self._drop_forgotten(at)
        verdicts, renewed, refused = {}, [], 0
        for key in sorted(values):
            tracker = self._trackers.get(key) or self._new(key, instead_of=values)
            if tracker is None:
                refused += 1
                continue
            before = tracker.calibration
            tracker.take(at, values[key])
            self._seen[key] = at
            if verdict := _verdict(tracker):
                verdicts[key] = verdict
            if before is not None and tracker.calibration is not before:
                renewed.append(key)
        return Taken(verdicts, dict(self._seen), refused, renewed)

    def close(self) -> None:
        """Forget all of them."""
        self._room.release(self._held)
        self._held = 0
        self._trackers.clear()
        self._seen.clear()

    def _new(self, key: Key, *, instead_of: Mapping[Key, float]) -> Tracker | None:
        if not self.reserve() and not self._evict(instead_of):
            return None
        tracker = self._trackers[key] = Tracker(self._signal.settings, name=self.name(key))
        return tracker

    def _evict(self, present: Mapping[Key, float]) -> bool:
        """Make room by forgetting the series that has been gone for the longest time."""
        gone = [(at, key) for key, at in self._seen.items() if key not in present]
        if not gone:
            return False
        self._drop(min(gone)[1])
        return True

    def _drop_forgotten(self, at: float) -> None:
        """A series without a value in all that matters is as good as new."""
        for key, tracker in list(self._trackers.items()):
            if self._seen[key] < tracker.needed_since(at):
                self._drop(key)
                self._room.release(1)
                self._held -= 1

    def _drop(self, key: Key) -> None:
        del self._trackers[key], self._seen[key]


def _verdict(tracker: Tracker) -> Verdict | None:
    judged = tracker.latest
    if judged is None or judged.value is None:
        return None
    return Verdict(judged.at, judged.value, judged, tracker.calibration, tracker.alarms)
