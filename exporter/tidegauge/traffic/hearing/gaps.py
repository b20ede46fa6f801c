"""Gaps between the chunks of one answer, counted into buckets while they are heard.

No clock, no network, no logging: same arguments, same answer. However long an answer is, it holds
one number per bucket and one time per choice.
"""

from bisect import bisect_left

from tidegauge.traffic.exchange import GAP_BOUNDS_SECONDS, Gaps

# Choices beyond share a clock, so that no answer can make us hold more.
CHOICES_MAX = 128


class GapCount:
    """Counts the time between two chunks of the same choice."""

    def __init__(self) -> None:
        self._counts = [0] * (len(GAP_BOUNDS_SECONDS) + 1)
        self._seconds = 0.0
        self._last_at: dict[int, float] = {}

    def chunk(self, choice: int, now: float) -> None:
        """A chunk of the choice with this index has come."""
        choice = min(choice, CHOICES_MAX)
        last_at = self._last_at.get(choice)
        self._last_at[choice] = now
        if last_at is not None:
            self._counts[bisect_left(GAP_BOUNDS_SECONDS, now - last_at)] += 1
            self._seconds += now - last_at

    def gaps(self) -> Gaps:
        """All that were counted."""
        return Gaps(tuple(self._counts), self._seconds)
