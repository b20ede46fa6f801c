"""Chances of at least so much: logarithms of upper tails, exact far beyond what a float holds.

No clock, no network, no logging: same arguments, same answer. Natural logarithms of p-values;
nothing here is ever infinite or NaN for finite arguments.
"""

from collections.abc import Sequence
from math import atan, exp, lgamma, log, pi, sqrt, tan
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

_NORMAL = NormalDist()
_TERMS = 5000
_EXACT = 1e-12
_TINY = 1e-300
_NEAR_ONE = 0.99
"""A p-value counts as at most this: one of exactly 1 (a count of 0) would outvote all others."""
_SMALL = -30.0
_LEAST_SKEW = 0.05  # a gamma of so little skew is a normal distribution to the third digit


def log_pearson3_tail(deviation: float, skew: float) -> float:
    """Of a variable of this skewness, `deviation` standard deviations above its mean.

    Pearson's type III is a gamma distribution, shifted and scaled: with a = 4 / skew^2,
    P(Z >= z) = Q(a, a + z sqrt(a)). A weighted sum of squares of normal variables is about that.
    A skew below 0.05 is taken as that.

    >>> round(exp(log_pearson3_tail(1.959964, 0.0)), 2)
    0.03
    """
    shape = 4 / max(skew, _LEAST_SKEW) ** 2
    return log_gamma_tail(shape, shape + deviation * sqrt(shape))


def log_gamma_tail(shape: float, value: float) -> float:
    """Ln Q(a, x), the regularised upper incomplete gamma function.

    By its series below a + 1 and by its continued fraction above (Press et al., Numerical Recipes,
    6.2).

    >>> round(exp(log_gamma_tail(1.0, 2.0)), 9) == round(exp(-2.0), 9)
    True
    """
    if value <= 0:
        return 0.0
    front = shape * log(value) - value - lgamma(shape)
    if value < shape + 1:
        below = min(exp(front + log(_gamma_series(shape, value))), 1.0)
        return log(max(1 - below, _TINY))
    return min(0.0, front + log(_gamma_fraction(shape, value)))


def log_beta_binomial_tail(found: int, of: int, *, seen: int, seen_of: int) -> float:
    """Of at least `found` out of `of`, after `seen` out of `seen_of` of the same kind.

    The share is as little known as `seen_of` tell: Jeffreys' prior, so the count is beta-binomial
    with a = seen + 1/2 and b = seen_of - seen + 1/2.

    >>> round(exp(log_beta_binomial_tail(1, 1, seen=1, seen_of=99)), 4)
    0.015
    """
    if found <= 0:
        return 0.0
    hits, misses = seen + 0.5, seen_of - seen + 0.5
    first = (
        lgamma(of + 1) - lgamma(found + 1) - lgamma(of - found + 1)
        + lgamma(found + hits) + lgamma(of - found + misses) - lgamma(of + hits + misses)
        + lgamma(hits + misses) - lgamma(hits) - lgamma(misses)
    )  # fmt: skip
    more = np.arange(found, of, dtype=np.float64)
    ratios = (of - more) * (more + hits) / ((more + 1) * (of - more - 1 + misses))
    chances = np.concatenate(([0.0], np.cumsum(np.log(ratios))))
    most = float(chances.max())
    return min(0.0, first + most + log(float(np.exp(chances - most).sum())))


def log_cauchy_mean(logs: Sequence[float]) -> float:
    """One p-value of several, however they hang together (Liu and Xie, 2020).

    The mean of cot(pi p) is about Cauchy's distribution where there is no shift. The least one
    decides: k of which one is small give k times that one.

    >>> round(exp(log_cauchy_mean([log(0.001), log(0.5)])), 4)
    0.002
    """
    capped = [min(value, log(_NEAR_ONE)) for value in logs]
    least = min(capped)
    if least < _SMALL:
        return min(0.0, least - log(sum(exp(least - value) for value in capped) / len(capped)))
    mean = sum(1 / tan(pi * exp(value)) for value in capped) / len(capped)
    return log(atan(1 / mean) / pi) if mean > 1 else log(max(0.5 - atan(mean) / pi, _TINY))


def normal_scores(ranks: Numbers) -> Numbers:
    """Standard normal quantiles of ranks between 0 and 1."""
    return np.array([_NORMAL.inv_cdf(rank) for rank in ranks.tolist()])


def _gamma_series(shape: float, value: float) -> float:
    term = total = 1 / shape
    for place in range(1, _TERMS):
        term *= value / (shape + place)
        total += term
        if term < total * _EXACT:
            break
    return total


def _gamma_fraction(shape: float, value: float) -> float:
    # Lentz's method.
    lower = value + 1 - shape
    upper, inverse = 1 / _TINY, 1 / lower
    total = inverse
    for place in range(1, _TERMS):
        numerator = -place * (place - shape)
        lower += 2
        inverse = 1 / _away_from_0(numerator * inverse + lower)
        upper = _away_from_0(lower + numerator / upper)
        total *= inverse * upper
        if abs(inverse * upper - 1) < _EXACT:
            break
    return total


def _away_from_0(value: float) -> float:
    return _TINY if abs(value) < _TINY else value
