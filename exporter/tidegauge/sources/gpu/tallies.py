"""NVML calls counted: how many took how long, which ones failed with what, and all their time.

No clock, no network, no logging: same arguments, same answer.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import accumulate

from tidegauge.catalog import nvml as catalog
from tidegauge.samples import Distribution, Sample

_BOUNDS = (*(catalog.CALL_SECONDS.buckets or ()), float("inf"))


class Tallies:
    """Counts since the child's start. A call that is not supported is an error like others."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}
        self._sums: defaultdict[str, float] = defaultdict(float)
        self._errors: Counter[tuple[str, str]] = Counter()
        self._seconds = 0.0

    def add(self, call: str, seconds: float, error: str | None) -> None:
        """One call; `error` is NVML's name for what it returned, None for success."""
        counts = self._counts.get(call)
        if counts is None:
            counts = self._counts[call] = [0] * len(_BOUNDS)
        counts[bisect_left(_BOUNDS, seconds)] += 1
        self._sums[call] += seconds
        self._seconds += seconds
        if error is not None:
            self._errors[call, error] += 1

    def samples(self) -> list[Sample]:
        took = [
            Sample(catalog.CALL_SECONDS, self._distribution(call), (call,)) for call in self._counts
        ]
        failed = [Sample(catalog.ERRORS, float(n), labels) for labels, n in self._errors.items()]
        return [*took, *failed, Sample(catalog.DRIVER_SECONDS, self._seconds)]

    def _distribution(self, call: str) -> Distribution:
        buckets = zip(_BOUNDS, accumulate(self._counts[call]), strict=True)
        return Distribution(tuple(buckets), self._sums[call])
