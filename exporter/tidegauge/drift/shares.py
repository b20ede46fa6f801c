"""Shares of counts, smoothed by half a request per bin so that an empty bin has a logarithm.

The recording rule that scores all replicas as one uses the same half request.
"""

from collections.abc import Sequence
from math import fsum

HALF_REQUEST = 0.5


def smoothed_shares(counts: Sequence[float]) -> tuple[float, ...]:
    """(c_b + 0.5) / (n + 0.5 B) per bin, with n the sum of the B counts; sums to 1.

    >>> smoothed_shares((3, 0))
    (0.875, 0.125)
    """
    total = fsum(counts) + HALF_REQUEST * len(counts)
    return tuple((count + HALF_REQUEST) / total for count in counts)
