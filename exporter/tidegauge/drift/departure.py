"""How far a window's means lie from the reference's: ln of the chance of as much without a shift.

No clock, no network, no logging: same arguments, same answer. joint.py says what each is of.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from tidegauge.drift.block import Block
from tidegauge.drift.cells import FIRSTS
from tidegauge.drift.scalar_basis import ScalarBasis
from tidegauge.drift.tail import log_pearson3_tail
from tidegauge.drift.vector_basis import VectorBasis


def vector_tails(basis: VectorBasis, window: Block) -> tuple[float, ...]:
    """Plain and white; none where the window has no such vector."""
    vectors = int(window.vectors[basis.place])
    if not vectors:
        return ()
    mean = window.sums[basis.place] / vectors
    standardised, whitened = basis.standardised(mean), basis.whitened(mean)
    pairs = _pairs(vectors, basis.vectors)
    return (
        basis.plain.log_tail(pairs * float(standardised @ standardised), vectors),
        basis.white.log_tail(pairs * float(whitened @ whitened), vectors),
    )


def scalar_tails(basis: ScalarBasis, window: Block) -> tuple[float, ...]:
    """Of location, where there is one, and of surprise; none where the window has no channel."""
    squares, surprise, requests = 0.0, 0.0, 0
    for known, (seen, locations, surprises) in zip(
        basis.channels, _sums(basis, window), strict=True
    ):
        if not seen:
            squares += known.location_variance  # what there would be by chance
            continue
        requests = max(requests, seen)
        location = locations / seen
        squares += location**2 * _pairs(seen, known.requests)
        surprise += surprises / seen
    if not requests:
        return ()
    deviation = surprise * sqrt(_pairs(requests, basis.requests) / basis.surprise.variance)
    rare = log_pearson3_tail(deviation, basis.surprise.skew / sqrt(requests))
    if basis.location.mean > 0:
        return (basis.location.log_tail(squares, requests), rare)
    return (rare,)


def _sums(basis: ScalarBasis, window: Block) -> Sequence[tuple[int, float, float]]:
    """Of each of the basis' channels: requests of the window, their locations, their surprises."""
    counts = window.counts
    numbers = np.stack((counts, counts * basis.locations, counts * basis.rarity))
    sums = np.add.reduceat(numbers, FIRSTS, axis=1)
    return [(int(seen), x, y) for seen, x, y in sums[:, basis.columns].T.tolist()]


def _pairs(requests: int, reference: int) -> float:
    """1 over the variance of a difference of means, of numbers of variance 1."""
    return 1 / (1 / requests + 1 / reference)
