"""Requests added up: how many fell into each cell, and the sums of their vectors' directions.

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
UNIT = 4096
"""The length of a direction: its components are rounded to whole numbers."""

_BATCH = 64  # vectors that are added up at once: one by one, numpy's calls cost ten times as much


class Block:
    """Starts empty. `counts`: (CELLS,) requests; `vectors`: (2,), how many of each kind."""

    __slots__ = ("_sums", "_waiting", "counts", "requests", "vectors")

    def __init__(self) -> None:
        self.requests = 0
        self.counts: Counts = np.zeros(CELLS, np.int64)
        self.vectors: Counts = np.zeros(len(VECTORS), np.int64)
        self._sums: Counts = np.zeros((len(VECTORS), DIMENSIONS), np.int64)
        self._waiting: list[list[bytes]] = [[] for _ in VECTORS]

    @classmethod
    def of(cls, requests: int, *, counts: Counts, vectors: Counts, sums: Counts) -> "Block":
        """One that has been added up elsewhere; its arrays are its own from now on."""
        block = cls()
        block.requests, block.counts, block.vectors, block._sums = requests, counts, vectors, sums
        return block

    @property
    def sums(self) -> Counts:
        """(2, 256): the sums of the directions of each kind."""
        for place, waiting in enumerate(self._waiting):
            self._add_up(place, waiting)
        return self._sums

    def add(self, row: Row) -> None:
        """One request more."""
        self.requests += 1
        self.counts[list(row.cells)] += 1
        for place, vector in enumerate(row.vectors):
            if vector is not None:
                self.vectors[place] += 1
                waiting = self._waiting[place]
                waiting.append(vector)
                if len(waiting) >= _BATCH:
                    self._add_up(place, waiting)

    def join(self, other: "Block") -> None:
        """All requests of another block more."""
        self.requests += other.requests
        self.counts += other.counts
        self.vectors += other.vectors
        self._sums += other.sums

    def leave(self, other: "Block") -> None:
        """All requests of another block less, which had been added."""
        self.requests -= other.requests
        self.counts -= other.counts
        self.vectors -= other.vectors
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

    def _add_up(self, place: int, waiting: list[bytes]) -> None:
        if waiting:
            self._sums[place] += directions(b"".join(waiting)).sum(axis=0)
            waiting.clear()


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
