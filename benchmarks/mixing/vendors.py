"""Two vendors' distances of vectors, as a score of windows of a pool."""

from collections.abc import Sequence

import numpy as np

from benchmarks.judging.drift_formulas import CentroidDistance, ClusterDivergence
from benchmarks.mixing.ours import Scores
from benchmarks.mixing.pool import Places, Pool


class Arize:
    """Euclidean distance of the mean vectors."""

    def __init__(self, of: Pool, reference: Places) -> None:
        self._distance = CentroidDistance(of.directions(reference))

    def scores(self, of: Pool, windows: Sequence[Places]) -> Scores:
        return np.array([self._distance.score(of.directions(window)) for window in windows])


class Fiddler:
    """Jensen-Shannon distance of the shares of clusters."""

    def __init__(self, of: Pool, reference: Places) -> None:
        self._divergence = ClusterDivergence.of(of.directions(reference))

    def scores(self, of: Pool, windows: Sequence[Places]) -> Scores:
        return np.array([self._divergence.score(of.directions(window)) for window in windows])
