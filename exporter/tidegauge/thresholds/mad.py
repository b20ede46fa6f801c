"""A plain band: the median, and the median distance from it.

With m the median of the last n values, and MAD = median |x_i - m|, a value x has

    score = |x - m| / (1.4826 MAD)

which is its distance in standard deviations, were the signal normal (Iglewicz & Hoaglin, How to
Detect and Handle Outliers, 1993). The band at threshold T is m ± T · 1.4826 MAD. Where half of the
values are the same, MAD is 0, and the range of the values takes its place.
"""

import math
from collections.abc import Sequence

from tidegauge.thresholds.band import Band
from tidegauge.thresholds.grid import Grid
from tidegauge.thresholds.sorted_window import SortedWindow
from tidegauge.thresholds.two_sided import Spread, band_around

DEVIATIONS = 1.4826  # 1 / (third quartile of the standard normal distribution)
WARM_UP_POINTS = 30
WINDOW_SECONDS = 2 * 86400.0  # two of each time of day; a shift is learned in half of it


class MadBand:
    """Median and median absolute deviation of the last two days.

    Keeps two days of values, or the history where that is shorter. A level shift is learned when
    the new level holds more than half of the window: after 60 % of it.

    >>> detector = MadBand(Grid(step_seconds=60, history_points=1000))
    >>> for n in range(101):
    ...     band = detector.update(float(n % 5), n * 60.0, threshold=3.0)
    >>> round(band.score, 3), band.center, round(band.lower, 3), round(band.upper, 3)
    (1.349, 2.0, -2.448, 6.448)
    """

    usual_threshold: float | None = None

    def __init__(self, grid: Grid) -> None:
        points = min(grid.history_points, math.ceil(WINDOW_SECONDS / grid.step_seconds))
        self._window = SortedWindow(points)
        self.learns_seconds = 0.6 * points * grid.step_seconds

    def update(self, value: float | None, now: float, *, threshold: float = math.inf) -> Band:
        del now  # the window is counted in values
        spread = _spread(self._window.ascending)
        if value is not None:
            self._window.push(value)
        return band_around(spread, value, threshold=threshold)


def _spread(ascending: Sequence[float]) -> Spread | None:
    if len(ascending) < WARM_UP_POINTS:
        return None
    center = ascending[(len(ascending) - 1) // 2]
    width = DEVIATIONS * _median_distance(ascending, center) or ascending[-1] - ascending[0]
    return Spread(center, below=width, above=width)


def _median_distance(ascending: Sequence[float], center: float) -> float:
    """The half width of the narrowest window around `center` that holds more than half of all.

    That is the least over i of max(center - x_i, x_(i+half) - center); the first falls with i and
    the second grows, so where they cross is found in log n steps.
    """
    half = len(ascending) // 2
    low, high = 0, len(ascending) - 1 - half
    while low < high:
        middle = (low + high) // 2
        if ascending[middle + half] - center >= center - ascending[middle]:
            high = middle
        else:
            low = middle + 1
    crossing = ascending[low + half] - center
    return min(crossing, center - ascending[low - 1]) if low > 0 else crossing
