"""Population stability index of a window against the reference, over the channel's bins.

With counts c_b in B bins and n = sum of c_b requests, the smoothed share is

    q_b = (c_b + 0.5) / (n + 0.5 B)

the reference's share p_b is smoothed alike (so neither is ever 0), and

    PSI = sum over b of (q_b - p_b) ln(q_b / p_b)    >= 0, and 0 only if all shares are equal.

Credit scoring reads below 0.1 as stable and above 0.25 as shifted (Siddiqi, Credit Risk
Scorecards, 2006). Those cut-offs forget the sample's size: with no shift, n independent requests
against a reference of m still give (B - 1)(1/n + 1/m) on average (Yurdakul, Statistical Properties
of Population Stability Index, 2018), which is `psi_by_chance`. That takes every bin to be filled:
one that the reference never had adds about 1/n to it and next to nothing to the index.

The recording rule llm:drift_psi computes the same of all replicas; change both or none.
"""

from collections.abc import Sequence
from math import fsum, log

from tidegauge.drift.bins import bins_of
from tidegauge.drift.block import Block
from tidegauge.drift.cells import Channel
from tidegauge.drift.shares import smoothed_shares
from tidegauge.drift.test import Effect


def population_stability(shares: Sequence[float], reference: Sequence[float]) -> float:
    """PSI of shares against the reference's; every share above 0.

    >>> round(population_stability((0.6, 0.4), (0.4, 0.6)), 6)
    0.162186
    """
    return fsum((q - p) * log(q / p) for q, p in zip(shares, reference, strict=True))


def psi_by_chance(bins: int, requests: int, reference_requests: int) -> float:
    """What PSI is on average for independent requests with no shift.

    >>> round(psi_by_chance(8, 500, 1000), 6)
    0.021
    """
    return (bins - 1) * (1 / requests + 1 / reference_requests)


class PopulationStability:
    """The index as a DriftTest of one channel."""

    def __init__(self, channel: Channel, reference: Block) -> None:
        cells = reference.counts[channel.place]
        self._channel = channel
        self._requests = int(cells.sum())
        self._bins = bins_of(channel.grid, cells) if self._requests else None
        self._shares = smoothed_shares(self._bins.counts(cells).tolist()) if self._bins else ()

    def effect(self, window: Block) -> Effect | None:
        cells = window.counts[self._channel.place]
        requests = int(cells.sum())
        if not requests or self._bins is None:
            return None
        shares = smoothed_shares(self._bins.counts(cells).tolist())
        return Effect(
            population_stability(shares, self._shares),
            psi_by_chance(len(shares), requests, self._requests),
        )
