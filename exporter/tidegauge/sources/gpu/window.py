"""Power over fixed windows of the wall clock, so that two scrapers see the same numbers.

No clock, no network, no logging: same arguments, same answer. Times are Unix seconds; window k
of length w is [k·w, (k+1)·w).
"""

from array import array
from dataclasses import dataclass

P95 = 0.95
LATE_SECONDS = 1.5  # NVML's own samples come up to a second late


@dataclass(frozen=True, slots=True)
class Summary:
    """`mean` and `p95` weigh each sample by the seconds that it stands for."""

    min: float
    mean: float
    max: float
    p95: float


class PowerWindow:
    """Collects samples, and gives each window's summary once, when it is over."""

    __slots__ = ("_open", "_seconds", "_shut")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._open: dict[int, tuple[array[float], array[float]]] = {}
        self._shut: int | None = None  # the last window that was summed up

    def add(self, at: float, watts: float, weight: float) -> None:
        """A sample without weight counts for `min` and `max` only."""
        index = int(at // self._seconds)
        if self._shut is not None and index <= self._shut:
            if index == self._shut:
                return  # too late, by a moment
            self._shut = None  # the wall clock was set back
            self._open.clear()
        values, weights = self._open.setdefault(index, (array("d"), array("d")))
        values.append(watts)
        weights.append(weight)

    def over(self, now: float) -> Summary | None:
        """The newest window that is over and was not given before; None if there is none."""
        last = int((now - LATE_SECONDS) // self._seconds) - 1
        done = [index for index in self._open if index <= last]
        if not done:
            return None
        self._shut = max(done)
        summaries = {index: self._open.pop(index) for index in done}
        return summarize(*summaries[self._shut])


def summarize(values: "array[float]", weights: "array[float]") -> Summary:
    """At least one value; where no value has weight, all have the same.

    `p95` is the smallest value that, with all below it, holds 95 % of the weight.
    """
    if not any(weights):
        weights = array("d", [1.0]) * len(values)
    total = sum(weights)
    mean = sum(v * w for v, w in zip(values, weights, strict=True)) / total
    low, high = min(values), max(values)
    return Summary(low, min(max(mean, low), high), high, _p95(values, weights, total))


def _p95(values: "array[float]", weights: "array[float]", total: float) -> float:
    reached = 0.0
    for value, weight in sorted(zip(values, weights, strict=True)):
        reached += weight
        if reached >= P95 * total:
            return value
    return max(values)
