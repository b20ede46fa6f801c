"""The last values of a signal, in order of time and in order of size."""

from array import array
from bisect import bisect_left


class SortedWindow:
    """At most `capacity` values, 16 bytes each. Adding one moves those between it and the oldest.

    >>> window = SortedWindow(3)
    >>> for value in (5.0, 1.0, 4.0, 2.0):
    ...     window.push(value)
    >>> window.ascending
    array('d', [1.0, 2.0, 4.0])
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = max(1, capacity)
        self._by_age = array("d")
        self._oldest = 0
        self.ascending = array("d")

    def __len__(self) -> int:
        return len(self.ascending)

    def push(self, value: float) -> None:
        self.insert(bisect_left(self.ascending, value), value)

    def insert(self, place: int, value: float) -> None:
        """Push a value of which it is known that it belongs at `place` of `ascending`."""
        ascending, oldest = self.ascending, self._oldest
        if len(self._by_age) < self._capacity:
            ascending.insert(place, value)
            self._by_age.append(value)
            return
        _exchange(ascending, bisect_left(ascending, self._by_age[oldest]), place, value)
        self._by_age[oldest] = value
        self._oldest = (oldest + 1) % self._capacity


def _exchange(ascending: "array[float]", leaves: int, enters: int, value: float) -> None:
    """Only what lies between is moved: a deletion and an insertion move all that is above."""
    moved = memoryview(ascending)
    if leaves < enters:
        enters -= 1
        moved[leaves:enters] = moved[leaves + 1 : enters + 1]
    elif enters < leaves:
        moved[enters + 1 : leaves + 1] = moved[enters:leaves]
    ascending[enters] = value
