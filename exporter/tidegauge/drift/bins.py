"""How one request's value falls into bins: a length into one of them, a mix over all of them.

The bins come from the reference and never move afterwards, so that counts add up over time and
over replicas.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

MAX_LENGTH_BINS = 8

Value = tuple[float, ...]
"""What one channel measures of one request: (length,), or one share per class, summing to 1."""


class Bins(Protocol):
    """Fixed bins of one channel."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Label values, one per bin, in order."""

    def spread(self, value: Value) -> tuple[float, ...]:
        """How one request counts in each bin; sums to 1."""


@dataclass(frozen=True, slots=True)
class LengthBins:
    """Bins of whole numbers: bin i holds edges[i-1] < length <= edges[i], the last is open.

    >>> LengthBins((34, 56)).labels
    ('0-34', '35-56', '57+')
    >>> LengthBins((34, 56)).spread((35,))
    (0.0, 1.0, 0.0)

    Raises:
        ValueError: edges are not ascending whole numbers from 0 on.
    """

    edges: tuple[int, ...]

    def __post_init__(self) -> None:
        ascending = all(a < b for a, b in zip(self.edges, self.edges[1:], strict=False))
        if not self.edges or self.edges[0] < 0 or not ascending:
            raise ValueError(f"edges {list(self.edges)}: must be ascending whole numbers from 0 on")

    @property
    def labels(self) -> tuple[str, ...]:
        lows = (0, *(edge + 1 for edge in self.edges))
        closed = (_span(low, high) for low, high in zip(lows, self.edges, strict=False))
        return (*closed, f"{lows[-1]}+")

    def spread(self, value: Value) -> tuple[float, ...]:
        chosen = bisect_left(self.edges, value[0])
        return tuple(float(index == chosen) for index in range(len(self.edges) + 1))


@dataclass(frozen=True, slots=True)
class ClassBins:
    """One bin per class; a request is split over them by its shares.

    Raises:
        ValueError: no class, or one named twice.
    """

    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.classes or len(set(self.classes)) != len(self.classes):
            raise ValueError(f"classes {list(self.classes)}: must be distinct, at least one")

    @property
    def labels(self) -> tuple[str, ...]:
        return self.classes

    def spread(self, value: Value) -> tuple[float, ...]:
        return value


def quantile_bins(lengths: Sequence[int]) -> LengthBins:
    """At most MAX_LENGTH_BINS bins that hold about equally many of `lengths` (not empty).

    A length so common that several quantiles fall on it gets a bin of its own, so that a move to
    either side of it is seen; of a constant, the bins are below, equal and above.

    >>> quantile_bins([16] * 100).labels
    ('0-15', '16', '17+')
    """
    ordered = sorted(lengths)
    ranks = (-(-part * len(ordered) // MAX_LENGTH_BINS) for part in range(1, MAX_LENGTH_BINS))
    quantiles = Counter(ordered[rank - 1] for rank in ranks)
    alone = {length - 1 for length, times in quantiles.items() if times > 1 and length > 0}
    return LengthBins(tuple(sorted(alone | quantiles.keys())))


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"
