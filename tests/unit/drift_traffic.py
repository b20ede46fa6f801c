"""Traffic made of counts alone, for tests of drift that need hours of it in moments.

Each block is drawn at once: a multinomial of every channel's cells, channels independent.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.block import Block
from tidegauge.drift.cells import CELLS, CHANNELS, VECTORS
from tidegauge.drift.reference import Reference
from tidegauge.drift.sequence import Sequence
from tidegauge.drift.sketch import Sketch
from tidegauge.traffic.texts.vectors import DIMENSIONS

BEGIN = 1.8e9
TICK = 10.0

Cells = NDArray[np.float64]


def cells_of(rng: np.random.Generator) -> Cells:
    """(CELLS,) shares: a bell in every number, some classes."""
    found = np.zeros(CELLS)
    for channel in CHANNELS:
        place = np.arange(channel.grid.cells)
        if channel.grid.names:
            found[channel.place] = rng.dirichlet(np.full(len(place), 0.5))
        else:
            middle = len(place) * rng.uniform(0.3, 0.7)
            bell = np.exp(-(((place - middle) / (0.16 * len(place))) ** 2))
            found[channel.place] = bell / bell.sum()
    return found


def block_of(counts: NDArray[np.int64], requests: int) -> Block:
    """(CELLS,) counts as a block without vectors."""
    vectors = np.zeros(len(VECTORS), np.int64)
    sums = np.zeros((len(VECTORS), DIMENSIONS), np.int64)
    return Block.of(requests, counts=counts.astype(np.int64), vectors=vectors, sums=sums)


def traffic(shares: Cells, rng: np.random.Generator, *, requests: float = TICK) -> list[Block]:
    """A block for each of (T, CELLS) shares, of about so many requests."""
    known = rng.poisson(requests, len(shares))
    counts = np.concatenate(
        [rng.multinomial(known, shares[:, channel.place]) for channel in CHANNELS], axis=1
    )
    return [block_of(row, int(n)) for row, n in zip(counts, known, strict=True)]


def steady(shares: Cells, ticks: int) -> Cells:
    """(ticks, CELLS): the same at all times."""
    return np.broadcast_to(shares, (ticks, CELLS))


def wandering(shares: Cells, ticks: int, rng: np.random.Generator) -> Cells:
    """(ticks, CELLS): each channel leans to and fro, AR(1) with two minutes of memory."""
    kept = np.exp(-TICK / 120.0)
    lean = np.empty((ticks, len(CHANNELS)))
    lean[0] = rng.normal(size=len(CHANNELS))
    for tick in range(1, ticks):
        noise = rng.normal(size=len(CHANNELS))
        lean[tick] = kept * lean[tick - 1] + np.sqrt(1 - kept**2) * noise
    found = np.repeat(shares[None, :], ticks, axis=0)
    for n, channel in enumerate(CHANNELS):
        found[:, channel.place] *= np.exp(
            0.4 * lean[:, n, None] * np.linspace(-1.0, 1.0, channel.grid.cells)
        )
        found[:, channel.place] /= found[:, channel.place].sum(axis=1, keepdims=True)
    return found


def mixed(shares: Cells, other: Cells, part: float) -> Cells:
    """Of two kinds of traffic, `part` of the second."""
    return (1 - part) * shares + part * other


def learned(blocks: Iterable[Block], *, begin: float = BEGIN, width: float = TICK) -> Reference:
    """The reference that these are, one block after the other."""
    sketch, end = Sketch("chat"), begin
    for place, block in enumerate(blocks):
        end = begin + width * place
        if block.requests:
            sketch.restore_block(end, block)
    sketch.restore_span(begin, end)
    return Reference.of(sketch, made_by="0.1.0")


def watched(sequence: Sequence, blocks: Iterable[Block], *, begin: float = 0.0) -> float:
    """Give it all of these, a tick after the other, and say when the next would be."""
    for block in blocks:
        sequence.tick(block, now=begin)
        begin += TICK
    return begin
