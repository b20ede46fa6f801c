"""The fixed cut-offs that others alarm at: KS p < 0.01 and PSI > 0.1 in windows of 500 requests.

Formulas as everywhere: the two-sample Kolmogorov-Smirnov test with its asymptotic p-value, and the
population stability index over ten bins of equal mass of the reference, half a request added to
each. Both watch the tokens of prompts and of answers, and a window alarms if one of them does.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WINDOW = 500
P_VALUE = 0.01
INDEX = 0.1
_BINS = 10

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Windows:
    """How many there were, and in how many a rule alarmed."""

    windows: int
    ks: int
    psi: int


def windows(reference: Numbers, live: Numbers) -> Windows:
    """(n, 2) and (m, 2) tokens; the live ones one window after the other, a rest left out."""
    cut = [live[at : at + WINDOW] for at in range(0, len(live) - WINDOW + 1, WINDOW)]
    channels = range(reference.shape[1])
    ks = [
        any(ks_p_value(reference[:, of], window[:, of]) < P_VALUE for of in channels)
        for window in cut
    ]
    psi = [any(index(reference[:, of], window[:, of]) > INDEX for of in channels) for window in cut]
    return Windows(len(cut), sum(ks), sum(psi))


def ks_p_value(one: Numbers, other: Numbers) -> float:
    """Asymptotic: 2 Σ (-1)^(k-1) exp(-2 k² λ²), λ = D √(n m / (n + m)) (Smirnov, 1948)."""
    values = np.concatenate([one, other])
    below = [np.searchsorted(np.sort(of), values, side="right") / len(of) for of in (one, other)]
    distance = float(np.max(np.abs(below[0] - below[1])))
    squared = distance * distance * len(one) * len(other) / (len(one) + len(other))
    if squared < 0.04:  # noqa: PLR2004 - p is 1 to many digits, and the series converges no more
        return 1.0
    terms = ((1 if k % 2 else -1) * math.exp(-2 * k * k * squared) for k in range(1, 101))
    return min(1.0, max(0.0, 2 * sum(terms)))


def index(reference: Numbers, window: Numbers) -> float:
    """Σ (p - q) ln(p / q) over the bins."""
    edges = np.unique(np.quantile(reference, np.arange(1, _BINS) / _BINS))
    p, q = (_shares(np.searchsorted(edges, of), len(edges) + 1) for of in (window, reference))
    return float(np.dot(p - q, np.log(p / q)))


def _shares(bins: NDArray[np.int64], count: int) -> Numbers:
    smoothed = np.bincount(bins, minlength=count).astype(np.float64) + 0.5
    shares: Numbers = smoothed / smoothed.sum()
    return shares
