"""Requests added up: how many fell into each cell, and the sums of their vectors' directions.

No clock, no network, no logging: same arguments, same answer. Whole numbers only: whatever is
added, and in which order, the sum is the same to the last digit.
"""

from collections.abc import Iterable
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.cells import CELLS, VECTORS
from tidegauge.drift.row import Row
from tidegauge.traffic.texts.vectors import DIMENSIONS

Counts = NDArray[np.int64]
UNIT = 4096
"""The length of a direction: its components are rounded to whole numbers."""

_BATCH = 64  # requests that are added up at once: one by one, numpy's calls cost ten times as much


class Block:
    """Starts empty. Its arrays are its own: read them, change nothing."""

    __slots__ = ("_counts", "_sums", "_vectors", "_waiting", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self._counts: Counts = np.zeros(CELLS, np.int64)
        self._vectors: Counts = np.zeros(len(VECTORS), np.int64)
        self._sums: Counts = np.zeros((len(VECTORS), DIMENSIONS), np.int64)
        self._waiting = list[Row]()

    @classmethod
    def of(cls, requests: int, *, counts: Counts, vectors: Counts, sums: Counts) -> "Block":
        """One that has been added up elsewhere; its arrays are its own from now on."""
        block = cls()
        block.requests = requests
        block._counts, block._vectors, block._sums = counts, vectors, sums
        return block

    @property
    def counts(self) -> Counts:
        """(CELLS,): requests in each cell."""
        self._add_up()
        return self._counts

    @property
    def vectors(self) -> Counts:
        """(2,): how many vectors of each kind."""
        self._add_up()
        return self._vectors

    @property
    def sums(self) -> Counts:
        """(2, 256): the sums of the directions of each kind."""
        self._add_up()
        return self._sums

    def add(self, row: Row) -> None:
        """One request more."""
        self.requests += 1
        self._waiting.append(row)
        if len(self._waiting) >= _BATCH:
            self._add_up()

    def join(self, other: "Block") -> None:
        """All requests of another block more."""
        self.requests += other.requests
        self._counts += other.counts
        self._vectors += other.vectors
        self._sums += other.sums

    def leave(self, other: "Block") -> None:
        """All requests of another block less, which had been added."""
        self.requests -= other.requests
        self._counts -= other.counts
        self._vectors -= other.vectors
        self._sums -= other.sums

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

    def _add_up(self) -> None:
        if not self._waiting:
            return
        rows, self._waiting = self._waiting, []
        cells = np.array(list(chain.from_iterable(row.cells for row in rows)), np.int64)
        self._counts += np.bincount(cells, minlength=CELLS)
        for place in range(len(VECTORS)):
            vectors = [vector for row in rows if (vector := row.vectors[place]) is not None]
            if vectors:
                self._vectors[place] += len(vectors)
                self._sums[place] += directions(b"".join(vectors)).sum(axis=0)


def joined(blocks: Iterable[Block]) -> Block:
    """All of them as one."""
    whole = Block()
    for block in blocks:
        whole.join(block)
    return whole


def directions(vectors: bytes) -> Counts:
    """Of n vectors end to end, (n, 256) whole numbers, each row of length UNIT.

    Lengths say nothing: vectors come with their largest component at a bound, whatever they were.
    """
    components = np.frombuffer(vectors, np.int8).reshape(-1, DIMENSIONS).astype(np.float64)
    lengths = np.sqrt(np.einsum("ij,ij->i", components, components))
    units: Counts = np.rint(components * (UNIT / lengths)[:, None]).astype(np.int64)
    return units
