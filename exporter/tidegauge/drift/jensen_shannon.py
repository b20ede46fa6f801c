"""Jensen-Shannon distance of a window from the reference, over the channel's bins.

With q and p the shares of window and reference and m their mean,

    JS = sqrt(1/2 sum of q log2(q/m) + 1/2 sum of p log2(p/m))          0 to 1

(Lin, 1991; the root makes it a distance: Endres and Schindelin, 2003). 0 says that all shares are
equal, 1 that no bin is in both; a bin that one of them lacks needs no smoothing. Evidently takes
0.1 for drift.

Near 0, its square is 1 / (8 ln 2) of the chi-squared distance sum of (q - p)^2 / p, which with no
shift, for n and m independent requests, is (1/n + 1/m) times a chi-squared number of B - 1 degrees
of freedom, B being the bins that the reference has. Chance alone gives the mean of its root,

    sqrt((1/n + 1/m) / (8 ln 2)) sqrt(2) Gamma(B/2) / Gamma((B-1)/2)
"""

from math import gamma, log, sqrt

import numpy as np

from tidegauge.drift.bins import bins_of
from tidegauge.drift.block import Block
from tidegauge.drift.cells import Channel
from tidegauge.drift.shares import Shares, shares_of
from tidegauge.drift.test import Effect


def jensen_shannon_distance(shares: Shares, reference: Shares) -> float:
    """Of two arrays of shares.

    >>> jensen_shannon_distance(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    1.0
    """
    mean = (shares + reference) / 2
    divergence = (_divergence(shares, mean) + _divergence(reference, mean)) / 2
    return sqrt(min(max(divergence, 0.0), 1.0))


def jensen_shannon_by_chance(bins: int, spread: float) -> float:
    """On average with no shift, of `bins` that the reference has; `spread` is 1/n + 1/m.

    >>> round(jensen_shannon_by_chance(8, 1 / 500 + 1 / 1000), 4)
    0.0594
    """
    if bins <= 1:
        return 0.0
    root = sqrt(2) * gamma(bins / 2) / gamma((bins - 1) / 2)
    return sqrt(spread / (8 * log(2))) * root


class JensenShannon:
    """The distance as a DriftTest of one channel."""

    def __init__(self, channel: Channel, reference: Block) -> None:
        cells = reference.counts[channel.place]
        self._channel = channel
        self._bins = bins_of(channel.grid, cells) if cells.any() else None
        self._reference = shares_of(self._bins.counts(cells)) if self._bins else None

    def effect(self, window: Block) -> Effect | None:
        then = self._reference
        if self._bins is None or then is None:
            return None
        now = shares_of(self._bins.counts(window.counts[self._channel.place]))
        if now is None:
            return None
        size = jensen_shannon_distance(now.shares, then.shares)
        bins = int(np.count_nonzero(then.shares))
        spread = 1 / now.requests + 1 / then.requests
        return Effect(size, jensen_shannon_by_chance(bins, spread))


def _divergence(shares: Shares, mean: Shares) -> float:
    held = shares > 0
    return float((shares[held] * np.log2(shares[held] / mean[held])).sum())
