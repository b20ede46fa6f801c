"""Feedback that came before its answer: held for a bounded time, and so many at most.

No clock of its own, no network, no logging.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from tidegauge.traffic.opinion import Opinion


@dataclass(frozen=True, slots=True)
class _Held:
    opinion: Opinion
    since: float


class Waiting:
    """Holds `most` opinions, one per answer, each for `seconds`. `now` is of a monotonic clock."""

    def __init__(self, *, most: int = 10_000, seconds: float = 600.0) -> None:
        self._most = most
        self._seconds = seconds
        self._held: dict[int, _Held] = {}
        self._order: deque[_Held] = deque()  # with some that were taken, until their turn

    def __len__(self) -> int:
        return len(self._held)

    def bound(self, *, most: int, seconds: float) -> None:
        """Go by other bounds from now on."""
        self._most, self._seconds = most, seconds

    def find(self, key: int) -> Opinion | None:
        """What is held for an answer."""
        held = self._held.get(key)
        return held.opinion if held else None

    def add(self, opinion: Opinion, now: float) -> None:
        """Hold it, in place of what is held for the same answer."""
        held = _Held(opinion, now)
        self._held[opinion.key] = held
        self._order.append(held)
        if len(self._order) > 2 * self._most:
            self._order = deque(one for one in self._order if self._is_held(one))

    def take(self, key: int) -> Opinion | None:
        """What is held for an answer that has come, and no longer."""
        held = self._held.pop(key, None)
        return held.opinion if held else None

    def overdue(self, now: float) -> Iterator[Opinion]:
        """Those that have waited too long, or are too many, and are held no more."""
        while self._order:
            oldest = self._order[0]
            is_held = self._is_held(oldest)
            fits = len(self._held) <= self._most and now - oldest.since <= self._seconds
            if is_held and fits:
                return
            self._order.popleft()
            if is_held:
                del self._held[oldest.opinion.key]
                yield oldest.opinion

    def _is_held(self, held: _Held) -> bool:
        return self._held.get(held.opinion.key) is held
