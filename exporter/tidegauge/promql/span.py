"""The times that a range query asks for: a grid from `start` to `end`, both ends included.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass

MAX_POINTS = 10_000
"""Prometheus refuses a range query of more than 11,000 points a series."""


@dataclass(frozen=True, slots=True)
class Span:
    """Grid points, in Unix seconds; `end` is a whole number of steps after `start`."""

    start: float
    end: float
    step_seconds: float

    @property
    def points(self) -> int:
        return max(0, round((self.end - self.start) / self.step_seconds) + 1)

    def at(self, index: int) -> float:
        """The time of a grid point."""
        return self.start + index * self.step_seconds

    def index(self, time: float) -> int:
        """The grid point at, or nearest to, a time."""
        return round((time - self.start) / self.step_seconds)

    def chunks(self, points: int) -> Iterator["Span"]:
        """The span in pieces of at most so many points, the oldest first.

        >>> [(piece.start, piece.end) for piece in Span(0, 40, 10).chunks(2)]
        [(0, 10), (20, 30), (40, 40)]
        """
        for first in range(0, self.points, points):
            last = min(first + points, self.points) - 1
            yield Span(self.at(first), self.at(last), self.step_seconds)
