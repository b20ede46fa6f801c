"""Bands of detectors that measure a value's distance from a middle in widths, one for each side."""

import math
from dataclasses import dataclass

from tidegauge.thresholds.band import Band

# The score of a value that leaves a constant: no width says how far it is. Finite, so that it can
# be counted and compared.
OFF_CONSTANT_SCORE = 1000.0


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle, and how far values usually are from it; 0 where there was but one value."""

    center: float
    below: float
    above: float


def band_around(spread: Spread | None, value: float | None, *, threshold: float) -> Band:
    """The value's distance from the center in widths of its side, and the band `threshold` wide.

    >>> band_around(Spread(10.0, below=1.0, above=2.0), 14.0, threshold=3.0)
    Band(score=2.0, center=10.0, lower=7.0, upper=16.0)
    """
    if spread is None:
        return Band(None, None)
    score = None if value is None else _score(spread, value)
    if not threshold <= OFF_CONSTANT_SCORE:
        return Band(score, spread.center)
    lower = spread.center - threshold * spread.below
    upper = spread.center + threshold * spread.above
    return Band(score, spread.center, lower, upper)


def _score(spread: Spread, value: float) -> float:
    away = value - spread.center
    if away == 0:
        return 0.0
    width = spread.above if away > 0 else spread.below
    ratio = abs(away) / width if width > 0 else math.inf
    return min(ratio, OFF_CONSTANT_SCORE)
