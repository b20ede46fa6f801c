"""Total variation distance of classes: the share of requests that would have to change class.

    TV = 1/2 sum over c of |q_c - p_c|                      0 to 1

over the shares of all of a channel's classes. With no shift, q_c - p_c of n and m independent
requests is about normal with variance p_c (1 - p_c)(1/n + 1/m), whose mean size is sqrt(2/pi) of
its standard deviation, so that chance alone gives

    sqrt((1/n + 1/m) / (2 pi)) sum over c of sqrt(p_c (1 - p_c))

on average. (Levin, Peres and Wilmer, Markov Chains and Mixing Times, section 4.1.)
"""

from math import pi, sqrt

import numpy as np

from tidegauge.drift.shares import Shares


def total_variation(shares: Shares, reference: Shares) -> float:
    """Of two arrays of shares.

    >>> total_variation(np.array([0.75, 0.25]), np.array([0.5, 0.5]))
    0.25
    """
    return float(np.abs(shares - reference).sum()) / 2


def total_variation_by_chance(reference: Shares, spread: float) -> float:
    """On average with no shift; `spread` is 1/n + 1/m.

    >>> round(total_variation_by_chance(np.array([0.5, 0.5]), 1 / 100 + 1 / 1000), 4)
    0.0418
    """
    return sqrt(spread / (2 * pi)) * float(np.sqrt(reference * (1 - reference)).sum())
