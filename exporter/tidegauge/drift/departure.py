"""How far a window's means lie from the reference's, in the reference's basis.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from tidegauge.drift.block import Block
from tidegauge.drift.scalar_basis import ScalarBasis
from tidegauge.drift.scores import ChannelScores
from tidegauge.drift.tail import log_pearson3_tail
from tidegauge.drift.vector_basis import VectorBasis


@dataclass(frozen=True, slots=True)
class ChannelDeparture:
    """Of one channel; in standard deviations of a mean of so many requests.

    `surprise_log_tail` is ln of the chance of so much surprise or more.
    """

    location: float
    surprise: float
    surprise_log_tail: float


@dataclass(frozen=True, slots=True)
class ScalarDeparture:
    """Of the channels that both have. `log_tails`: of location, where there is one; of surprise."""

    channels: Mapping[str, ChannelDeparture]
    log_tails: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class VectorDeparture:
    """`log_tails`: plain and white."""

    log_tails: tuple[float, float]


def vector_departure(basis: VectorBasis, window: Block) -> VectorDeparture | None:
    """None where the window has no such vector."""
    vectors = int(window.vectors[basis.place])
    if not vectors:
        return None
    mean = window.sums[basis.place] / vectors
    standardised, whitened = basis.standardised(mean), basis.whitened(mean)
    pairs = _pairs(vectors, basis.vectors)
    return VectorDeparture(
        (
            basis.plain.log_tail(pairs * float(standardised @ standardised), vectors),
            basis.white.log_tail(pairs * float(whitened @ whitened), vectors),
        )
    )


def scalar_departure(basis: ScalarBasis, window: Block) -> ScalarDeparture | None:
    """None where the window has none of the channels."""
    squares, surprise, requests = 0.0, 0.0, 0
    channels = dict[str, ChannelDeparture]()
    for known in basis.channels:
        counts = window.counts[known.channel.place]
        seen = int(counts.sum())
        if not seen:
            squares += known.location_variance  # what there would be by chance
            continue
        requests = max(requests, seen)
        location = float(counts @ known.location) / seen
        channel_surprise = float(counts @ known.surprise) / seen
        squares += location**2 * _pairs(seen, known.requests)
        surprise += channel_surprise
        channels[known.channel.name] = _channel(known, seen, location, channel_surprise)
    if not requests:
        return None
    deviation = surprise * sqrt(_pairs(requests, basis.requests) / basis.surprise.variance)
    rare = log_pearson3_tail(deviation, basis.surprise.skew / sqrt(requests))
    if basis.location.mean > 0:
        return ScalarDeparture(channels, (basis.location.log_tail(squares, requests), rare))
    return ScalarDeparture(channels, (rare,))


def _channel(known: ChannelScores, seen: int, location: float, surprise: float) -> ChannelDeparture:
    root = sqrt(_pairs(seen, known.requests))
    rare = surprise * root / sqrt(known.surprise_variance)
    return ChannelDeparture(
        location * root / sqrt(known.location_variance) if known.location_variance else 0.0,
        rare,
        log_pearson3_tail(rare, known.surprise_skew / sqrt(seen)),
    )


def _pairs(requests: int, reference: int) -> float:
    """1 over the variance of a difference of means, of numbers of variance 1."""
    return 1 / (1 / requests + 1 / reference)
