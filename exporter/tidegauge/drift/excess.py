"""Sums of squares of many kinds as one number: 1 is usual, and every kind varies about as much.

No clock, no network, no logging: same arguments, same answer.
"""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

_COMMON = 20.0


def excess(squares: Numbers, expected: Numbers, variance: Numbers) -> Numbers:
    """How much sums of squares are more than expected, on the scale of one of 20 squares.

    With x such a sum, f = 2 expected^2 / variance the squares that it is worth (Satterthwaite,
    1946) and c = f x / expected about chi-square of f degrees of freedom, of which sqrt(2 c) is
    about normal with mean sqrt(2 f - 1) and variance 1 (Fisher, 1922):

        1 + (sqrt(2 c) - sqrt(2 f - 1)) / sqrt(2 · 20)

    It rises as far as the mean is shifted, and is 0 at least.

    >>> excess(np.array([20.0]), np.array([20.0]), np.array([40.0])).round(2)
    array([1.01])
    """
    worth = 2 * expected**2 / variance
    beyond = np.sqrt(2 * worth * squares / expected) - np.sqrt(np.maximum(2 * worth - 1, 0.0))
    found: Numbers = np.maximum(1 + beyond / np.sqrt(2 * _COMMON), 0.0)
    return found


def usual(deviations: float) -> float:
    """The excess that is so many standard deviations above the mean.

    >>> usual(0.0)
    1.0
    """
    return float(1 + deviations / np.sqrt(2 * _COMMON))
