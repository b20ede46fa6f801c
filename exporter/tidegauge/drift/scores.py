"""What a cell of a channel says of a request: how high it is, and how rare.

No clock, no network, no logging: same arguments, same answer. Everything comes from the counts of
the reference's cells, k_i of N requests. Two numbers a cell:

- location: the normal score of the cell's middle rank, z = Phi^-1((sum below + k_i / 2 + 1/2) /
  (N + 1)), held within -3 and 3, and centred. A class has no order and no location, but of two
  classes the second is the higher. Divided by its standard deviation, or by sqrt(min(1, 90 / N)) if
  that is more: of a channel that is all but constant, one foreign request is to weigh about as
  much as ten at the end of an ordinary one, not thousands.
- surprise: -ln of the cell's share, smoothed with its neighbours' (1/4, 1/2, 1/4) where cells have
  an order. Less what a new request would have on average: the reference's own mean with each
  request left out of the counts by which it is judged.

Both have one request of half a one (Jeffreys) added in a cell that was never seen, so that the
variance of a constant channel is not 0, and one foreign request no proof.
"""

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.block import Counts
from tidegauge.drift.cells import Channel
from tidegauge.drift.tail import normal_scores

Numbers = NDArray[np.float64]

BOUND = 3.0
_WEIGHTY = 10
_NEIGHBOURS = np.array([0.25, 0.5, 0.25])
_TWO = 2


@dataclass(frozen=True, slots=True, eq=False)
class ChannelScores:
    """Of one channel of the reference; `requests` of it have the channel.

    `location`, `surprise`: (cells,). Of a request without a shift, location has mean 0 and
    `location_variance`, surprise mean 0; where location is all 0 the channel has none.
    `surprise_more` and `surprise_skewed` are what a new request's surprise has more than the
    reference's own: of variance, and of the third moment.
    """

    channel: Channel
    requests: int
    location: Numbers
    location_variance: float
    surprise: Numbers
    surprise_more: float
    surprise_skewed: float


def channel_scores(channel: Channel, counts: Counts) -> ChannelScores:
    """Of the reference's (cells,) counts, at least one request."""
    requests = int(counts.sum())
    shares = counts / requests
    unseen = 0.5 / requests
    location, scale = _location(channel, shares, requests)
    surprise, more, surprising = _surprise(channel, counts, shares)
    return ChannelScores(
        channel,
        requests,
        location,
        location_variance=float(shares @ location**2) + unseen * (BOUND / scale) ** 2
        if location.any()
        else 0.0,
        surprise=surprise,
        surprise_more=more + unseen * surprising**2,
        surprise_skewed=unseen * surprising**3,
    )


def _location(channel: Channel, shares: Numbers, requests: int) -> tuple[Numbers, float]:
    if channel.grid.names and channel.grid.cells != _TWO:
        return np.zeros(channel.grid.cells), 1.0
    ranks = (np.cumsum(shares) - shares / 2) * (requests / (requests + 1)) + 0.5 / (requests + 1)
    scores = np.clip(normal_scores(ranks), -BOUND, BOUND)
    scores -= shares @ scores
    floor = min(1.0, _WEIGHTY * BOUND**2 / requests)
    scale = sqrt(max(float(shares @ scores**2), floor))
    return scores / scale, scale


def _surprise(channel: Channel, counts: Counts, shares: Numbers) -> tuple[Numbers, float, float]:
    """Surprises; the variance that leaving out adds to theirs; the surprise of a cell not seen."""
    requests = int(counts.sum())
    ordered = not channel.grid.names
    smooth = np.convolve(counts, _NEIGHBOURS)[1:-1] if ordered else counts.astype(np.float64)
    itself = float(_NEIGHBOURS[1]) if ordered else 1.0
    plain = -np.log((smooth + 0.5) / (requests + 1))
    left_out = -np.log((np.maximum(smooth - itself, 0.0) + 0.5) / requests)
    expected = float(shares @ left_out)
    variance = float(shares @ (left_out - expected) ** 2)
    own = float(shares @ plain**2 - (shares @ plain) ** 2)
    return plain - expected, max(variance - own, 0.0), log(2 * (requests + 1)) - expected
