"""The numbers and classes of one side's requests as scores, and how those hang together.

No clock, no network, no logging: same arguments, same answer. Counts alone tell each channel's own
variance; how channels vary together, and how far single requests are from normal, is told by the
rows of the sample. A channel that a request does not have counts as 0 there, and each is divided by
the share of requests that have it, so that a mean over those that have it is what is described.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.block import Counts
from tidegauge.drift.cells import CELLS, CHANNELS, Side
from tidegauge.drift.chance import Chance
from tidegauge.drift.folds import folds
from tidegauge.drift.limit import Limit, limit_of
from tidegauge.drift.sampled import MISSING
from tidegauge.drift.scores import ChannelScores, channel_scores

Numbers = NDArray[np.float64]

LEAST_REQUESTS = 30
_FIRST = np.array([channel.first for channel in CHANNELS])


@dataclass(frozen=True, slots=True, eq=False)
class ScalarBasis:
    """`requests` of the reference have the side; `channels` are those that enough of them have.

    `columns` are the channels' places in CHANNELS. `covariance`, (channels, channels), is that of
    locations of one request. `location` is of n times the sum of squares of mean locations,
    `surprise` of the square root of n times the sum of mean surprises. `locations` and `rarity`,
    (CELLS,), are the location and surprise of each cell, 0 of other channels, and `known` whether
    it is one of these channels.
    """

    requests: int
    channels: tuple[ChannelScores, ...]
    columns: tuple[int, ...]
    covariance: Numbers
    location: Chance
    surprise: Chance
    locations: Numbers
    rarity: Numbers
    known: NDArray[np.bool_]
    limit: Limit | None


def scalar_basis(side: Side, counts: Counts, cells: NDArray[np.int64]) -> ScalarBasis | None:
    """Of a sketch's (CELLS,) counts and its sample's cells; None where there are too few."""
    channels = _channels(side, counts, least=LEAST_REQUESTS)
    if not channels:
        return None
    requests = max(known.requests for known in channels)
    columns = tuple(_column(known) for known in channels)
    rows = cells[(cells[:, columns] != MISSING).any(axis=1)]
    locations, surprises = _scored(channels, rows, requests)
    covariance = _covariance(channels, locations)
    return ScalarBasis(
        requests,
        channels,
        columns,
        covariance,
        _location(covariance, (locations**2).sum(axis=1)),
        _surprise(channels, surprises),
        _locations(channels),
        _rarity(channels),
        _known(channels),
        _limit(side, counts, rows, requests) if len(rows) >= LEAST_REQUESTS else None,
    )


def _channels(side: Side, counts: Counts, *, least: int) -> tuple[ChannelScores, ...]:
    return tuple(
        channel_scores(channel, counts[channel.place])
        for channel in CHANNELS
        if channel.side == side and counts[channel.place].sum() >= least
    )


def _column(known: ChannelScores) -> int:
    return CHANNELS.index(known.channel)


def _scored(
    channels: Sequence[ChannelScores], rows: NDArray[np.int64], requests: int
) -> tuple[Numbers, Numbers]:
    """Locations, (rows, channels), and the sum of surprises, (rows,)."""
    locations, surprises = np.zeros((len(rows), len(channels))), np.zeros(len(rows))
    for place, known in enumerate(channels):
        cells = rows[:, _column(known)]
        share = known.requests / requests
        locations[:, place] = np.where(cells == MISSING, 0.0, known.location[cells]) / share
        surprises += np.where(cells == MISSING, 0.0, known.surprise[cells]) / share
    return locations, surprises


def _covariance(channels: Sequence[ChannelScores], locations: Numbers) -> Numbers:
    """Correlations of the sample, variances of all requests."""
    products = locations.T @ locations
    lengths = np.sqrt(np.diag(products))
    lengths[lengths == 0] = 1.0
    correlations = products / np.outer(lengths, lengths)
    np.fill_diagonal(correlations, 1.0)
    deviations = np.sqrt([known.location_variance for known in channels])
    covariance: Numbers = correlations * np.outer(deviations, deviations)
    return covariance


def _location(covariance: Numbers, distances: Numbers) -> Chance:
    values = np.maximum(np.linalg.eigvalsh(covariance), 0.0)
    variance = max(2 * float((values**2).sum()), np.finfo(np.float64).tiny)
    skew = 8 * float((values**3).sum()) / variance**1.5
    own = float(distances.var()) if len(distances) else 0.0
    return Chance(float(values.sum()), variance, max(own - variance, 0.0), skew)


def _surprise(channels: Sequence[ChannelScores], surprises: Numbers) -> Chance:
    middle = surprises - surprises.mean() if len(surprises) else np.zeros(1)
    variance = float((middle**2).mean()) + sum(known.surprise_more for known in channels)
    third = float((middle**3).mean()) + sum(known.surprise_skewed for known in channels)
    return Chance(0.0, variance, 0.0, third / variance**1.5)


def _locations(channels: Sequence[ChannelScores]) -> Numbers:
    table = np.zeros(CELLS)
    for known in channels:
        table[known.channel.place] = known.location
    return table


def _rarity(channels: Sequence[ChannelScores]) -> Numbers:
    table = np.zeros(CELLS)
    for known in channels:
        table[known.channel.place] = known.surprise
    return table


def _known(channels: Sequence[ChannelScores]) -> NDArray[np.bool_]:
    known = np.zeros(CELLS, np.bool_)
    for channel in channels:
        known[channel.channel.place] = True
    return known


def _limit(side: Side, counts: Counts, rows: NDArray[np.int64], requests: int) -> Limit:
    flat = np.where(rows == MISSING, CELLS, rows + _FIRST)
    distances = list[float]()
    for places in folds(len(rows), of=requests):
        held = np.bincount(flat[places].ravel(), minlength=CELLS + 1)[:CELLS]
        table = _rarity(_channels(side, counts - held, least=1))
        distances += np.append(table, 0.0)[flat[places]].sum(axis=1).tolist()
    return limit_of(np.array(distances))
