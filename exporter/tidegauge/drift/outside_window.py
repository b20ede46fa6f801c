"""How many of the latest requests were outside of the reference: the same span as window.py's.

No clock, no network, no logging: same arguments, same answer.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.cells import SIDES, Side
from tidegauge.drift.outside import Counted
from tidegauge.drift.window import WindowLimits

Counts = NDArray[np.int64]


class OutsideWindow:
    """Ticks of counts, and their sum.

    A tick leaves when it ended `limits.seconds` ago, or when those after it hold `limits.requests`
    by themselves. A clock that goes back stands still until it has caught up. Memory: at most
    `limits.requests` ticks of 0.2 KB each, none of them empty.
    """

    def __init__(self, limits: WindowLimits) -> None:
        self._limits = limits
        self._now = float("-inf")
        self._tick = _none()
        self._held: deque[tuple[float, Counts]] = deque()
        self._total = _none()

    def add(self, counted: Counted) -> None:
        """Requests of the tick under way."""
        for side, (known, beyond) in counted.items():
            self._tick[SIDES.index(side)] += (known, beyond)

    def close(self, *, now: float) -> None:
        """The tick ends; `now` in seconds."""
        self._now = max(self._now, now)
        while self._held and self._now - self._held[0][0] >= self._limits.seconds:
            self._drop_first()
        if self._tick.any():
            self._held.append((self._now, self._tick))
            self._total += self._tick
            self._tick = _none()
        while self._held and self._first_is_surplus():
            self._drop_first()

    def counts(self, side: Side) -> tuple[int, int]:
        """Of the ticks that ended: requests that could be held against the limit, and beyond it."""
        known, beyond = self._total[SIDES.index(side)].tolist()
        return known, beyond

    def ratio(self, side: Side) -> float | None:
        """The share outside; None of fewer requests than `limits.min_requests`."""
        known, beyond = self.counts(side)
        return beyond / known if known >= self._limits.min_requests else None

    def _first_is_surplus(self) -> bool:
        return int((self._total - self._held[0][1])[:, 0].max()) >= self._limits.requests

    def _drop_first(self) -> None:
        self._total -= self._held.popleft()[1]


def _none() -> Counts:
    return np.zeros((len(SIDES), 2), np.int64)
