"""Directions of vectors in numbers that are all alike: independent, none greater than another.

No clock, no network, no logging: same arguments, same answer. Correlations are shrunken as
centroid.py says; all components are kept, those of little spread say the most.
"""

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.block import UNIT, Block, directions
from tidegauge.drift.centroid import shrinkage
from tidegauge.drift.sketch import Sketch
from tidegauge.traffic.texts.vectors import DIMENSIONS, STEPS

Numbers = NDArray[np.float64]

_ROUNDING = (UNIT / STEPS) ** 2 / 12
"""Variance that the rounding to a byte leaves of a component at most: none is without any."""


class Whitening:
    """Of one kind of vectors of a reference, at least two of them. Memory: 0.5 MB.

    `chances`: (256,), the variances that whitened numbers of a request of the reference have.
    `held_out` is how many times as large they are of one that did not help to make it. `excess` is
    how much more the sum of squares of one varies than normal ones would.
    """

    def __init__(self, place: int, reference: Sketch, total: Block) -> None:
        """`total`: the reference's, which takes long to add up."""
        vectors = int(total.vectors[place])
        self._mean: Numbers = total.sums[place] / vectors
        covariance = reference.moments(place) / vectors - np.outer(self._mean, self._mean)
        covariance *= vectors / (vectors - 1)
        covariance[np.diag_indices(DIMENSIONS)] += _ROUNDING
        deviations = np.sqrt(np.diag(covariance))
        correlations = covariance / np.outer(deviations, deviations)
        share = shrinkage(correlations, vectors)
        values, axes = np.linalg.eigh(correlations)
        values = np.maximum(values, 0.0)
        shrunken = (1 - share) * values + share
        self.chances: Numbers = values / shrunken
        self._axes: Numbers = axes / np.sqrt(shrunken) / deviations[:, None]
        self.held_out = 1 / (1 - (1 - share) * float(self.chances.sum()) / vectors)
        self.excess = self._excess(place, reference)

    def sums(self, added: Numbers, vectors: Numbers) -> Numbers:
        """(n, 256) of sums of directions, (n, 256), of so many vectors each, (n,)."""
        whitened: Numbers = (added - vectors[:, None] * self._mean) @ self._axes
        return whitened

    def _excess(self, place: int, reference: Sketch) -> float:
        rows = [row.vectors[place] for _, row in reference.sample]
        known = b"".join(vector for vector in rows if vector is not None)
        if not known:
            return 0.0
        found = directions(known).astype(np.float64)
        squares = (self.sums(found, np.ones(len(found))) ** 2).sum(axis=1)
        return max(float(squares.var()) - 2 * float((self.chances**2).sum()), 0.0)
