"""Moving means of everything that is watched of requests: of groups, and of whitened vectors.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.bank import Bank
from tidegauge.drift.block import Block
from tidegauge.drift.cells import VECTORS, Side
from tidegauge.drift.deviation import VectorSquares
from tidegauge.drift.groups import MAX_GROUPS, MIN_KNOWN, Groups
from tidegauge.drift.sketch import Sketch
from tidegauge.drift.whitening import Whitening
from tidegauge.traffic.texts.vectors import DIMENSIONS

Numbers = NDArray[np.float64]


class Watching:
    """What the reference knows enough of: channels, and kinds of vectors, in the order of NAMES."""

    def __init__(self, reference: Sketch) -> None:
        total = reference.total
        self.groups = Groups(total.counts)
        self._places = [n for n, known in enumerate(total.vectors) if known >= MIN_KNOWN]
        self.whitenings = [Whitening(place, reference, total) for place in self._places]
        vectors = [VECTORS[place] for place in self._places]
        self.names: tuple[str, ...] = (
            *(channel.name for channel in self.groups.channels),
            *(vector.name for vector in vectors),
        )
        self.sides: tuple[Side, ...] = (
            *(channel.side for channel in self.groups.channels),
            *(vector.side for vector in vectors),
        )
        self.chances: Numbers = _rows([whitening.chances for whitening in self.whitenings])
        self.own = VectorSquares.of([whitening.own for whitening in self.whitenings])
        self.new = VectorSquares.of([whitening.new for whitening in self.whitenings])

    def counted(self, block: Block) -> "Counted":
        """What is watched of a block."""
        vectors = block.vectors[self._places].astype(np.float64)
        sums = [
            whitening.sums(block.sums[place : place + 1].astype(np.float64), vectors[n : n + 1])[0]
            for n, (place, whitening) in enumerate(zip(self._places, self.whitenings, strict=True))
        ]
        return Counted(self.groups.counts(block.counts), vectors, _rows(sums))


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """`groups`: (C, MAX_GROUPS) requests; `vectors`: (V,), and the `sums` of these, (V, 256)."""

    groups: Numbers
    vectors: Numbers
    sums: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """At S scales and T times: (S, C, T, MAX_GROUPS) and (S, V, T, 256); inverses without the last.

    An inverse is one by the requests that the mean is worth.
    """

    groups: Numbers
    groups_inverse: Numbers
    vectors: Numbers
    vectors_inverse: Numbers

    def during(self, times: NDArray[np.bool_]) -> "Means":
        """Only some of the times."""
        return Means(
            self.groups[:, :, times],
            self.groups_inverse[:, :, times],
            self.vectors[:, :, times],
            self.vectors_inverse[:, :, times],
        )


class Moving:
    """Starts with nothing known, or with what is usual. Memory: at three scales at most 25 KB."""

    def __init__(self, watching: Watching, scales: Sequence[float]) -> None:
        self._groups = Bank(scales, len(watching.groups.channels), MAX_GROUPS)
        self._vectors = Bank(scales, len(watching.whitenings), DIMENSIONS)

    def add(self, counted: Counted, *, elapsed: float) -> Means:
        """A step more, and the means after it: T is 1."""
        self._groups.add(counted.groups, counted.groups.sum(axis=1), elapsed=elapsed)
        self._vectors.add(counted.sums, counted.vectors, elapsed=elapsed)
        return Means(
            self._groups.means[:, :, None],
            self._groups.inverse[:, :, None],
            self._vectors.means[:, :, None],
            self._vectors.inverse[:, :, None],
        )

    def begin(self, usual: Counted, *, elapsed: float) -> None:
        """As if steps had always been as usual, each of so many seconds."""
        self._groups.begin(usual.groups, usual.groups.sum(axis=1), elapsed=elapsed)
        self._vectors.begin(usual.sums, usual.vectors, elapsed=elapsed)

    def draw(self, groups: Numbers, vectors: Numbers, *, share: Numbers) -> None:
        """Leave (S, C + V) `share` of how far means are from these centres."""
        channels = len(groups)
        self._groups.draw(groups, share[:, :channels])
        self._vectors.draw(vectors, share[:, channels:])


def together(means: Sequence[Means]) -> Means:
    """One after the other, at least one."""
    return Means(
        np.concatenate([each.groups for each in means], axis=2),
        np.concatenate([each.groups_inverse for each in means], axis=2),
        np.concatenate([each.vectors for each in means], axis=2),
        np.concatenate([each.vectors_inverse for each in means], axis=2),
    )


def _rows(numbers: Sequence[Numbers]) -> Numbers:
    return np.array(numbers, np.float64).reshape(len(numbers), DIMENSIONS)
