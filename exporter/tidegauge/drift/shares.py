"""Shares of counts: as they are, or smoothed so that an empty bin has a logarithm.

The recording rule that scores all replicas as one uses the same half request.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.block import Counts

HALF_REQUEST = 0.5

Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SharesOf:
    """Shares of so many requests, which sum to 1."""

    requests: int
    shares: Shares


def shares_of(counts: Counts) -> SharesOf | None:
    """None if there are no requests."""
    requests = int(counts.sum())
    return SharesOf(requests, counts / requests) if requests > 0 else None


def smoothed_shares(counts: Sequence[float]) -> tuple[float, ...]:
    """(c_b + 0.5) / (n + 0.5 B) per bin, with n the sum of the B counts; sums to 1.

    >>> smoothed_shares((3, 0))
    (0.875, 0.125)
    """
    total = fsum(counts) + HALF_REQUEST * len(counts)
    return tuple((count + HALF_REQUEST) / total for count in counts)
