"""A signal followed on its grid: what a restart rebuilds from history is what never stopped.

No clock, no network, no logging. Time is cut into refresh periods, at k · refresh + an offset of
the signal's own (so that signals do not all refresh at once). At time t, with e the last such
boundary, the detector is one that was made new and fed the grid points of [e - history, t]; the
threshold was calibrated on its scores of [e - history, e). So all that is judged at t depends on
[e - history, t] and on nothing else, and whoever has these points has the same state, exactly.
"""

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from zlib import crc32

from tidegauge.thresholds.agreement import agreeing_edges
from tidegauge.thresholds.band import Band
from tidegauge.thresholds.budget import MIN_POINTS, Calibration, calibrate, episode_seconds
from tidegauge.thresholds.grid import Grid
from tidegauge.thresholds.peak_hold import PeakHold
from tidegauge.thresholds.registry import DETECTORS

Direction = Literal["both", "above", "below"]

_MISSING = math.nan


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """How a signal is followed. `history_seconds` and `refresh_seconds` are cut to whole steps.

    `direction` says which side alarms: latency only `above`, throughput only `below`. A threshold
    is made of `min_points` scores at least.
    """

    detector: str
    step_seconds: float
    history_seconds: float
    refresh_seconds: float
    alarms_per_week: float
    direction: Direction = "both"
    min_points: int = MIN_POINTS


@dataclass(frozen=True, slots=True)
class Judged:
    """A grid point, judged. `score` is in units of the threshold: 1 and above is an anomaly.

    `score` is None without a value or a threshold; an infinite edge is no edge. The value is
    outside of the edges exactly if the score is 1 or above. `alarm` is true once for each event.
    """

    at: float
    value: float | None
    score: float | None
    lower: float
    upper: float
    alarm: bool


class Tracker:
    """One signal's detector, threshold and last verdict.

    Keeps the values of a history and a refresh period, 8 bytes each, and the detector's own state.
    """

    def __init__(self, settings: TrackerSettings, *, name: str) -> None:
        self._settings = settings
        self._step = settings.step_seconds
        self._history = max(1, math.floor(settings.history_seconds / self._step))
        self._refresh = max(1, math.floor(settings.refresh_seconds / self._step))
        self._offset = crc32(name.encode()) % self._refresh
        self._last: int | None = None
        self.latest: Judged | None = None
        self.calibration: Calibration | None = None
        self.alarms = 0

    def needed_since(self, now: float) -> float:
        """The time of the oldest grid point that the state at `now` depends on."""
        return (self._boundary(math.floor(now / self._step)) - self._history) * self._step

    def take(self, at: float, value: float | None) -> Judged:
        """Judge the next grid point; those left out are missing points.

        A point that is not after the last one, as after a clock that was set back, changes nothing.
        """
        point = round(at / self._step)
        if self.latest is not None and self._last is not None and point <= self._last:
            return self.latest
        if self._last is None or point - self._last > self._history + self._refresh:
            self._begin(point, array("d"))
        else:
            for missing in range(self._last + 1, point):
                self._advance(missing, _MISSING)
        judged = self._advance(point, _finite(value))
        self.alarms += judged.alarm
        return judged

    def rebuild(self, points: Iterable[tuple[float, float]], *, until: float) -> None:
        """Become what a tracker would be that took these points, (time, value), and never stopped.

        Points before `needed_since(until)` and after `until` are left out. Alarms of the past are
        not counted.
        """
        last = math.floor(until / self._step)
        first = self._boundary(last) - self._history
        values = array("d", [_MISSING]) * (last - first + 1)
        for at, value in points:
            point = round(at / self._step)
            if first <= point <= last:
                values[point - first] = _finite(value)
        self._begin(first + self._history, values[: self._history])
        for place in range(self._history, len(values)):
            self._advance(first + place, values[place])

    def _boundary(self, point: int) -> int:
        return point - (point - self._offset) % self._refresh

    def _begin(self, point: int, history: "array[float]") -> None:
        """Forget all; be ready for `point`, with `history` right before its boundary."""
        boundary = self._boundary(point)
        self._first = boundary - self._history
        self._values = history or array("d", [_MISSING]) * self._history
        self._renew(boundary)
        for missing in range(boundary, point):
            self._advance(missing, _MISSING)

    def _advance(self, point: int, value: float) -> Judged:
        if point - self._first - self._history >= self._refresh:
            del self._values[: self._refresh]
            self._first += self._refresh
            self._renew(point)
        self._values.append(value)
        self._last = point
        self.latest = self._judge(point, value)
        return self.latest

    def _renew(self, boundary: int) -> None:
        """A new detector, fed the history before the boundary, and a threshold from its scores."""
        grid = Grid(self._step, self._history)
        self._detector = DETECTORS[self._settings.detector](grid)
        scores = [
            self._score(self._ask(point, value), value)
            for point, value in enumerate(self._values, start=boundary - self._history)
        ]
        self.calibration = calibrate(
            scores,
            alarms_per_week=self._settings.alarms_per_week,
            step_seconds=self._step,
            usual_threshold=self._detector.usual_threshold,
            min_points=self._settings.min_points,
        )
        self._threshold = self.calibration.threshold
        self._hold = PeakHold(episode_seconds(self._step))
        for point, score in enumerate(scores, start=boundary - self._history):
            self._is_alarm(point, score)

    def _judge(self, point: int, value: float) -> Judged:
        band = self._ask(point, value, threshold=self._threshold)
        score = self._score(band, value)
        over = score is not None and score >= self._threshold
        alarm = self._is_alarm(point, score)
        lower, upper = self._edges(band, value, over=over)
        known = score is not None and math.isfinite(self._threshold)
        return Judged(
            point * self._step,
            None if math.isnan(value) else value,
            score / self._threshold if known and score is not None else None,
            lower,
            upper,
            alarm,
        )

    def _is_alarm(self, point: int, score: float | None) -> bool:
        if score is None or score < self._threshold:
            return False
        return self._hold.update(score, point * self._step) > 0

    def _edges(self, band: Band, value: float, *, over: bool) -> tuple[float, float]:
        """The band's, but for a side that is not watched; the value is outside exactly if over."""
        lower = -math.inf if self._settings.direction == "above" else band.lower
        upper = math.inf if self._settings.direction == "below" else band.upper
        if band.center is None or math.isnan(value):
            return lower, upper
        return agreeing_edges(lower, upper, value, center=band.center, alarms=over, toward=value)

    def _ask(self, point: int, value: float, *, threshold: float = math.inf) -> Band:
        given = None if math.isnan(value) else value
        return self._detector.update(given, point * self._step, threshold=threshold)

    def _score(self, band: Band, value: float) -> float | None:
        if band.score is None or band.center is None:
            return None
        match self._settings.direction:
            case "above":
                return band.score if value > band.center else 0.0
            case "below":
                return band.score if value < band.center else 0.0
            case "both":
                return band.score


def _finite(value: float | None) -> float:
    return _MISSING if value is None or not math.isfinite(value) else value
