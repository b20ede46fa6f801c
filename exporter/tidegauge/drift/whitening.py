"""Directions of vectors in numbers that are all alike: independent, none greater than another.

No clock, no network, no logging: same arguments, same answer. Correlations are shrunken as
centroid.py says; all components are kept, those of little spread say the most.

A vector that helped to make the whitening lies nearer to the middle than a new one will, and sums
of squares of its kind vary less: with 1,000 prompts new ones have 1.3 times the squares and 3 times
their variance. So both are known apart: of the reference's own vectors, and of new ones, for which
rows of the sample are held out and whitened by the rest (folds.py). From m vectors a whitening of t
expected squares gives e = t / (1 - k t / m) to new ones, as vector_basis.py says: k comes from the
rows held out, and e of the whole from k.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.block import Block, directions
from tidegauge.drift.centroid import shrinkage
from tidegauge.drift.correlations import correlations
from tidegauge.drift.folds import folds
from tidegauge.drift.sketch import Moments, Sketch
from tidegauge.traffic.texts.vectors import DIMENSIONS

Numbers = NDArray[np.float64]

LEAST_HELD_OUT = 30
"""Rows of the sample; of fewer nothing is held out, and new vectors are taken for normal ones."""
_MOST_OF_ALL = 0.9


@dataclass(frozen=True, slots=True)
class Squares:
    """Of n |y|^2, y the mean of n whitened vectors.

    Its mean is `expected`, whatever n is, and its variance `normal` + `peaked` / n.
    """

    expected: float
    normal: float
    peaked: float


class Whitening:
    """Of one kind of vectors of a reference, at least two of them. Memory: 0.5 MB.

    `chances`: (256,), the variances that whitened numbers of a request of the reference have.
    `own` are the squares of the reference's vectors, `new` those of others like them.
    """

    def __init__(self, place: int, reference: Sketch, total: Block) -> None:
        """`total`: the reference's, which takes long to add up."""
        self._vectors = int(total.vectors[place])
        sums = total.sums[place].astype(np.float64)
        moments = reference.moments(place)
        self._mean: Numbers = sums / self._vectors
        spread = correlations(self._vectors, sums, moments)
        self._share = shrinkage(spread.matrix, self._vectors)
        values, axes = np.linalg.eigh(spread.matrix)
        values = np.maximum(values, 0.0)
        shrunken = (1 - self._share) * values + self._share
        self.chances: Numbers = values / shrunken
        self._axes: Numbers = axes / np.sqrt(shrunken) / spread.deviations[:, None]
        sampled = _sampled(place, reference)
        self.own = self._own(sampled)
        self.new = self._new(sums, moments, sampled)

    def sums(self, added: Numbers, vectors: Numbers) -> Numbers:
        """(n, 256) of sums of directions, (n, 256), of so many vectors each, (n,)."""
        whitened: Numbers = (added - vectors[:, None] * self._mean) @ self._axes
        return whitened

    def _own(self, sampled: Numbers) -> Squares:
        squares = (self.sums(sampled, np.ones(len(sampled))) ** 2).sum(axis=1)
        trace = float(squares.mean()) if len(sampled) else float(self.chances.sum())
        variance = float(squares.var()) if len(sampled) else 2 * trace
        # The mean square of products of two of the vectors: all products are m^2 times the sum of
        # the squares of `chances`, and m of them are of a vector with itself.
        alike = (trace**2 + variance) / self._vectors
        all_ = float((self.chances**2).sum())
        normal = 2 * max(all_ - alike, all_ / 4)
        return Squares(trace, normal, max(variance - normal, 0.0))

    def _new(self, sums: Numbers, moments: Moments, sampled: Numbers) -> Squares:
        if len(sampled) < LEAST_HELD_OUT:
            return self._as_new(1 / (1 - self._of_all(1 - self._share)))
        squares, pairs, rests = list[Numbers](), list[float](), list[tuple[float, int]]()
        for places in folds(len(sampled), of=self._vectors):
            rows = sampled[places]
            rest = self._vectors - len(rows)
            away, trace = self._by_rest(rows, rest, sums, moments)
            products = away @ away.T
            alike = np.diag(products)
            squares.append(alike)
            pairs.append(float((products**2).sum() - (alike**2).sum()) / (len(rows) - 1))
            rests.append((trace, rest))
        found = np.concatenate(squares)
        mean, theirs = float(found.mean()), float(np.mean([trace for trace, _ in rests]))
        of_rest = float(np.mean([rest for _, rest in rests]))
        factor = of_rest * max(1 / theirs - 1 / mean, 0.0)
        expected = self.own.expected / (1 - self._of_all(factor))
        scale = expected / mean
        # What is expected is no better known than from so many rows. Too little of it alarms too
        # often by far more than too much alarms too late: so a standard error more.
        expected += float(found.std()) * scale / len(found) ** 0.5
        normal = 2 * sum(pairs) / len(found) * scale**2
        variance = float(found.var()) * scale**2
        return Squares(expected, normal, max(variance - normal, 0.0))

    def _of_all(self, factor: float) -> float:
        return min(factor * self.own.expected / self._vectors, _MOST_OF_ALL)

    def _as_new(self, more: float) -> Squares:
        own = self.own
        return Squares(own.expected * more, own.normal * more**2, own.peaked * more**2)

    def _by_rest(
        self, rows: Numbers, rest: int, sums: Numbers, moments: Moments
    ) -> tuple[Numbers, float]:
        """Whitened rows, as if they were not of the reference; the squares that the rest's have."""
        theirs = sums - rows.sum(axis=0)
        spread = correlations(rest, theirs, moments - rows.T @ rows)
        values, axes = np.linalg.eigh(spread.matrix)
        values = np.maximum(values, 0.0)
        shrunken = (1 - self._share) * values + self._share
        away = (rows - theirs / rest) @ (axes / np.sqrt(shrunken) / spread.deviations[:, None])
        return away / np.sqrt(1 + 1 / rest), float((values / shrunken).sum())


def _sampled(place: int, reference: Sketch) -> Numbers:
    """(rows, 256) directions of the sample's rows that have any."""
    rows = [row.vectors[place] for _, row in reference.sample]
    known = b"".join(vector for vector in rows if vector is not None)
    if not known:
        return np.zeros((0, DIMENSIONS))
    return directions(known).astype(np.float64)
