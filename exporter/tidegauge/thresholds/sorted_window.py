"""The last values of a signal, in order of time and in order of size."""

import math
from array import array
from bisect import bisect_left


class SortedWindow:
    """At most `capacity` values, 16 bytes each. Adding one moves 80 kB at most, at 10,000: 2 µs.

    >>> window = SortedWindow(3)
    >>> [window.push(value) for value in (5.0, 1.0, 4.5, 2.0)]
    [inf, 4.0, 0.5, 1.0]
    >>> window.ascending
    array('d', [1.0, 2.0, 4.5])
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = max(1, capacity)
        self._by_age = array("d")
        self._oldest = 0
        self.ascending = array("d")

    def __len__(self) -> int:
        return len(self.ascending)

    def push(self, value: float) -> float:
        """Take the value in. Its distance to the nearest that was there; inf of none."""
        ascending = self.ascending
        place = bisect_left(ascending, value)
        known = len(ascending)
        distance = ascending[place] - value if place < known else math.inf
        if place and value - ascending[place - 1] < distance:
            distance = value - ascending[place - 1]
        ascending.insert(place, value)
        if known < self._capacity:
            self._by_age.append(value)
            return distance
        oldest = self._oldest
        del ascending[bisect_left(ascending, self._by_age[oldest])]
        self._by_age[oldest] = value
        self._oldest = (oldest + 1) % self._capacity
        return distance
