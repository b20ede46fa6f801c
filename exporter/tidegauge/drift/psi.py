"""Population stability index of a sliding window against the reference's bins.

With counts c_b in B bins and n = sum of c_b requests, the smoothed share is

    q_b = (c_b + 0.5) / (n + 0.5 B)

the reference's share p_b is smoothed alike (so neither is ever 0), and

    PSI = sum over b of (q_b - p_b) ln(q_b / p_b)    >= 0, and 0 only if all shares are equal.

Credit scoring reads below 0.1 as stable and above 0.25 as shifted (Siddiqi, Credit Risk
Scorecards, 2006). Those cut-offs forget the sample's size: with no shift, n independent requests
against a reference of m still give (B - 1)(1/n + 1/m) on average (Yurdakul, Statistical Properties
of Population Stability Index, 2018), which is `psi_by_chance`. Real requests come in bursts and
are not independent, so real traffic shows more than that. A mix, whose requests are split over the
bins, shows less, but for classes that hardly occur, where the half request weighs in small windows.
"""

from collections.abc import Sequence
from math import fsum, log

from tidegauge.drift.bins import Value
from tidegauge.drift.reference import ChannelReference
from tidegauge.drift.shares import smoothed_shares
from tidegauge.drift.test import Verdict
from tidegauge.drift.window import Window, WindowLimits

CALIBRATED_FOR = "independent requests; bursts of similar requests score higher"


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
    """The index as a DriftTest: the window's shares against one channel of the reference."""

    def __init__(self, reference: ChannelReference, limits: WindowLimits) -> None:
        self._reference = reference
        self._limits = limits
        self._shares = reference.shares
        self._window = Window(len(self._shares), limits)

    def update(self, batch: Sequence[Value], *, now: float) -> Verdict:
        for value in batch:
            self._window.push(self._reference.bins.spread(value), now=now)
        self._window.expire(now=now)
        return self._verdict()

    def _verdict(self) -> Verdict:
        requests = self._window.requests
        if requests < self._limits.min_requests:
            return Verdict(None, requests, None, CALIBRATED_FOR)
        psi = population_stability(smoothed_shares(self._window.counts), self._shares)
        chance = psi_by_chance(len(self._shares), requests, self._reference.requests)
        return Verdict(psi, requests, chance, CALIBRATED_FOR)
