"""How unusual a distance is among those before it: an extreme-value tail with one parameter.

With u the (1 - q) quantile of the last distances and b their mean excess over u, q = 0.1,

    score = ln(1 / q) + 2 ln(1 + (d - u) / (b + range / 1000))   for d > u, else 0

which is -ln P(D > d) under a generalised Pareto tail of shape 1/2 (Pickands, 1975; a shape that is
fitted, or 0, was no better on NAB): heavy enough that one outlier does not silence what comes
after, and that tails of different signals can be compared. The range of the signal keeps a scale
where nearly all distances are 0, as of a value in whole numbers.
"""

import math
from array import array

import numpy as np

from tidegauge.thresholds.crossing import Rise

TAIL_SHARE = 0.1
TAIL_POINTS = 10  # at least
LEAST_SCALE = 0.001  # of the signal's range
MOST = 30.0  # a distance from a constant has no scale at all


class DistanceTail:
    """The last `capacity` distances, 8 bytes each, and a fit that is renewed when 2 % are new.

    >>> tail = DistanceTail(1000)
    >>> for n in range(100):
    ...     _ = tail.take(n % 10 / 10, span=1.0)
    >>> [round(tail.score(distance, span=1.0), 1) for distance in (0.5, 0.9, 1.0, 2.0)]
    [0.0, 3.7, 4.5, 7.4]
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = max(2 * TAIL_POINTS, capacity)
        self._distances = array("d")
        self._oldest = 0
        self._until_fit = TAIL_POINTS
        self._start, self._excess, self._rarity = math.inf, 0.0, 0.0
        self.fitted = False

    def take(self, distance: float, *, span: float) -> float:
        """The distance's score; it belongs to the tail afterwards."""
        score = self.score(distance, span=span) if distance > self._start else 0.0
        if len(self._distances) < self._capacity:
            self._distances.append(distance)
        else:
            self._distances[self._oldest] = distance
            self._oldest = (self._oldest + 1) % self._capacity
        self._until_fit -= 1
        if not self._until_fit:
            self._fit()
        return score

    def score(self, distance: float, *, span: float) -> float:
        """-ln P(D > distance); `span` is the range of the signal that the distances are of."""
        if distance <= self._start:
            return 0.0
        scale = self._excess + LEAST_SCALE * span
        if scale <= 0:
            return MOST
        return min(MOST, self._rarity + 2 * math.log1p((distance - self._start) / scale))

    def distance(self, score: float, *, span: float) -> float:
        """The least distance that has the score; infinite if none has."""
        if score > MOST:
            return math.inf
        scale = self._excess + LEAST_SCALE * span
        return self._start + scale * math.expm1(max(0.0, score - self._rarity) / 2)

    def rise(self, *, span: float, start: float, unit: float, weight: float) -> Rise:
        """The weighted score of what is 0 away at `start`, and 1 further in each `unit`."""
        scale = self._excess + LEAST_SCALE * span
        begin = start + unit * self._start
        if scale <= 0:
            return begin, weight * MOST, 1.0, 0.0
        return begin, weight * self._rarity, unit * scale, 2 * weight

    def _fit(self) -> None:
        known = len(self._distances)
        beyond = min(max(int(TAIL_SHARE * known), TAIL_POINTS), known - 1)
        first = known - beyond - 1
        top = np.partition(np.frombuffer(self._distances), first)[first:]
        self._start = float(top[0])
        self._excess = float(top[1:].mean()) - self._start
        self._rarity = math.log(known / beyond)
        self.fitted = True
        self._until_fit = max(25, known // 50) if known > 2 * TAIL_POINTS else 5
