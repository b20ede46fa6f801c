"""How often every constant threshold would have alarmed, and the one that keeps to a budget.

No clock, no network, no logging: same arguments, same answer. An alarm is the step at which a value
reaches a threshold that none of the `hold` steps before had reached. Counts of alarms at each of
LEVELS are all that is kept, of the reference's period and of what came after it: the threshold is
the least that alarms as often as the budget says. Where the counted time is too short for that, it
is read off a Pareto tail of the ten highest levels that alarmed (pareto_tail.py), as if one of mean
logarithm 0.35 had been known before, so that two or three that happen to be alike are not taken for
all that can be. Both were chosen by hand, not derived: the width of ordinary tails is not known
before there are any.
"""

import numpy as np
from numpy.typing import NDArray

from tidegauge.thresholds.pareto_tail import Known, reached

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]

LEVELS: Numbers = np.exp(np.arange(-115, 185) * 0.02)
"""0.1 to 40, in steps of 2 %."""
TAIL_LEVELS = 10  # of which a tail is fitted
BEFORE = Known(values=1.0, spread=0.35)


def places_of(values: Numbers) -> Places:
    """How many of LEVELS each value reaches."""
    return np.searchsorted(LEVELS, values, side="right").astype(np.int64)


def onsets(places: Places, *, hold: int) -> Numbers:
    """(R, L) alarms at each of LEVELS, of (R, T) places in order of time."""
    before = np.zeros_like(places)
    for step in range(1, min(hold, places.shape[1] - 1) + 1):
        np.maximum(before[:, step:], places[:, :-step], out=before[:, step:])
    rows = np.broadcast_to(np.arange(len(places))[:, None], places.shape)
    new = places > before
    width = len(LEVELS) + 1
    size = len(places) * width
    begun = np.bincount(rows[new] * width + before[new], minlength=size)
    ended = np.bincount(rows[new] * width + places[new], minlength=size)
    counts: Numbers = np.cumsum((begun - ended).reshape(-1, width), axis=1)[:, :-1]
    return counts.astype(np.float64)


def threshold(counts: Numbers, expected: float) -> float:
    """The level that would have alarmed `expected` times in the time that `counts` are of.

    The highest of LEVELS if no alarm of any is known.

    >>> counts = np.where(LEVELS < 2.0, 20.0, np.where(LEVELS < 3.0, 10.0, 0.0))
    >>> round(threshold(counts, 10.0), 1)
    3.0
    """
    # A level counts at least as many alarms as any above it.
    falling = np.maximum.accumulate(counts[::-1])
    total = int(falling[-1] + 0.5)
    if total < 1:
        return float(LEVELS[-1])
    if expected >= min(TAIL_LEVELS, total):
        # Where no level alarms so often, as of what is constant: above the highest of the most.
        above = int(np.searchsorted(falling, min(expected, float(falling[-1]))))
        return float(LEVELS[min(len(LEVELS) - above, len(LEVELS) - 1)])
    known = min(TAIL_LEVELS, total - 1)
    alarms = np.searchsorted(falling, np.arange(1, known + 2) - 0.5)
    highest = LEVELS[len(LEVELS) - 1 - alarms].tolist()
    if expected >= max(known, 1):
        return float(highest[min(int(expected), known)])
    return min(reached(highest, expected, before=BEFORE), float(LEVELS[-1]))


class Levels:
    """Counts of R values that go on, `hold` steps late. Memory: 2.4 KB a value, and its places.

    An incident is none of what is usual: its steps, and those that still wait when it begins, can
    be left out. They are seen all the same, so that what it leaves behind, as means forget it, is
    no alarm of any lower level.
    """

    def __init__(self, counts: Numbers, *, seconds: float, hold: int) -> None:
        self.counts = counts
        self.seconds = seconds
        self._seen: Places = np.zeros((len(counts), hold), np.int64)
        self._waiting: Places = np.zeros((len(counts), hold), np.int64)
        self._out = np.zeros((len(counts), hold), np.bool_)
        self._next = 0

    def add(self, places: Places, *, out: NDArray[np.bool_], seconds: float) -> None:
        """A step of so long, with the (R,) places that the values reach, some of them left out."""
        late = self._waiting[:, self._next].copy()
        before = self._seen.max(axis=1)
        for row in np.flatnonzero((late > before) & ~self._out[:, self._next]):
            self.counts[row, before[row] : late[row]] += 1
        self._seen[:, self._next] = late
        self._waiting[:, self._next] = places
        self._out[:, self._next] = out
        self._next = (self._next + 1) % self._seen.shape[1]
        self.seconds += seconds

    def leave_out(self, rows: NDArray[np.bool_]) -> None:
        """What waits of these, (R,), is never counted."""
        self._out[rows] = True
