"""What is kept of a reference period: whole numbers that add up, whoever counted them.

No clock, no network, no logging: same arguments, same answer. Time is cut into blocks that begin
at multiples of their width on the wall clock, so that the blocks of two sidecars fit; a sketch that
gets more than `max_blocks` joins them two by two. Of single requests only a sample is kept: the
SAMPLE_ROWS with the least hash, which is the same sample whichever sidecar saw which request.
"""

import heapq
from collections.abc import Iterator
from hashlib import blake2b
from struct import pack

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.block import Block, directions, joined
from tidegauge.drift.cells import VECTORS
from tidegauge.drift.packing import packed, packed_row, unpacked, unpacked_row
from tidegauge.drift.row import Row
from tidegauge.traffic.texts.vectors import DIMENSIONS

BLOCK_SECONDS = 10.0
MAX_BLOCKS = 2048
SAMPLE_ROWS = 2048
_BATCH = 256  # vectors whose products are added up at once

Moments = NDArray[np.float64]
Ranked = tuple[int, Row]
"""A row of the sample and its hash."""
_Kept = tuple[int, bytes]  # a hash, negative; the row, packed
_UPPER = np.triu_indices(DIMENSIONS)


class Sketch:
    """One model's requests. Starts empty.

    `moments` are the sums of u uᵀ of all directions u, (256, 256), whole numbers; `total` is all
    requests as one block, `requests` how many there are. Memory, at most: a block takes 0.1 to
    3 KB, the sample 1.4 MB and products of each kind of vector 0.3 MB, if vectors are made; without
    them, a block 1 KB and the sample 0.4 MB.
    """

    def __init__(
        self, model: str, *, block_seconds: float = BLOCK_SECONDS, max_blocks: int = MAX_BLOCKS
    ) -> None:
        self.model = model
        self._max_blocks = max_blocks
        self.block_seconds = block_seconds
        self.begin: float | None = None
        self.end: float | None = None
        self._closed: dict[int, bytes] = {}
        self._open: tuple[int, Block] | None = None
        self._total: Block | None = None
        # What is on and above the diagonal: the rest is the same.
        self._moments = [np.zeros(0) for _ in VECTORS]
        self._waiting: list[list[bytes]] = [[] for _ in VECTORS]
        self.requests = 0
        self._sample: list[_Kept] = []

    @property
    def total(self) -> Block:
        """All of them; not to be changed: it is kept until requests are added."""
        if self._total is None:
            self._total = joined(block for _, block in self.blocks())
        return self._total

    @property
    def sample(self) -> tuple[Ranked, ...]:
        """The rows with the least hashes, least first."""
        kept = sorted(self._sample, reverse=True)
        return tuple((-rank, unpacked_row(row)) for rank, row in kept)

    def add(self, row: Row, *, at: float) -> None:
        """A request that ended at `at`, in seconds of the wall clock."""
        self._block(int(at // self.block_seconds)).add(row)
        self.requests += 1
        self._spans(at, at)
        self._consider(_rank(row, at), row)
        for place, vector in enumerate(row.vectors):
            if vector is not None:
                self._waiting[place].append(vector)
                if len(self._waiting[place]) >= _BATCH:
                    self._multiply(place)

    def blocks(self) -> Iterator[tuple[float, Block]]:
        """When each begins, and what is in it; in order of time. Empty ones are left out."""
        self._close()
        for index in sorted(self._closed):
            yield index * self.block_seconds, unpacked(self._closed[index])

    def moments(self, place: int) -> Moments:
        """Σ u uᵀ of the directions of VECTORS[place]; float64 holds 5e8 of them exactly."""
        self._multiply(place)
        found = np.zeros((DIMENSIONS, DIMENSIONS))
        if len(self._moments[place]):
            found[_UPPER] = self._moments[place]
            found.T[_UPPER] = self._moments[place]
        return found

    def join(self, other: "Sketch") -> None:
        """What the other saw, too: as if one sidecar had seen all.

        Raises:
            ValueError: it is of another model.
        """
        if other.model != self.model:
            raise ValueError(f"model {other.model!r}: is not {self.model!r}")
        while self.block_seconds < other.block_seconds:
            self._widen()
        for start, block in other.blocks():
            self.restore_block(start, block)
        if other.begin is not None and other.end is not None:
            self._spans(other.begin, other.end)
        for place in range(len(VECTORS)):
            self.restore_moments(place, other.moments(place))
        for rank, row in other.sample:
            self._consider(rank, row)

    def copy(self) -> "Sketch":
        """One that what is added from now on does not change."""
        self._close()
        other = Sketch(self.model, block_seconds=self.block_seconds, max_blocks=self._max_blocks)
        other.begin, other.end, other.requests = self.begin, self.end, self.requests
        other._closed = dict(self._closed)
        for place in range(len(VECTORS)):
            self._multiply(place)
        other._moments = list(self._moments)
        other._sample = list(self._sample)
        return other

    def restore_block(self, start: float, block: Block) -> None:
        """More requests, of the block that begins at `start`."""
        self._block(int(start // self.block_seconds)).join(block)
        self.requests += block.requests

    def restore_moments(self, place: int, moments: Moments) -> None:
        """More vectors' products."""
        self._multiply(place)
        if moments.any():
            self._add_moments(place, moments)

    def restore_span(self, begin: float, end: float) -> None:
        """The requests lie between these, among others."""
        self._spans(begin, end)

    def restore_sample(self, rank: int, row: Row) -> None:
        """A row of another sample."""
        self._consider(rank, row)

    def _block(self, index: int) -> Block:
        """The one of this place, to be added to."""
        self._total = None
        if self._open and self._open[0] == index:
            return self._open[1]
        self._close()
        known = self._closed.pop(index, None)
        if known is None and len(self._closed) >= self._max_blocks:
            at = index * self.block_seconds
            self._widen()
            return self._block(int(at // self.block_seconds))
        self._open = index, Block() if known is None else unpacked(known)
        return self._open[1]

    def _close(self) -> None:
        if self._open:
            index, block = self._open
            self._closed[index] = packed(block)
            self._open = None

    def _widen(self) -> None:
        self._close()
        self.block_seconds *= 2
        wide = dict[int, bytes]()
        for index, block in sorted(self._closed.items()):
            neighbour = wide.get(index // 2)
            both = block if neighbour is None else packed(joined(map(unpacked, (neighbour, block))))
            wide[index // 2] = both
        self._closed = wide

    def _spans(self, begin: float, end: float) -> None:
        self.begin = begin if self.begin is None else min(self.begin, begin)
        self.end = end if self.end is None else max(self.end, end)

    def _consider(self, rank: int, row: Row) -> None:
        if len(self._sample) == SAMPLE_ROWS and -rank < self._sample[0][0]:
            return
        kept = (-rank, packed_row(row))
        if len(self._sample) < SAMPLE_ROWS:
            heapq.heappush(self._sample, kept)
        elif kept > self._sample[0]:
            heapq.heapreplace(self._sample, kept)

    def _multiply(self, place: int) -> None:
        waiting, self._waiting[place] = self._waiting[place], []
        if waiting:
            rows = directions(b"".join(waiting)).astype(np.float64)
            self._add_moments(place, rows.T @ rows)

    def _add_moments(self, place: int, products: Moments) -> None:
        # A new array: a copy of the sketch may have the old one.
        before = self._moments[place]
        self._moments[place] = before + products[_UPPER] if len(before) else products[_UPPER]


def _rank(row: Row, at: float) -> int:
    """A hash of the request, for the sample; its time tells equal ones apart."""
    content = pack(f"<d{len(row.cells)}H", at, *row.cells) + b"".join(v or b"" for v in row.vectors)
    return int.from_bytes(blake2b(content, digest_size=8).digest())
