"""Requests that are unlike anything in the reference, counted one by one.

No clock, no network, no logging: same arguments, same answer. A request is outside when its vector
lies further from the reference's mean, in the reference's own spread (d2 in vector_basis.py), than
99 % of requests that were held out; where the reference has no vectors, when its cells are rarer
than theirs. So about 1 % are outside without a shift, and an attack that fits no mean shows.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from tidegauge.drift.basis import Basis
from tidegauge.drift.block import directions
from tidegauge.drift.cells import Side
from tidegauge.drift.limit import Limit
from tidegauge.drift.row import Row
from tidegauge.drift.scalar_basis import ScalarBasis
from tidegauge.drift.vector_basis import VectorBasis

Counted = Mapping[Side, tuple[int, int]]
"""Of each side that has a limit: requests that could be held against it, and those beyond."""

BATCH = 64
"""Requests that are best given at once: one by one, numpy's calls cost ten times as much."""


class Outside:
    """Of one model's reference. Memory: the basis, no more."""

    def __init__(self, basis: Basis) -> None:
        self._sides = basis.sides

    def counted(self, rows: Sequence[Row]) -> Counted:
        """Of these requests."""
        found = dict[Side, tuple[int, int]]()
        for side, basis in self._sides.items():
            if basis.vector is not None and basis.vector.limit is not None:
                found[side] = _by_vector(basis.vector, basis.vector.limit, rows)
            elif basis.vector is None and basis.scalars is not None and basis.scalars.limit:
                found[side] = _by_cells(basis.scalars, basis.scalars.limit, rows)
        return found


def _by_vector(basis: VectorBasis, limit: Limit, rows: Sequence[Row]) -> tuple[int, int]:
    vectors = [vector for row in rows if (vector := row.vectors[basis.place]) is not None]
    beyond = 0
    for start in range(0, len(vectors), BATCH):
        away = basis.whitened(directions(b"".join(vectors[start : start + BATCH])))
        beyond += int((np.einsum("ij,ij->i", away, away) > limit.threshold).sum())
    return len(vectors), beyond


def _by_cells(basis: ScalarBasis, limit: Limit, rows: Sequence[Row]) -> tuple[int, int]:
    cells = np.array([cell for row in rows for cell in row.cells], np.int64)
    owners = np.repeat(np.arange(len(rows)), [len(row.cells) for row in rows])
    rarities = np.bincount(owners, weights=basis.rarity[cells], minlength=len(rows))
    known = np.bincount(owners, weights=basis.known[cells], minlength=len(rows)) > 0
    return int(known.sum()), int((rarities[known] > limit.threshold).sum())
