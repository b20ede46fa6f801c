"""Drift of vectors as Arize and Fiddler say that they compute it, in numpy.

No clock, no network, no logging: same arguments, same answer. Rows are (n, dimensions).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]
Places = NDArray[np.int64]

CLUSTERS = 10  # Fiddler's example; its documentation has no default
_ROUNDS = 50


class CentroidDistance:
    """Arize's "Euclidean distance": between the means of the reference's vectors and a window's.

    >>> CentroidDistance(np.array([[0.0, 0.0], [2.0, 0.0]])).score(np.array([[1.0, 3.0]]))
    3.0
    """

    def __init__(self, reference: Rows) -> None:
        self._mean: Rows = reference.mean(axis=0)

    def score(self, rows: Rows) -> float:
        return float(np.linalg.norm(rows.mean(axis=0) - self._mean))


@dataclass(frozen=True, slots=True)
class ClusterDivergence:
    """Fiddler's: k-means of the reference's vectors, then Jensen-Shannon of the clusters' shares.

    The distance, in base 2: sqrt((KL(p, m) + KL(q, m)) / 2) with m = (p + q) / 2, from 0 to 1.

    >>> apart = np.array([[0.0, 0.0], [9.0, 9.0]])
    >>> ClusterDivergence.of(apart, clusters=2).score(apart)
    0.0
    """

    centers: Rows
    shares: Rows

    @classmethod
    def of(cls, reference: Rows, *, clusters: int = CLUSTERS, seed: int = 0) -> "ClusterDivergence":
        centers = k_means(reference, clusters, seed=seed)
        return cls(centers, _shares(reference, centers))

    def score(self, rows: Rows) -> float:
        shares = _shares(rows, self.centers)
        middle = (shares + self.shares) / 2
        both = (_divergence(shares, middle) + _divergence(self.shares, middle)) / 2
        return float(np.sqrt(max(0.0, both)))


def k_means(rows: Rows, clusters: int, *, seed: int) -> Rows:
    """Lloyd's centers (clusters, dimensions), begun by k-means++ (Arthur, Vassilvitskii 2007)."""
    centers = _apart(rows, clusters, seed=seed)
    for _ in range(_ROUNDS):
        nearest = _nearest(rows, centers)
        counts = np.bincount(nearest, minlength=clusters)[:, None]
        sums = np.zeros_like(centers)
        np.add.at(sums, nearest, rows)
        moved = np.where(counts > 0, sums / np.maximum(counts, 1), centers)
        if np.allclose(moved, centers):
            break
        centers = moved
    return centers


def _apart(rows: Rows, clusters: int, *, seed: int) -> Rows:
    random = np.random.default_rng(seed)
    chosen = [int(random.integers(len(rows)))]
    away = np.square(rows - rows[chosen[0]]).sum(axis=1)
    while len(chosen) < clusters:
        total = away.sum()
        chosen.append(int(random.choice(len(rows), p=away / total if total > 0 else None)))
        away = np.minimum(away, np.square(rows - rows[chosen[-1]]).sum(axis=1))
    return rows[chosen].astype(np.float64)


def _nearest(rows: Rows, centers: Rows) -> Places:
    distances = np.square(centers).sum(axis=1) - 2 * rows @ centers.T  # less |row|², equal for all
    nearest: Places = np.argmin(distances, axis=1)
    return nearest


def _shares(rows: Rows, centers: Rows) -> Rows:
    counts = np.bincount(_nearest(rows, centers), minlength=len(centers))
    return counts.astype(np.float64) / len(rows)


def _divergence(of: Rows, middle: Rows) -> float:
    seen = of > 0
    return float(np.sum(of[seen] * np.log2(of[seen] / middle[seen])))
