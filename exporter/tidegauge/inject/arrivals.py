"""When requests arrive: Poisson over a rate that changes, or the moments of a trace.

No clock, no network, no logging: same arguments, same answer. Every time is in seconds from the
start, and every iterator is lazy, so that a day of arrivals costs no memory.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise, takewhile
from math import isfinite

from numpy.random import Generator

from tidegauge.inject.schedule import ScheduleError, parse_points


@dataclass(frozen=True, slots=True)
class RateSchedule:
    """Requests a second, linear between points of (seconds, rate); the last rate holds on.

    >>> RateSchedule(((0.0, 2.0), (60.0, 8.0))).rate(30.0)
    5.0

    Raises:
        ScheduleError: no points, not ascending from 0, or a rate below 0.
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not self.points or self.points[0][0] != 0:
            raise ScheduleError("a rate schedule starts at 0s")
        times = [at for at, _ in self.points]
        if any(b <= a for a, b in pairwise(times)):
            raise ScheduleError("the points of a rate schedule ascend in time")
        for _, rate in self.points:
            if not (isfinite(rate) and rate >= 0):
                raise ScheduleError(f"rate {rate:g}: must be 0 or more requests a second")

    @property
    def end_seconds(self) -> float:
        return self.points[-1][0]

    @property
    def peak(self) -> float:
        return max(rate for _, rate in self.points)

    def rate(self, at: float) -> float:
        index = bisect_right(self.points, at, key=lambda point: point[0])
        if index == len(self.points):
            return self.points[-1][1]
        (left, low), (right, high) = self.points[index - 1], self.points[index]
        return low + (high - low) * (at - left) / (right - left)

    def played(self, *, speed: float, rate_factor: float) -> "RateSchedule":
        """The same, `speed` times faster (which brings as many times the rate), then scaled."""
        factor = speed * rate_factor
        return RateSchedule(tuple((at / speed, rate * factor) for at, rate in self.points))


def parse_rates(text: str) -> RateSchedule:
    """The schedule that `0s:2,60s:8` or a bare `2` says.

    Raises:
        ScheduleError: it says none.
    """
    return RateSchedule(tuple((at, _rate(value)) for at, value in parse_points(text)))


def poisson(schedule: RateSchedule, rng: Generator, *, until: float) -> Iterator[float]:
    """Arrivals of a Poisson process over the schedule, by thinning (Lewis and Shedler, 1979)."""
    peak = schedule.peak
    at = 0.0
    while peak > 0:
        at += rng.exponential(1 / peak)
        if at >= until:
            return
        if rng.random() * peak < schedule.rate(at):
            yield at


def replayed(
    moments: Iterable[float], rng: Generator, *, speed: float, keep: float, until: float
) -> Iterator[float]:
    """A trace's moments (ascending), `speed` times faster, each kept with probability `keep`."""
    sooner = (at / speed for at in moments)
    for at in takewhile(lambda at: at < until, sooner):
        if rng.random() < keep:
            yield at


def _rate(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ScheduleError(f"{text!r} is no rate; write requests a second, such as 2.5") from None
