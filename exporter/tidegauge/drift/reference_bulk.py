"""The bulk of a reference as bytes: its blocks, its vectors' moments and its sample of requests.

No clock, no network, no logging: same arguments, same answer. All numbers are little-endian. What
is read back is checked as if somebody had made it up: a sketch either could have been counted, or
there is a ValueError of one line.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.block import UNIT, Block, Counts
from tidegauge.drift.cells import CELLS, CHANNELS, VECTORS
from tidegauge.drift.row import Row
from tidegauge.drift.sketch import MAX_BLOCKS, SAMPLE_ROWS, Moments, Ranked, Sketch
from tidegauge.traffic.texts.vectors import DIMENSIONS, STEPS

_BLOCK = 2 + CELLS + len(VECTORS) * (1 + DIMENSIONS)  # numbers: place in time, requests, …
_TRIANGLE = np.triu_indices(DIMENSIONS)
_ROW = Struct("<QBB")  # hash, cells, which vectors
_CHANNEL_OF = np.repeat(np.arange(len(CHANNELS)), [channel.grid.cells for channel in CHANNELS])
_FIRSTS = np.array([channel.first for channel in CHANNELS])

MAX_BLOCKS_BYTES = 8 * _BLOCK * MAX_BLOCKS
MAX_MOMENTS_BYTES = 8 * len(VECTORS) * len(_TRIANGLE[0])
MAX_SAMPLE_BYTES = SAMPLE_ROWS * (_ROW.size + 2 * len(CHANNELS) + len(VECTORS) * DIMENSIONS)


@dataclass(frozen=True, slots=True)
class Told:
    """What the head of a reference says of its bulk."""

    model: str
    begin: float
    end: float
    requests: int
    block_seconds: float


def content(sketch: Sketch) -> tuple[bytes, bytes, bytes]:
    """Blocks, moments and sample."""
    blocks = [_of_block(start, block, sketch.block_seconds) for start, block in sketch.blocks()]
    triangles = [sketch.moments(place)[_TRIANGLE] for place in range(len(VECTORS))]
    sample = b"".join(_of_ranked(rank, row) for rank, row in sketch.sample)
    return _bytes(np.concatenate(blocks)), _bytes(np.concatenate(triangles)), sample


def sketch_of(told: Told, blocks: bytes, moments: bytes, sample: bytes) -> Sketch:
    """The sketch that had this content.

    Raises:
        ValueError: none can have it.
    """
    sketch = Sketch(told.model, block_seconds=told.block_seconds)
    sketch.restore_span(told.begin, told.end)
    for start, block in _blocks(told, blocks):
        sketch.restore_block(start, block)
    if sketch.requests != told.requests:
        raise ValueError(f"requests: {told.requests}, and its blocks have {sketch.requests}")
    for place, products in enumerate(_moments(moments, sketch.total.vectors)):
        sketch.restore_moments(place, products)
    for rank, row in _sample(sample, told.requests):
        sketch.restore_sample(rank, row)
    return sketch


def _of_block(start: float, block: Block, block_seconds: float) -> NDArray[np.int64]:
    head = np.array((round(start / block_seconds), block.requests), np.int64)
    return np.concatenate((head, block.counts, block.vectors, block.sums.ravel()))


def _bytes(numbers: NDArray[np.int64] | Moments) -> bytes:
    return numbers.astype("<i8").tobytes()


def _of_ranked(rank: int, row: Row) -> bytes:
    made = sum(1 << place for place, vector in enumerate(row.vectors) if vector is not None)
    cells = np.array(row.cells, "<u2").tobytes()
    vectors = b"".join(vector for vector in row.vectors if vector is not None)
    return _ROW.pack(rank, len(row.cells), made) + cells + vectors


def _blocks(told: Told, raw: bytes) -> Iterator[tuple[float, Block]]:
    if not raw or len(raw) % (8 * _BLOCK):
        raise ValueError(f"blocks: {len(raw)} bytes are no blocks of {8 * _BLOCK} bytes each")
    table = np.frombuffer(raw, "<i8").astype(np.int64).reshape(-1, _BLOCK)
    places = [int(place) for place in table[:, 0]]
    if any(earlier >= later for earlier, later in pairwise(places)):
        raise ValueError("blocks: are not in the order of time")
    first, last = (int(at // told.block_seconds) for at in (told.begin, told.end))
    if (places[0], places[-1]) != (first, last):
        raise ValueError("blocks: do not reach from begin to end")
    for number, (place, numbers) in enumerate(zip(places, table, strict=True)):
        yield place * told.block_seconds, _block(f"blocks.{number}", numbers[1:])


def _block(path: str, numbers: Counts) -> Block:
    requests = int(numbers[0])
    _, counts, vectors, sums = np.split(numbers, np.cumsum((1, CELLS, len(VECTORS))))
    shaped = sums.reshape(len(VECTORS), DIMENSIONS)
    if not 1 <= requests < 1 << 40:
        raise ValueError(f"{path}: {requests} requests; there must be 1 or more")
    if counts.min() < 0 or counts.max() > requests:
        wrong = int(counts.min() if counts.min() < 0 else counts.max())
        raise ValueError(f"{path}: a count of {wrong} of {requests} requests")
    most = np.add.reduceat(counts, _FIRSTS)
    if most.max() > requests:
        name = CHANNELS[int(most.argmax())].name
        raise ValueError(f"{path}: {int(most.max())} values of {name} of {requests} requests")
    if vectors.min() < 0 or vectors.max() > requests:
        raise ValueError(f"{path}: {vectors.tolist()} vectors of {requests} requests")
    bound = UNIT * vectors[:, None]
    if (shaped > bound).any() or (shaped < -bound).any():
        raise ValueError(f"{path}: a sum of vectors that is longer than all of them")
    return Block.of(requests, counts=counts, vectors=vectors, sums=shaped)


def _moments(raw: bytes, vectors: Counts) -> Iterator[Moments]:
    if len(raw) != MAX_MOMENTS_BYTES:
        raise ValueError(f"moments: {len(raw)} bytes; there must be {MAX_MOMENTS_BYTES}")
    triangles = np.frombuffer(raw, "<i8").reshape(len(VECTORS), -1)
    for number, triangle in zip(vectors, triangles, strict=True):
        bound = int(number) * UNIT**2
        products = np.zeros((DIMENSIONS, DIMENSIONS))
        products[_TRIANGLE] = triangle
        products.T[_TRIANGLE] = triangle
        if (triangle > bound).any() or (triangle < -bound).any() or products.diagonal().min() < 0:
            raise ValueError(f"moments: cannot be those of {int(number)} vectors")
        yield products


def _sample(raw: bytes, requests: int) -> Iterator[Ranked]:
    offset = rows = 0
    while offset < len(raw):
        rows += 1
        ranked, offset = _ranked(raw, offset)
        yield ranked
    if rows != min(requests, SAMPLE_ROWS):
        wanted = min(requests, SAMPLE_ROWS)
        raise ValueError(f"sample: {rows} requests; of {requests} there must be {wanted}")


def _ranked(raw: bytes, offset: int) -> tuple[Ranked, int]:
    """A row of the sample and where the next one begins."""
    if len(raw) - offset < _ROW.size:
        raise ValueError("sample: is cut")
    rank, number, made = _ROW.unpack_from(raw, offset)
    offset += _ROW.size
    kinds = [bool(made >> place & 1) for place in range(len(VECTORS))]
    end = offset + 2 * number + DIMENSIONS * sum(kinds)
    if made >> len(VECTORS) or end > len(raw):
        raise ValueError("sample: is cut")
    cells = _cells(np.frombuffer(raw, "<u2", number, offset))
    offset += 2 * number
    vectors = list[bytes | None]()
    for kind in kinds:
        vectors.append(_vector(raw[offset : offset + DIMENSIONS]) if kind else None)
        offset += DIMENSIONS * kind
    return (rank, Row(cells, tuple(vectors))), end


def _cells(cells: NDArray[np.uint16]) -> tuple[int, ...]:
    if cells.size and cells.max() >= CELLS:
        raise ValueError(f"sample: cell {int(cells.max())}; there are {CELLS}")
    if (np.diff(_CHANNEL_OF[cells]) <= 0).any():
        raise ValueError("sample: a request has two values of a channel, or they are out of order")
    return tuple(map(int, cells))


def _vector(vector: bytes) -> bytes:
    components = np.frombuffer(vector, np.int8)
    if not components.any() or components.min() < -STEPS:
        raise ValueError("sample: a vector without a direction, or with a component of -128")
    return vector
