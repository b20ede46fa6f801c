"""How far a value is from the nearest one before it, in units of how far new values usually are.

With d_t = min over the history of |x_t - x_i|, the tail of d is taken to be exponential beyond
its highest hundredth (u, with mean excess s), so that

    score = -ln P(d >= d_t) = ln(100) + (d_t - u) / s   for d_t > u

and, for a value outside of all seen before, a range term ln(1 + outside / range) beside it.
"""

import math
from bisect import bisect_left

from tidegauge.thresholds.band import Band
from tidegauge.thresholds.grid import Grid
from tidegauge.thresholds.sorted_window import SortedWindow

WARM_UP_POINTS = 100
MOST = 1000.0


class Novelty:
    """Distance to the nearest earlier value, with an exponential tail.

    Keeps the values of the history and their distances. A level shift is learned after one point
    near the new level.
    """

    def __init__(self, grid: Grid) -> None:
        self._values = SortedWindow(grid.history_points)
        self._distances = SortedWindow(grid.history_points)
        self._tail = (0.0, 0.0)
        self._since_fit = 0
        self.learns_seconds = grid.history_points * grid.step_seconds

    def update(self, value: float | None, now: float, *, threshold: float = math.inf) -> Band:
        del now
        seen = self._values.ascending
        known = len(seen) >= WARM_UP_POINTS
        band = self._band(value, threshold) if known else Band(None, None)
        if value is not None:
            if seen:
                self._distances.push(self._distance(value))
            self._values.push(value)
            self._refit()
        return band

    def _band(self, value: float | None, threshold: float) -> Band:
        seen = self._values.ascending
        score = None if value is None else self._score(self._distance(value))
        center = seen[len(seen) // 2]
        if not threshold <= MOST:
            return Band(score, center)
        edge, spread = self._tail
        radius = edge + max(0.0, threshold - math.log(100)) * spread
        return Band(score, center, seen[0] - radius, seen[-1] + radius)

    def _distance(self, value: float) -> float:
        seen = self._values.ascending
        at = bisect_left(seen, value)
        after = seen[at] - value if at < len(seen) else math.inf
        before = value - seen[at - 1] if at > 0 else math.inf
        return min(after, before)

    def _score(self, distance: float) -> float:
        edge, spread = self._tail
        if distance <= edge:
            return 0.0
        if spread <= 0:
            return MOST
        return min(MOST, math.log(100) + (distance - edge) / spread)

    def _refit(self) -> None:
        self._since_fit += 1
        if self._since_fit * 50 < len(self._values):
            return
        self._since_fit = 0
        distances = self._distances.ascending
        tail = distances[-max(2, len(distances) // 100) :]
        if tail:
            self._tail = (tail[0], sum(tail) / len(tail) - tail[0])
