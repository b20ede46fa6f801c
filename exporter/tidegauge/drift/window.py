"""A sliding window over binned requests: the latest so many, none older than so long."""

from collections import deque
from dataclasses import dataclass
from math import fsum


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """How much a window holds, and from how many requests on it may be scored.

    Raises:
        ValueError: the window could never be scored.
    """

    requests: int
    seconds: float
    min_requests: int

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise ValueError(f"window seconds {self.seconds}: must be above 0")
        if not 1 <= self.min_requests <= self.requests:
            raise ValueError(
                f"min_requests {self.min_requests}: must be 1 to the window's requests "
                f"({self.requests})"
            )


class Window:
    """Counts per bin over the window. Memory: `limits.requests` tuples of one float per bin."""

    def __init__(self, bins: int, limits: WindowLimits) -> None:
        self._limits = limits
        self._entries: deque[tuple[float, tuple[float, ...]]] = deque()
        self._counts = [0.0] * bins
        self._subtracted = 0

    @property
    def requests(self) -> int:
        return len(self._entries)

    @property
    def counts(self) -> tuple[float, ...]:
        return tuple(self._counts)

    def push(self, weights: tuple[float, ...], *, now: float) -> None:
        """Add one request; over the limit, the oldest leaves."""
        self._entries.append((now, weights))
        self._add(weights, sign=1.0)
        if len(self._entries) > self._limits.requests:
            self._drop_oldest()

    def expire(self, *, now: float) -> None:
        """Let go of requests older than the limit."""
        while self._entries and now - self._entries[0][0] > self._limits.seconds:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, weights = self._entries.popleft()
        self._add(weights, sign=-1.0)
        self._subtracted += 1
        if not self._entries or self._subtracted >= self._limits.requests:
            self._recount()

    def _add(self, weights: tuple[float, ...], *, sign: float) -> None:
        for index, weight in enumerate(weights):
            self._counts[index] += sign * weight

    def _recount(self) -> None:
        """Sum anew: differences of floats must not pile up over weeks."""
        columns = zip(*(weights for _, weights in self._entries), strict=True)
        self._counts = [fsum(column) for column in columns] or [0.0] * len(self._counts)
        self._subtracted = 0
