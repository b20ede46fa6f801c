"""Requests added up: how many fell into each cell, and the sums of their vectors.

No clock, no network, no logging: same arguments, same answer. Whole numbers only: whatever is
added, and in which order, the sum is the same to the last digit.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.cells import CELLS, VECTORS
from tidegauge.drift.row import Row
from tidegauge.traffic.texts.vectors import DIMENSIONS

Counts = NDArray[np.int64]


class Block:
    """Starts empty. `counts`: (CELLS,); `vectors`: (2,) how many; `sums`: (2, 256), of each."""

    __slots__ = ("counts", "requests", "sums", "vectors")

    def __init__(self) -> None:
        self.requests = 0
        self.counts: Counts = np.zeros(CELLS, np.int64)
        self.vectors: Counts = np.zeros(len(VECTORS), np.int64)
        self.sums: Counts = np.zeros((len(VECTORS), DIMENSIONS), np.int64)

    def add(self, row: Row) -> None:
        """One request more."""
        self.requests += 1
        self.counts[list(row.cells)] += 1
        for place, vector in enumerate(row.vectors):
            if vector is not None:
                self.vectors[place] += 1
                self.sums[place] += np.frombuffer(vector, np.int8)

    def join(self, other: "Block") -> None:
        """All requests of another block more."""
        self.requests += other.requests
        self.counts += other.counts
        self.vectors += other.vectors
        self.sums += other.sums

    def leave(self, other: "Block") -> None:
        """All requests of another block less, which had been added."""
        self.requests -= other.requests
        self.counts -= other.counts
        self.vectors -= other.vectors
        self.sums -= other.sums

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Block):
            return NotImplemented
        return self.requests == other.requests and all(
            np.array_equal(ours, theirs)
            for ours, theirs in (
                (self.counts, other.counts),
                (self.vectors, other.vectors),
                (self.sums, other.sums),
            )
        )

    __hash__ = None  # type: ignore[assignment]  # it changes


def joined(blocks: Iterable[Block]) -> Block:
    """All of them as one."""
    whole = Block()
    for block in blocks:
        whole.join(block)
    return whole
