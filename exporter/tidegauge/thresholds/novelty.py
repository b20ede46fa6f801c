"""How unlike all that was seen before a value is: distances to the nearest, made comparable.

Three channels, in each of which the value x counts as

    value     z = x
    level     z = m + (x - m) / 24, the running mean with x in it       creeping changes, bursts
    season    z = x, held against the same time of earlier days         where days are alike

and is as novel as d = min |z - z_i| over the history is far out in the tail of such distances
(distance_tail.py). Between earlier values, x is as novel as its distance is more than half of a
usual step (usual_step.py): what moves slowly passes through each gap that it has left. Outside of
the range seen so far it adds 2 ln(1 + 100 · overshoot / range), since a new extreme says more than
a gap between old values. Then

    score = max(value + overshoot + 0.75 · level, 0.6 · season) / divisor

is invariant under x -> a x + b, a ≠ 0; the divisor grows with the events that there were
(fatigue.py). Distance to the nearest neighbour as a measure of novelty: Hellman (1970); for
streams, Burnaev & Ishimtsev, Conformalized density- and distance-based anomaly detection in
time-series data (2016). The constants were chosen on one half of the Numenta Anomaly Benchmark, by
thresholds from half of its files and scores on the other, and by corrupted copies. All but one
stand on a plateau: means over 12 to 48 points in place of 24 lose three of NAB's points.
"""

import math
from array import array
from bisect import bisect_left

from tidegauge.thresholds.agreement import agreeing_edges
from tidegauge.thresholds.band import Band
from tidegauge.thresholds.crossing import FURTHEST, crossing
from tidegauge.thresholds.distance_tail import MOST, DistanceTail
from tidegauge.thresholds.fatigue import Fatigue
from tidegauge.thresholds.grid import Grid
from tidegauge.thresholds.nearest import distance_to_nearest
from tidegauge.thresholds.peak_hold import HELD_POINTS
from tidegauge.thresholds.sorted_window import SortedWindow
from tidegauge.thresholds.time_of_day import TimeOfDay
from tidegauge.thresholds.usual_step import UsualStep

WARM_UP_POINTS = 30  # before the first distance
LEVEL_POINTS = 24.0  # time constant of the running mean
LEVEL_WEIGHT = 0.75
SEASON_WEIGHT = 0.6  # it may alarm alone, so it has to be surer
USUAL_THRESHOLD = 5.0  # on NAB: once in 16 days outside of windows, in 87 % of them inside
ASIDE_SECONDS = 6 * 3600.0  # how long a run of values that alarm is not learned
STEP_SHARE = 0.5  # of a usual step; none costs 9 marks a week on a mean over 6 hours, a half 3
OVERSHOOT_STEPS = 100.0  # the range in units of the overshoot that begins to count


