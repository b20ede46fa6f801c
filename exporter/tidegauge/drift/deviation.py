"""How far moving means are from the reference's, in how such means wander and vary by chance.

No clock, no network, no logging: same arguments, same answer. Both kinds give sums of squares,
what they are expected to be, and how much they vary, each (S, M, T): at S scales, of M channels,
at T times. Means that are worth too few requests count as just what is expected.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift import whitening
from tidegauge.drift.wander import enough, wander, wander_of_each

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Squares:
    """Each (S, M, T); `known`, whether the means are worth enough requests."""

    found: Numbers
    expected: Numbers
    variance: Numbers
    known: NDArray[np.bool_]

    def joint(self, of: NDArray[np.bool_]) -> "Squares":
        """(S, 1, T): those of some channels, (M,), added up."""
        known: NDArray[np.bool_] = np.any(self.known[:, of], axis=1, keepdims=True)
        found, expected, variance = (
            np.where(self.known, numbers, 0.0)[:, of].sum(axis=1, keepdims=True)
            for numbers in (self.found, self.expected, self.variance)
        )
        return Squares(found, np.where(known, expected, 1.0), np.where(known, variance, 2.0), known)


class GroupDeviation:
    """Of groups.

    With p a group's share of the reference, a request in group g is the vector

        x = (e_g - p) / sqrt(p)

    whose covariance is I - sqrt(p) sqrt(p)': of K groups, K - 1 independent numbers of variance 1.
    A request in a rare group is far out, which a sum of squares of few requests does not hide:
    |x|^2 has variance sum(1 / p) - K^2, of which each mean has its part.
    """

    def __init__(
        self,
        counts: Numbers,
        exists: NDArray[np.bool_],
        *,
        means: Numbers,
        inverse: Numbers,
        independent: Numbers,
    ) -> None:
        """`counts`: (M, D) requests of the reference; `means`: (S, M, T, D), at its times."""
        groups = exists.sum(axis=-1)
        known = counts.sum(axis=-1)
        half = 0.5
        smooth = (counts + half) / (known + half * groups)[:, None]
        self.shares: Numbers = np.where(exists, smooth, 1.0)
        self._roots: Numbers = np.where(exists, np.sqrt(self.shares), 0.0)
        self._exists = exists
        self._own = 1 / np.maximum(known, 1.0)
        self._rank = (groups - 1.0)[None, :, None]
        peaked = (exists / self.shares).sum(axis=-1) - groups**2 - 2 * (groups - 1.0)
        self._peaked: Numbers = np.maximum(peaked, 0.0)[None, :, None]
        identity = exists[:, :, None] * np.eye(exists.shape[1])
        identity = identity - self._roots[:, :, None] * self._roots[:, None, :]
        self._axes, self._wander = wander(
            self.standard(means), inverse, identity=identity, independent=independent
        )
        self._spread = self._wander.sum(axis=-1)[..., None] / np.maximum(self._rank, 1.0)

    def standard(self, means: Numbers) -> Numbers:
        """(…, M, T, D), in standard deviations of one request, from the reference's mean."""
        shares, exists = self.shares[:, None, :], self._exists[:, None, :]
        moved: Numbers = np.where(exists, (means - shares) / np.sqrt(shares), 0.0)
        return moved

    def squares(self, means: Numbers, inverse: Numbers) -> Squares:
        """Of (S, M, T, D) means, that are worth one by (S, M, T) `inverse` requests."""
        known = enough(inverse)
        chance = inverse + self._own[None, :, None]
        along = self.standard(means) @ self._axes
        ratio = along**2 / (self._wander[:, :, None, :] + chance[..., None])
        rank = np.broadcast_to(np.maximum(self._rank, 1.0), known.shape)
        part = chance / (chance + self._spread)
        # The sum of the weights' 4th powers by the square of that of their squares is 2 `inverse`.
        variance = 2 * rank + self._peaked * 2 * inverse * part**2
        return Squares(np.where(known, ratio.sum(axis=-1), rank), rank, variance, known)


@dataclass(frozen=True, slots=True, eq=False)
class VectorSquares:
    """What is expected of sums of squares of V kinds of vectors, each (V,); see whitening.py."""

    expected: Numbers
    normal: Numbers
    peaked: Numbers

    @classmethod
    def of(cls, each: Sequence[whitening.Squares]) -> "VectorSquares":
        """One after the other."""
        return cls(
            np.array([squares.expected for squares in each]),
            np.array([squares.normal for squares in each]),
            np.array([squares.peaked for squares in each]),
        )


class VectorDeviation:
    """Of whitened vectors.

    Their correlations are of the whole reference, even where a part of it is held out: what its own
    vectors gain by that is in what is expected of them.
    """

    def __init__(
        self,
        centre: Numbers,
        vectors: Numbers,
        chances: Numbers,
        *,
        means: Numbers,
        inverse: Numbers,
        independent: Numbers,
    ) -> None:
        """`centre`, `chances`: (M, 256); `vectors`: (M,); `means`: (S, M, T, 256)."""
        self.centre = centre
        self._own = 1 / np.maximum(vectors, 1.0)
        self._parts = (chances / chances.sum(axis=-1, keepdims=True))[:, :, None]
        self._wander = wander_of_each(
            means - centre[:, None, :], inverse, chances=chances, independent=independent
        )

    def squares(
        self,
        means: Numbers,
        inverse: Numbers,
        *,
        of: VectorSquares,
        shared: Numbers | None = None,
    ) -> Squares:
        """As of groups.

        `of`: what is expected of new vectors, or of the reference's. `shared`: (S, M, T), how much
        of the means is of vectors that the centre is of, too; it is the nearer for that.
        """
        known = enough(inverse)
        own = self._own[None, :, None]
        chance = inverse + (own if shared is None else own * (1 - 2 * shared))
        share = chance[..., None] / (self._wander[:, :, None, :] + chance[..., None])
        moved = (means - self.centre[:, None, :]) ** 2
        found = (moved * share).sum(axis=-1) / chance
        part = (share @ self._parts)[..., 0]
        expected = np.broadcast_to(of.expected[None, :, None], known.shape)
        variance = of.normal[:, None] + of.peaked[:, None] * 2 * inverse * part**2
        return Squares(np.where(known, found, expected), expected, variance, known)
