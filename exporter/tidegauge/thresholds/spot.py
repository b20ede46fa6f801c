"""Streaming peaks over threshold with drift: the tail of what a moving average leaves.

After Siffer, Fouque, Termier & Largouët, Anomaly Detection in Streams with Extreme Value Theory
(KDD 2017): with r = x - mean of the last d values, and t the 98th percentile of r, the excesses
over t follow a generalised Pareto distribution, so that

    P(r > z) = N_t / n · (1 + g (z - t) / s) ^ (-1 / g)        score = -log10 P(r > x - mean)

and the band's edge at threshold T, the paper's z_q with q = 10^-T, is

    z = t + s / g ((10^-T n / N_t) ^ -g - 1)

The lower side is the same for -r. A value between the two t has score 0.

Other than in the paper: the window of r slides, which bounds the peaks to 2 % of it and lets old
ones go; alarms are learned like other values (what is learned must not depend on a threshold); g
and s are fitted by probability-weighted moments (Hosking & Wallis, Parameter and Quantile
Estimation for the Generalized Pareto Distribution, 1987), which are in closed form, where the paper
searches for Grimshaw's roots; the fit is renewed when 1 % of the window is new.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from tidegauge.thresholds.band import Band
from tidegauge.thresholds.grid import Grid
from tidegauge.thresholds.sorted_window import SortedWindow

BODY = 0.98  # the paper's
WARM_UP_POINTS = 200  # four peaks on each side
DRIFT_SECONDS = 3600.0
DRIFT_POINTS = (10, 100)  # at least and at most
MOST = 16.0  # the least probability that a float can tell from 0 beside 1
SHAPES = (-0.5, 0.9)  # where the moments that the fit needs exist


class Spot:
    """Probability of the value's distance from the last hour's mean, from an extreme-value fit.

    Keeps a history of distances, two tails of four numbers each, and the last hour of values (10
    to 100 of them). A level shift is learned after that hour; its distances are peaks until they
    have left the history.

    >>> detector = Spot(Grid(step_seconds=60, history_points=1000))
    >>> for n in range(600):
    ...     band = detector.update(float(n * 7 % 101), n * 60.0, threshold=4.0)
    >>> round(band.score, 2), round(band.center), round(band.upper)
    (0.0, 51, 102)
    """

    usual_threshold: float | None = None

    def __init__(self, grid: Grid) -> None:
        least, most = DRIFT_POINTS
        depth = min(max(least, round(DRIFT_SECONDS / grid.step_seconds)), most)
        self.learns_seconds = 2 * depth * grid.step_seconds
        self._last: deque[float] = deque(maxlen=depth)
        self._distances = SortedWindow(grid.history_points)
        self._above = self._below = _Tail(0.0, 1.0, 0.0, 0.0)
        self._unfitted = 0

    def update(self, value: float | None, now: float, *, threshold: float = math.inf) -> Band:
        del now  # the windows are counted in values
        center = _mean(self._last) if self._last else value
        if center is None:
            return Band(None, None)
        band = Band(None, None)
        if len(self._distances) >= WARM_UP_POINTS:
            band = self._band(value, center, threshold)
        if value is not None:
            self._learn(value, value - center)
        return band

    def _band(self, value: float | None, center: float, threshold: float) -> Band:
        score = None
        if value is not None:
            away = value - center
            score = max(self._above.score(away), self._below.score(-away))
        if math.isinf(threshold):
            return Band(score, center)
        lower = center - self._below.edge(threshold)
        return Band(score, center, lower, center + self._above.edge(threshold))

    def _learn(self, value: float, distance: float) -> None:
        if len(self._last) == self._last.maxlen:
            self._distances.push(distance)
            self._unfitted += 1
        self._last.append(value)
        ascending = self._distances.ascending
        if len(ascending) >= WARM_UP_POINTS and self._unfitted > (1 - BODY) / 2 * len(ascending):
            self._unfitted = 0
            count = math.ceil((1 - BODY) * len(ascending))
            self._above = _fit(ascending[-count - 1 :])
            self._below = _fit([-distance for distance in ascending[count::-1]])


@dataclass(frozen=True, slots=True)
class _Tail:
    """P(r > z) = share · (1 + shape (z - start) / scale) ^ (-1 / shape), of z beyond start."""

    start: float
    share: float
    scale: float
    shape: float

    def score(self, distance: float) -> float:
        excess = distance - self.start
        if excess <= 0:
            return 0.0
        if self.scale <= 0:
            return MOST
        reduced = excess / self.scale
        if self.shape != 0:
            base = 1 + self.shape * reduced
            if base <= 0:
                return MOST
            reduced = math.log(base) / self.shape
        return min((reduced - math.log(self.share)) / math.log(10), MOST)

    def edge(self, threshold: float) -> float:
        if threshold > MOST:
            return math.inf
        reduced = threshold * math.log(10) + math.log(self.share)
        if reduced <= 0 or self.scale <= 0:
            return self.start
        if self.shape != 0:
            reduced = math.expm1(self.shape * reduced) / self.shape
        return self.start + self.scale * reduced


def _mean(values: Sequence[float] | deque[float]) -> float:
    """Their mean; of equal values exactly the value, which sum / n need not be."""
    first = values[0]
    return first + sum(value - first for value in values) / len(values)


def _fit(ascending: Sequence[float]) -> _Tail:
    """The tail beyond the first of these values, by probability-weighted moments of the others.

    With b_0 the mean excess and b_1 the mean of excesses weighted by 1 - rank / count:
    g = 2 - b_0 / (b_0 - 2 b_1), s = b_0 (1 - g).
    """
    start = ascending[0]
    excesses = [value - start for value in ascending[1:]]
    count = len(excesses)
    mean = sum(excesses) / count
    ranked = enumerate(excesses)
    weighted = sum((1 - (rank + 0.65) / count) * excess for rank, excess in ranked) / count
    spare = mean - 2 * weighted
    least, most = SHAPES
    shape = min(max(least, 2 - mean / spare), most) if spare > 0 else 0.0
    return _Tail(start, 1 - BODY, mean * (1 - shape), shape)
