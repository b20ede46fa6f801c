"""Wasserstein distance of order 1, in standard deviations of the reference.

With G and F the shares of requests at or below each cell, of window and reference, and s the
standard deviation of the reference's cells,

    W = 1/s sum over cells of |G - F|                       0 and above

which is how far a request has to move on average to make the one the other (Vallender, 1974).
Cells are counted, not their values: they are even on the channel's own scale, the logarithm of
tokens, seconds and characters, the square root of a share, so that one huge prompt does not
outweigh the rest. A value may lie anywhere in its cell, so that s has 1/12 of a cell added to its
square (Sheppard): it is never 0, and of a constant channel a move to the next cell is 3.5.

If all requests move by the same, W is their move in standard deviations, which is Cohen's d: 0.2
is read as small, 0.5 as medium, 0.8 as large (Cohen, Statistical Power Analysis, 1988). Evidently
takes 0.1 for drift. Of classes, which have no distance, it is the total variation distance.

With no shift, G - F at a cell is about normal with variance F(1 - F)(1/n + 1/m) for n and m
independent requests, so that chance alone gives

    1/s sqrt(2/pi (1/n + 1/m)) sum over cells of sqrt(F(1 - F))
"""

from functools import partial
from math import pi, sqrt

import numpy as np

from tidegauge.drift.cell_distance import CellDistance
from tidegauge.drift.shares import Shares

_WITHIN_A_CELL = 1 / 12


def wasserstein_distance(shares: Shares, reference: Shares) -> float:
    """Of two arrays of shares, in the order of their values.

    >>> round(wasserstein_distance(np.array([0.0, 0.5, 0.5]), np.array([0.5, 0.5, 0.0])), 3)
    1.732
    """
    moved = float(np.abs(np.cumsum(shares - reference)).sum())
    return moved / _deviation(reference)


def wasserstein_by_chance(reference: Shares, spread: float) -> float:
    """On average with no shift; `spread` is 1/n + 1/m.

    >>> round(wasserstein_by_chance(np.full(50, 0.02), 1 / 100 + 1 / 1000), 4)
    0.1135
    """
    below = np.clip(np.cumsum(reference), 0, 1)
    moved = sqrt(2 / pi * spread) * float(np.sqrt(below * (1 - below)).sum())
    return moved / _deviation(reference)


Wasserstein = partial(CellDistance, size=wasserstein_distance, by_chance=wasserstein_by_chance)
"""The distance as a DriftTest, of a channel and of the whole of the reference."""


def _deviation(shares: Shares) -> float:
    places = np.arange(len(shares))
    mean = float(places @ shares)
    return sqrt(float((places - mean) ** 2 @ shares) + _WITHIN_A_CELL)
