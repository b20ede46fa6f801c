"""Two-sample Kolmogorov-Smirnov distance of a window from the reference, over the channel's cells.

With G and F the shares of requests at or below each cell, of window and reference,

    D = largest |G - F|                                     0 to 1

for numbers, and of classes, which have no order, the total variation distance. It is read as a
share of requests: D = 0.1 says that there is a value below which a tenth of all requests more, or
fewer, fall than in the reference. There is no customary cut-off of D; the p-value that is often
cut at 0.05 falls with the number of requests, however small the difference.

With no shift, D sqrt(nm / (n + m)) of n and m independent requests follows Kolmogorov's
distribution (Smirnov, 1948), whose mean is sqrt(pi/2) ln 2 = 0.8687. That is of values without
steps; over cells D can only be less, and is at most the sum of the mean sizes of the single steps,
sqrt(2/pi) sum of sqrt(F(1 - F)). `by_chance` is the lesser of the two, which is close where a
channel has many cells or two; in between it is up to a half too high.
"""

from functools import partial
from math import log, pi, sqrt

import numpy as np

from tidegauge.drift.cell_distance import CellDistance
from tidegauge.drift.shares import Shares

KOLMOGOROV_MEAN = sqrt(pi / 2) * log(2)


def ks_distance(shares: Shares, reference: Shares) -> float:
    """Of two arrays of shares, in the order of their values.

    >>> ks_distance(np.array([0.5, 0.25, 0.25]), np.array([0.25, 0.25, 0.5]))
    0.25
    """
    return float(np.abs(np.cumsum(shares - reference)).max())


def ks_by_chance(reference: Shares, spread: float) -> float:
    """On average with no shift; `spread` is 1/n + 1/m.

    >>> round(ks_by_chance(np.full(50, 0.02), 1 / 100 + 1 / 1000), 4)
    0.0911
    """
    below = np.clip(np.cumsum(reference), 0, 1)
    steps = sqrt(2 / pi) * float(np.sqrt(below * (1 - below)).sum())
    return sqrt(spread) * min(KOLMOGOROV_MEAN, steps)


KolmogorovSmirnov = partial(CellDistance, size=ks_distance, by_chance=ks_by_chance)
"""The distance as a DriftTest, of a channel and of the whole of the reference."""
