"""Days made of a trace's minutes, in a random order, as busy as the days of another trace.

Within a minute requests stay together, so that sessions and bursts of a minute are as they were.
A busy minute is several of the trace's, a quiet one a random part of one. What wanders more slowly
than minutes is lost: the trace as it is shows that.
"""

import numpy as np
from numpy.typing import NDArray

from benchmarks.replaying.counted import DAY_SECONDS, TICK_SECONDS, Requests

MINUTE_TICKS = int(60 / TICK_SECONDS)
DAY_TICKS = int(DAY_SECONDS / TICK_SECONDS)


class Days:
    """Of the requests of a trace; `rates` (days, 1440) are relative to its own."""

    def __init__(self, of: Requests, rates: NDArray[np.float64]) -> None:
        minutes = int(of.ticks[-1] + 1) // MINUTE_TICKS
        bounds = [(n * MINUTE_TICKS, (n + 1) * MINUTE_TICKS) for n in range(minutes)]
        self._minutes = [minute for bound in bounds if len(minute := of.between(*bound))]
        self._mean = sum(map(len, self._minutes)) / minutes
        self._rates = rates

    def day(self, number: int, rng: np.random.Generator) -> Requests:
        """The so-manieth; after the last comes the first again, of other minutes."""
        relative = self._rates[number % len(self._rates)]
        parts: list[Requests] = []
        for minute, wanted in enumerate(rng.poisson(self._mean * relative).tolist()):
            for part in self._drawn(wanted, rng):
                ticks = part.ticks + minute * MINUTE_TICKS
                parts.append(Requests(ticks, part.prompts, part.answers))
        whole = Requests(
            np.concatenate([part.ticks for part in parts]),
            np.concatenate([part.prompts for part in parts]),
            np.concatenate([part.answers for part in parts]),
        )
        return whole.chosen(np.argsort(whole.ticks, kind="stable"))

    def _drawn(self, wanted: int, rng: np.random.Generator) -> list[Requests]:
        drawn: list[Requests] = []
        while wanted > 0:
            minute = self._minutes[int(rng.integers(len(self._minutes)))]
            if len(minute) > wanted:
                kept = np.sort(rng.choice(len(minute), wanted, replace=False))
                minute = minute.chosen(kept)
            wanted -= len(minute)
            drawn.append(minute)
        return drawn