class Novelty:
    """The default detector: novelty of the value, of its level, and for the hour of the day.

    Keeps a history of values, levels and distances, 88 bytes a point in all, and what is set aside:
    values of a run that alarms are learned when it ends, or after six hours if it does not, so that
    the score stays high while an incident lasts, and a level shift is learned in six hours and 100
    points; where days are alike, in a day and a half.

    >>> detector = Novelty(Grid(step_seconds=60, history_points=1000))
    >>> for n in range(600):
    ...     band = detector.update(float(n * 7 % 101), n * 60.0, threshold=9.0)
    >>> band.score, band.center, round(band.lower), round(band.upper)
    (0.0, 49.0, -2, 102)
    """

    usual_threshold: float | None = USUAL_THRESHOLD

    def __init__(self, grid: Grid) -> None:
        self._values = SortedWindow(grid.history_points)
        self._levels = SortedWindow(grid.history_points)
        self._days = TimeOfDay(grid.history_points)
        self._value_tail = DistanceTail(grid.history_points)
        self._level_tail = DistanceTail(grid.history_points)
        self._season_tail = DistanceTail(grid.history_points)
        self._step = UsualStep(grid.history_points)
        self._fatigue = Fatigue(
            history_points=grid.history_points, hold_seconds=HELD_POINTS * grid.step_seconds
        )
        self._mean: float | None = None
        self._aside: list[tuple[float, float]] = []
        self.learns_seconds = max(ASIDE_SECONDS + 100 * grid.step_seconds, 1.5 * 86400)

    def update(self, value: float | None, now: float, *, threshold: float = math.inf) -> Band:
        if self._mean is None or len(self._values.ascending) < WARM_UP_POINTS:
            if value is not None:
                self._learn(value, now)
            return Band(None, None)
        alike = self._days.alike(now)
        usual = alike or self._values.ascending
        center = usual[len(usual) // 2]
        lower, upper = -math.inf, math.inf
        known = self._value_tail.fitted
        if threshold < math.inf and known:
            lower, upper = self._edges(center, self._mean, alike, threshold * self._fatigue.divisor)
        if value is None:
            return Band(None, center, lower, upper)
        place = bisect_left(self._values.ascending, value)
        toward = self._values.ascending[max(place - (value >= center), 0)]
        score = self._take(value, now, place, self._mean, alike)
        if not known:
            return Band(None, center)
        if threshold < math.inf:
            lower, upper = agreeing_edges(
                lower, upper, value, center=center, alarms=score >= threshold, toward=toward
            )
        return Band(score, center, lower, upper)

    def _take(
        self, value: float, now: float, place: int, mean: float, alike: "array[float]"
    ) -> float:
        """The value's score; it is learned, or set aside."""
        seen, levels = self._values.ascending, self._levels.ascending
        lowest, highest, level_span = seen[0], seen[-1], levels[-1] - levels[0]
        span = highest - lowest
        level = mean + (value - mean) / LEVEL_POINTS
        level_place = bisect_left(levels, level)
        novel = distance_to_nearest(value, seen, place)
        outside = not lowest <= value <= highest
        if not outside:
            novel = max(0.0, novel - STEP_SHARE * self._step.size)
        self._step.take(value)
        score = self._value_tail.take(novel, span=span)
        level_distance = distance_to_nearest(level, levels, level_place)
        score += LEVEL_WEIGHT * self._level_tail.take(level_distance, span=level_span)
        if outside:
            score += _overshoot_score(max(value - highest, lowest - value), span)
        if alike:
            distance = distance_to_nearest(value, alike, bisect_left(alike, value))
            score = max(score, SEASON_WEIGHT * self._season_tail.take(distance, span=span))
        divided = score / self._fatigue.divisor
        self._fatigue.take(score, now)
        if divided >= USUAL_THRESHOLD:
            self._set_aside(value, now)
        elif self._aside:
            self._learn_aside()
            self._learn(value, now)
        else:
            self._mean = level
            self._values.insert(place, value)
            self._levels.insert(level_place, level)
            self._days.push(value, now)
        return divided

    def _set_aside(self, value: float, now: float) -> None:
        self._aside.append((value, now))
        if now - self._aside[0][1] >= ASIDE_SECONDS:
            self._learn_aside()

    def _learn_aside(self) -> None:
        for value, now in self._aside:
            self._learn(value, now)
        self._aside.clear()

    def _learn(self, value: float, now: float) -> None:
        mean = value if self._mean is None else self._mean
        self._mean = mean + (value - mean) / LEVEL_POINTS
        self._values.push(value)
        self._levels.push(self._mean)
        self._days.push(value, now)

    def _edges(
        self, center: float, mean: float, alike: "array[float]", threshold: float
    ) -> tuple[float, float]:
        """Where the score, not divided, reaches the threshold for good.

        Between old values, and old levels, novelty counts as none: so the score beyond never falls
        with the distance from the center, and is never more than the value would get.
        """
        seen, levels = self._values.ascending, self._levels.ascending
        span = seen[-1] - seen[0]
        if span == 0:
            return (center, center) if threshold <= MOST else (-math.inf, math.inf)
        beyond = self._beyond(span, threshold)
        new_above = mean + LEVEL_POINTS * (levels[-1] - mean)
        new_below = mean + LEVEL_POINTS * (levels[0] - mean)
        upper = self._with_level(seen[-1], beyond, new_above, threshold)
        lower = -self._with_level(-seen[0], beyond, -new_below, threshold)
        if alike:
            away = self._season_tail.distance(threshold / SEASON_WEIGHT, span=span)
            upper, lower = min(upper, alike[-1] + away), max(lower, alike[0] - away)
        return min(lower, center), max(upper, center)

    def _beyond(self, span: float, threshold: float) -> float:
        """How far outside of the range a value reaches the threshold without its level's help."""
        if threshold > FURTHEST:
            return math.inf
        begin, jump, scale, _ = self._value_tail.rise(span=span, start=0.0, unit=1.0, weight=1.0)
        steep = OVERSHOOT_STEPS / span
        there = 1 + steep * begin
        if 2 * math.log(there) >= threshold:
            return math.expm1(threshold / 2) / steep
        missing = math.exp((threshold - jump) / 2) - there
        if missing <= 0:
            return begin
        # (1 + y / scale) (there + steep y) = there + missing, y = distance - begin
        half = there / scale + steep
        return begin + 2 * missing / (half + math.sqrt(half * half + 4 * steep / scale * missing))

    def _with_level(self, edge: float, beyond: float, new_level: float, threshold: float) -> float:
        """Where the threshold is reached, above; `new_level`: where levels become new."""
        seen, levels = self._values.ascending, self._levels.ascending
        span = seen[-1] - seen[0]
        level = self._level_tail.rise(
            span=levels[-1] - levels[0], start=new_level, unit=LEVEL_POINTS, weight=LEVEL_WEIGHT
        )
        if level[0] >= edge + beyond:
            return edge + beyond
        value = self._value_tail.rise(span=span, start=edge, unit=1.0, weight=1.0)
        return crossing([value, level, (edge, 0.0, span / OVERSHOOT_STEPS, 2.0)], threshold)


def _overshoot_score(overshoot: float, span: float) -> float:
    return 2 * math.log1p(OVERSHOOT_STEPS * overshoot / span) if span > 0 else 0.0
