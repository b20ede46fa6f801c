"""What a statistic of a window is without a shift.

No clock, no network, no logging: same arguments, same answer.
"""

from dataclasses import dataclass
from math import sqrt

from tidegauge.drift.tail import log_pearson3_tail


@dataclass(frozen=True, slots=True, eq=False)
class Chance:
    """Mean, variance and skewness over n requests; the variance is `variance` + `excess` / n.

    A single request is further from normal than a mean of many: that is the excess.
    """

    mean: float
    variance: float
    excess: float
    skew: float

    def deviation(self, value: float, requests: float) -> float:
        """How many standard deviations above its mean a value is."""
        return (value - self.mean) / sqrt(self.variance + self.excess / requests)

    def log_tail(self, value: float, requests: float) -> float:
        """Ln of the chance of so much or more."""
        return log_pearson3_tail(self.deviation(value, requests), self.skew)
