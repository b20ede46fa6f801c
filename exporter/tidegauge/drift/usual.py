"""What is usual of the reference's means, and how far other means are from it, member by member.

No clock, no network, no logging: same arguments, same answer. Members are all channels by
themselves, in the order of `watching.names`, and for each side all of its numbers together: what
moved a little everywhere shows there.
"""

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.cells import SIDES, Side
from tidegauge.drift.deviation import GroupDeviation, Squares, VectorDeviation
from tidegauge.drift.excess import excess
from tidegauge.drift.moving import Counted, Means, Watching

Numbers = NDArray[np.float64]


class Usual:
    """Of a reference, or of a part of it."""

    def __init__(
        self, watching: Watching, total: Counted, *, means: Means, independent: Numbers
    ) -> None:
        """`total`: the sum of what `means` are of; `independent`: (S,) times that these fill."""
        self._of = joints(watching)
        self._own, self._new = watching.own, watching.new
        self.groups = GroupDeviation(
            total.groups,
            watching.groups.exists,
            means=means.groups,
            inverse=means.groups_inverse,
            independent=independent,
        )
        self.vectors = VectorDeviation(
            total.sums / np.maximum(total.vectors, 1.0)[:, None],
            total.vectors,
            watching.chances,
            means=means.vectors,
            inverse=means.vectors_inverse,
            independent=independent,
        )

    def excesses(self, means: Means, *, shared: Numbers | None = None) -> Numbers:
        """(S, members, T).

        `shared`: (S, V, T), of the reference's own means only; see VectorDeviation.squares.
        """
        groups = self.groups.squares(means.groups, means.groups_inverse)
        vectors = self.vectors.squares(
            means.vectors,
            means.vectors_inverse,
            of=self._new if shared is None else self._own,
            shared=shared,
        )
        each = [groups, vectors, *(groups.joint(of) for of in self._of.values())]
        return np.concatenate([_excess(squares) for squares in each], axis=1)


def joints(watching: Watching) -> dict[Side, NDArray[np.bool_]]:
    """Which numbers, (C,), are taken together: of each side that has two or more."""
    found = {
        side: np.array([channel.side == side for channel in watching.groups.channels], np.bool_)
        for side in SIDES
    }
    return {side: of for side, of in found.items() if of.sum() > 1}


def _excess(squares: Squares) -> Numbers:
    found = excess(squares.found, squares.expected, squares.variance)
    return np.where(squares.known, found, 0.0)
