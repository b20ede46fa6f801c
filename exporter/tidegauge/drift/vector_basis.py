"""The coordinates in which vectors of the reference are about round, and what chance does there.

No clock, no network, no logging: same arguments, same answer. With x a direction less the mean,
each component in standard deviations of the reference, and R = U diag(lam) U' their correlations,

    y = diag(lam + z)^-1/2 U' x        d2 = |y|^2        (z: a ridge)

All 256 components count: a shift often lies where the reference varies least, and cutting those off
cost most of the detection when we measured it. The ridge keeps what the m vectors of the reference
do not tell out of it: z is at least 0.001, and so large that the degrees of freedom
t = sum of lam / (lam + z) are at most m / 10.

How far new vectors lie is measured, not assumed: rows of the sample are held out, exactly, by
taking their sums and products off those of the whole, and measured in the basis of the rest.
For m vectors, a basis of t degrees of freedom makes its own m look nearer than new ones,
e = t / (1 - k t / m), where k is 1 for normal distributions and more for text. k comes from the
rows held out, and e of the whole from k. The variance of a window's distance takes its form from
Chen, Paul, Prentice and Wang (2011), A regularized Hotelling's T^2 test.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.block import Block, Counts
from tidegauge.drift.chance import Chance
from tidegauge.drift.correlations import Correlations, correlations
from tidegauge.drift.folds import folds
from tidegauge.drift.limit import Limit, limit_of
from tidegauge.drift.sketch import Moments
from tidegauge.traffic.texts.vectors import DIMENSIONS

Numbers = NDArray[np.float64]

LEAST_VECTORS = 30
LEAST_RIDGE = 0.001
MOST_RIDGE = 1e4
VECTORS_PER_DEGREE = 10
_HALVINGS = 50
_MOST_OF_ALL = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class VectorBasis:
    """Of the vectors of VECTORS[`place`], `vectors` many. Memory: 0.27 MB.

    `whitening`, (256, 256), turns a difference of directions into y. `weights`, (256,), are
    lam / (lam + z): the variance of each component of y within the reference. `plain` and `white`
    are of n |x|^2 and n |y|^2, x and y of the mean of n vectors. There is no `limit` where too few
    of the sample's rows have a vector.
    """

    place: int
    vectors: int
    mean: Numbers
    deviations: Numbers
    whitening: NDArray[np.float32]
    weights: Numbers
    plain: Chance
    white: Chance
    limit: Limit | None

    def standardised(self, directions: Numbers | Counts) -> Numbers:
        """x, of (256,) or (n, 256)."""
        return (directions - self.mean) / self.deviations

    def whitened(self, directions: Numbers | Counts) -> NDArray[np.float32]:
        """y, of (256,) or (n, 256)."""
        return (directions - self.mean).astype(np.float32) @ self.whitening.T


@dataclass(frozen=True, slots=True, eq=False)
class _HeldOut:
    """`distances` of rows held out; `scale` from those to what they would be by the whole."""

    distances: Numbers
    scale: float


def vector_basis(
    place: int, *, total: Block, moments: Moments, sampled: Numbers
) -> VectorBasis | None:
    """Of VECTORS[place] in the whole of a sketch; None where there are too few.

    `moments` is (256, 256); `sampled`, (rows, 256), are the directions of the sample's rows, all of
    which are in the total.
    """
    vectors, sums = int(total.vectors[place]), total.sums[place].astype(np.float64)
    if vectors < LEAST_VECTORS:
        return None
    spread = correlations(vectors, sums, moments)
    values, axes = np.linalg.eigh(spread.matrix)
    values = np.maximum(values, 0.0)
    ridge = _ridge(values, vectors / VECTORS_PER_DEGREE)
    weights = values / (values + ridge)
    white = _white(values, ridge, vectors)
    degrees, limit = float(weights.sum()), None
    if len(sampled) >= LEAST_VECTORS:
        held = _held_out(spread, sums, moments, sampled, ridge=ridge, degrees=degrees)
        white = _as_held_out(white, held)
        limit = limit_of(held.distances, least=degrees, scale=held.scale)
    return VectorBasis(
        place,
        vectors,
        spread.mean,
        spread.deviations,
        ((axes / np.sqrt(values + ridge)).T / spread.deviations).astype(np.float32),
        weights,
        _plain(values, vectors, (sampled - spread.mean) / spread.deviations),
        white,
        limit,
    )


def _ridge(values: Numbers, most: float) -> float:
    """The least ridge, from LEAST_RIDGE on, of which the degrees of freedom are at most so many."""
    low, high = LEAST_RIDGE, MOST_RIDGE
    if (values / (values + low)).sum() <= most:
        return low
    for _ in range(_HALVINGS):
        middle = sqrt(low * high)
        if (values / (values + middle)).sum() > most:
            low = middle
        else:
            high = middle
    return high


def _plain(values: Numbers, vectors: int, sampled: Numbers) -> Chance:
    trace, squares, cubes = (float((values**power).sum()) for power in (1, 2, 3))
    squares -= trace**2 / vectors  # the sample's own, unbiased
    cubes = max(cubes - 3 * trace * squares / vectors - (trace / vectors) ** 2 * trace, 0.0)
    variance = 2 * max(squares, trace**2 / DIMENSIONS)
    distances = np.einsum("ij,ij->i", sampled, sampled)
    own = float(distances.var()) if len(distances) >= LEAST_VECTORS else variance
    mean = trace * (vectors - 1) / (vectors - 3)
    return Chance(mean, variance, max(own - variance, 0.0), 8 * cubes / variance**1.5)


def _white(values: Numbers, ridge: float, vectors: int) -> Chance:
    share = DIMENSIONS / vectors
    once = float((1 / (values + ridge)).mean())
    twice = float((1 / (values + ridge) ** 2).mean())
    kept = 1 - ridge * once
    divided = 1 - share * kept
    variance = 2 * DIMENSIONS * (kept / divided**3 - ridge * (once - ridge * twice) / divided**4)
    weights = values / (values + ridge)
    skew = 8 * float((weights**3).sum()) / (2 * float((weights**2).sum())) ** 1.5
    return Chance(DIMENSIONS * kept / divided, variance, 0.0, skew)


def _as_held_out(white: Chance, held: _HeldOut) -> Chance:
    distances = held.distances * held.scale
    mean = float(distances.mean())
    if mean <= 0:
        return white
    variance = white.variance * (mean / white.mean) ** 2
    return Chance(mean, variance, max(float(distances.var()) - variance, 0.0), white.skew)


def _held_out(
    whole: Correlations,
    sums: Numbers,
    moments: Numbers,
    sampled: Numbers,
    *,
    ridge: float,
    degrees: float,
) -> _HeldOut:
    found = list(_folds(whole, sums, moments, sampled, ridge))
    distances = np.concatenate([fold for fold, _, _ in found])
    rest = float(np.mean([vectors for _, vectors, _ in found]))
    theirs = float(np.mean([trace for _, _, trace in found]))
    mean = float(distances.mean())
    if mean <= theirs:
        return _HeldOut(distances, 1.0)
    factor = rest * (1 / theirs - 1 / mean)
    by_whole = degrees / (1 - min(factor * degrees / whole.vectors, _MOST_OF_ALL))
    return _HeldOut(distances, by_whole / mean)


def _folds(
    whole: Correlations, sums: Numbers, moments: Numbers, sampled: Numbers, ridge: float
) -> Iterator[tuple[Numbers, int, float]]:
    """Distances of the rows held out, how many the rest are, and the rest's degrees of freedom."""
    for places in folds(len(sampled), of=whole.vectors):
        rows = sampled[places]
        rest = correlations(
            whole.vectors - len(rows), sums - rows.sum(axis=0), moments - rows.T @ rows
        )
        inverse = np.linalg.inv(rest.matrix + ridge * np.eye(DIMENSIONS))
        away = (rows - rest.mean) / rest.deviations
        distances = np.einsum("ij,ij->i", away @ inverse, away) / (1 + 1 / rest.vectors)
        yield distances, rest.vectors, float((inverse * rest.matrix).sum())
