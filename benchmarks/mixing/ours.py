"""Our joint score of windows of a pool, against a reference of some of its texts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.mixing.pool import Places, Pool
from tidegauge.drift.basis import Basis
from tidegauge.drift.joint import Joint
from tidegauge.drift.outside import Outside
from tidegauge.drift.sketch import Sketch

Scores = NDArray[np.float64]


class Ours:
    """The product's classes, as the sidecar uses them."""

    def __init__(self, reference: Sketch) -> None:
        basis = Basis(reference)
        self._joint, self._outside = Joint(basis), Outside(basis)
        self._counted = dict[Pool, Places]()

    def scores(self, of: Pool, windows: Sequence[Places]) -> Scores:
        """-log10 p of each window, which are places in the pool."""
        counted = self._counts(of, np.unique(np.concatenate(windows)))
        return np.array([self._score(of, window, counted[window]) for window in windows])

    def _counts(self, of: Pool, places: Places) -> Places:
        """(texts, 2): whether one can be held against the limit, and is beyond it; each once."""
        counted = self._counted.setdefault(of, np.full((len(of), 2), -1))
        for place in places[counted[places, 0] < 0].tolist():
            counted[place] = self._outside.counted([of.rows[place]]).get(of.side, (0, 0))
        return counted

    def _score(self, of: Pool, window: Places, counted: Places) -> float:
        known, beyond = counted.sum(axis=0).tolist()
        found = self._joint.score(of.side, of.block(window), outside=(known, beyond))
        return 0.0 if found is None else found
