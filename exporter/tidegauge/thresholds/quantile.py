"""A plain band: the bulk of the last values, widened until it alarms as seldom as asked.

With m the median of the last n values, q_lo and q_hi their 1st and 99th percentile, a value x has

    score = (x - m) / (q_hi - m) above the median, (m - x) / (m - q_lo) below

so that the band at threshold T reaches from m - T (m - q_lo) to m + T (q_hi - m).
"""

import math
from collections.abc import Sequence

from tidegauge.thresholds.band import Band
from tidegauge.thresholds.grid import Grid
from tidegauge.thresholds.sorted_window import SortedWindow
from tidegauge.thresholds.two_sided import Spread, band_around

TAIL = 0.01  # the share of values beyond each percentile
WARM_UP_POINTS = 100  # fewer have no 99th percentile
WINDOW_SECONDS = 7 * 86400.0


class QuantileBand:
    """Percentiles of the last week, or of the history where that is shorter.

    Keeps that many values. A level shift is learned when more than 1 % of the window is at the new
    level, which then is inside of the percentiles: after 3 % of it, or 100 points in a short one.

    >>> detector = QuantileBand(Grid(step_seconds=60, history_points=1000))
    >>> for n in range(200):
    ...     band = detector.update(float(n % 11), n * 60.0, threshold=2.0)
    >>> band
    Band(score=0.8, center=5.0, lower=-5.0, upper=15.0)
    """

    usual_threshold: float | None = None

    def __init__(self, grid: Grid) -> None:
        points = min(grid.history_points, math.ceil(WINDOW_SECONDS / grid.step_seconds))
        self._window = SortedWindow(points)
        self.learns_seconds = max(0.03 * points, WARM_UP_POINTS) * grid.step_seconds

    def update(self, value: float | None, now: float, *, threshold: float = math.inf) -> Band:
        del now  # the window is counted in values
        spread = _spread(self._window.ascending)
        if value is not None:
            self._window.push(value)
        return band_around(spread, value, threshold=threshold)


def _spread(ascending: Sequence[float]) -> Spread | None:
    if len(ascending) < WARM_UP_POINTS:
        return None
    last = len(ascending) - 1
    tail = round(TAIL * last)
    center = ascending[last // 2]
    return Spread(
        center,
        below=_width(center - ascending[tail], center - ascending[0], ascending),
        above=_width(ascending[last - tail] - center, ascending[-1] - center, ascending),
    )


def _width(usual: float, most: float, ascending: Sequence[float]) -> float:
    """The side's width; where the bulk is one value, the most there ever was on it, or anywhere."""
    return usual or most or ascending[-1] - ascending[0]
