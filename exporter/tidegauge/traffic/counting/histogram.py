"""A histogram that is added to one value at a time, or a batch that is counted already.

No clock, no network, no logging.
"""

import math
from bisect import bisect_left
from itertools import accumulate

from tidegauge.samples import Distribution
from tidegauge.traffic.exchange import Gaps


class Histogram:
    """`bounds` are upper bounds, each included, ascending, without +Inf."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count one value, finite and not below 0: a sum must not fall."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def merge(self, gaps: Gaps) -> None:
        """Count what has been counted by the same bounds."""
        self._counts = [mine + more for mine, more in zip(self._counts, gaps.counts, strict=True)]
        self._sum += gaps.seconds

    def distribution(self) -> Distribution:
        """What was counted so far.

        >>> histogram = Histogram((1.0, 2.0))
        >>> histogram.add(2.0)
        >>> histogram.distribution()
        Distribution(buckets=((1.0, 0), (2.0, 1), (inf, 1)), sum=2.0)
        """
        cumulative = accumulate(self._counts)
        return Distribution(
            tuple(zip((*self._bounds, math.inf), cumulative, strict=True)), self._sum
        )
