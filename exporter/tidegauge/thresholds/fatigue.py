"""A signal that has often been odd has to be odder: its scores are divided by what it has cost.

With n the signal's own events so far, each of which fades with the length of the history,

    divisor = 1 + 0.04 n

where an event is a score over 4.5 that one hold for all lets through (peak_hold.py).
"""

from tidegauge.thresholds.peak_hold import PeakHold

FATIGUE = 0.04  # on NAB 0.02 to 0.07 are better than none by 1 to 4 points
COUNTED_SCORE = 4.5  # 4 to 5 are as good


class Fatigue:
    """Counts the events of the last `history_points`, held for `hold_seconds` each.

    >>> fatigue = Fatigue(history_points=1000, hold_seconds=60.0)
    >>> for n in range(3):
    ...     fatigue.take(9.0, n * 100.0)
    >>> round(fatigue.divisor, 2)
    1.12
    """

    def __init__(self, *, history_points: int, hold_seconds: float) -> None:
        self._hold = PeakHold(hold_seconds)
        self._kept = 1 - 1 / max(1, history_points)
        self._events = 0.0
        self.divisor = 1.0

    def take(self, score: float, now: float) -> None:
        """The next point's score, not divided by anything."""
        if score > 0 and self._hold.update(score, now) > COUNTED_SCORE:
            self._events += 1
        self._events *= self._kept
        self.divisor = 1 + FATIGUE * self._events
