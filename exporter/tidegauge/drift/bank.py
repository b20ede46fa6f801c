"""Exponentially weighted means of many channels at several time scales, and how much they rest on.

No clock, no network, no logging: same arguments, same answer. With weights w = exp(-age / scale)
of requests, a mean is sum(w x) / sum(w), and its variance that of one request times
sum(w^2) / sum(w)^2: one by the number of requests that it is worth.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


class Bank:
    """Of M channels with D numbers each, at S scales; starts empty. Memory: 8 S M (D + 2) bytes."""

    def __init__(self, scales: Sequence[float], channels: int, numbers: int) -> None:
        self._scales: Numbers = np.array(scales)[:, None]
        self._sums: Numbers = np.zeros((len(scales), channels, numbers))
        self._weights: Numbers = np.zeros((len(scales), channels))
        self._squares: Numbers = np.zeros((len(scales), channels))

    def add(self, sums: Numbers, requests: Numbers, *, elapsed: float) -> None:
        """(M, D) sums of (M,) requests, that came within the last `elapsed` seconds."""
        kept = np.exp(-elapsed / self._scales)
        self._sums *= kept[:, :, None]
        self._sums += sums
        self._weights *= kept
        self._weights += requests
        self._squares *= kept * kept
        self._squares += requests

    def begin(self, sums: Numbers, requests: Numbers, *, elapsed: float) -> None:
        """As if a step of `elapsed` seconds like this one had come again and again before.

        The mean of a long time would else begin as that of the first few requests, and wander as
        fast as these do: many times more often far out than it is once it is old.
        """
        kept = np.exp(-elapsed / self._scales)
        self._weights = requests / (1 - kept)
        self._squares = requests / (1 - kept * kept)
        self._sums = sums / (1 - kept)[:, :, None]

    def draw(self, centre: Numbers, share: Numbers) -> None:
        """Leave (S, M) `share` of how far each mean is from the (M, D) centre."""
        at_centre = self._weights[:, :, None] * centre
        self._sums = at_centre + share[:, :, None] * (self._sums - at_centre)

    @property
    def means(self) -> Numbers:
        """(S, M, D); 0 where nothing is known."""
        known = np.where(self._weights > 0, self._weights, 1.0)
        means: Numbers = self._sums / known[:, :, None]
        return means

    @property
    def inverse(self) -> Numbers:
        """(S, M): one by the requests that a mean is worth; 1 where nothing is known."""
        known = np.where(self._weights > 0, self._weights, 1.0)
        inverse: Numbers = np.where(self._weights > 0, self._squares / known**2, 1.0)
        return inverse
