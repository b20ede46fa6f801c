"""Distance of a window's mean vector from the reference's, in the reference's own spread.

With d the difference of the means of directions, each component in standard deviations of the
reference, and R the reference's correlations of components,

    D = sqrt(d' ((1 - l) R + l I)^-1 d)                     0 and above

which is Mahalanobis' distance with shrunken correlations; of one component it is Cohen's d. All
components count, those of little spread the most: cutting them off (as by principal components)
cost most of the detection when we measured it. l is the oracle approximating shrinkage (Chen,
Wiesel, Eldar and Hero, 2010) for the m vectors of the reference and p = 256 components:

    l = min(1, ((1 - 2/p) tr R^2 + p^2) / ((m + 1 - 2/p)(tr R^2 - p)))        (tr R = p)

With no shift, for n independent requests, the square of D is on average

    (1/n + 1/m) t / (1 - (1 - l) t / m)                     t = tr ((1 - l) R + l I)^-1 R

where the divisor makes up for R being itself of only m requests (Ledoit and Peche, Eigenvectors of
some large sample covariance matrix ensembles, 2011); of so many components its root, which is
`by_chance`, varies little. There is no customary cut-off: compare with `by_chance`, which is
large, since every component adds its own.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.block import Block
from tidegauge.drift.cells import VECTORS, VectorChannel
from tidegauge.drift.correlations import Correlations, correlations
from tidegauge.drift.sketch import Moments, Sketch
from tidegauge.drift.test import Effect
from tidegauge.traffic.texts.vectors import DIMENSIONS

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Spread:
    """`whitening` turns a difference of means, (256,), into one whose squares add up to D².

    `chance` is what D² is on average of a single request whose mean is the reference's.
    """

    whitening: NDArray[np.float32]
    chance: float


class Centroid:
    """The distance as a DriftTest of one vector. Memory: 0.26 MB."""

    def __init__(self, vector: VectorChannel, reference: Sketch) -> None:
        self._place = VECTORS.index(vector)
        total = reference.total
        self._vectors = int(total.vectors[self._place])
        sums = total.sums[self._place]
        self._mean: Numbers = sums / max(self._vectors, 1)
        self._spread = (
            _spread(correlations(self._vectors, sums, reference.moments(self._place)))
            if self._vectors > 1
            else None
        )

    def effect(self, window: Block) -> Effect | None:
        vectors = int(window.vectors[self._place])
        if not vectors or self._spread is None:
            return None
        difference = (window.sums[self._place] / vectors - self._mean).astype(np.float32)
        moved = (self._spread.whitening @ difference).astype(np.float64)
        chance = self._spread.chance * (1 / vectors + 1 / self._vectors)
        return Effect(float(np.sqrt(moved @ moved)), sqrt(chance))


def shrinkage(correlations: Moments, vectors: int) -> float:
    """How much of the correlations is taken back, 0 to 1; all of it where there are none.

    >>> round(shrinkage(np.array([[1.0, 0.5], [0.5, 1.0]]), 100), 4)
    0.08
    """
    size = len(correlations)
    squares = float((correlations**2).sum())
    beyond = (vectors + 1 - 2 / size) * (squares - size)
    wanted = (1 - 2 / size) * squares + size**2
    return 1.0 if beyond <= wanted else wanted / beyond


def _spread(known: Correlations) -> _Spread:
    share = shrinkage(known.matrix, known.vectors)
    shrunken = (1 - share) * known.matrix + share * np.eye(DIMENSIONS)
    values, axes = np.linalg.eigh(shrunken)
    whitening = (axes / np.sqrt(values)).T
    trace = float(((whitening @ known.matrix) * whitening).sum())
    chance = trace / (1 - (1 - share) * trace / known.vectors)
    return _Spread((whitening / known.deviations).astype(np.float32), chance)
