"""What a signal was at the same time of earlier days, if its days are alike.

Whether they are is asked of the data: with x' the value a day before x, the share of the variance
that yesterday explains is

    1 - mean (x - x')² / (2 var x)

over the history, fading with its length: 1 if each day is like the one before, 0 if a value says
nothing about the next day's.
"""

import math
from array import array
from bisect import bisect_left, insort

DAY_SECONDS = 86400.0
SLOT_SECONDS = 3600.0
WARM_UP_SECONDS = 3 * DAY_SECONDS
LEAST_EXPLAINED = 0.3
NEAR_SECONDS = 1800.0  # how far from a day before a value may be and still be yesterday's
HELD_BACK_SECONDS = DAY_SECONDS / 2  # until then a value belongs to the same day


_NONE = array("d")


class TimeOfDay:
    """At most `capacity` values with their times and slots, 24 bytes each. Times of day are UTC.

    >>> day = TimeOfDay(1000)
    >>> for hour in range(24 * 4 - 5):
    ...     day.push(float(hour % 24), hour * 3600.0)
    >>> day.alike((24 * 3 + 18) * 3600.0)
    array('d', [18.0, 18.0, 18.0])
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = max(1, capacity)
        self._times = array("d")
        self._values = array("d")
        self._slots = [
            array("d") for _ in range(math.ceil(DAY_SECONDS / SLOT_SECONDS))
        ]  # each ascending
        self._pushed = 0
        self._in_slots = 0  # how many, of all pushed, were put into their slots
        self._day_ago = 0  # which, of all pushed, is the first of the last day
        self._keep = 1 - 1 / self._capacity
        self._weight = self._sum = self._squares = 0.0
        self._pairs = self._differences = 0.0
        self._first_value = self._first_time = 0.0
        self._asked = -1  # the slot that was asked for last
        self._repeats = False

    def alike(self, now: float) -> "array[float]":
        """Values of this hour of earlier days, ascending.

        None before three days, and none where days are not alike, which is asked anew each hour.
        """
        slot = int(now % DAY_SECONDS / SLOT_SECONDS)
        if slot != self._asked:
            self._asked = slot
            self._repeats = now - self._first_time >= WARM_UP_SECONDS and self._explained()
        return self._slots[slot] if self._repeats else _NONE

    def push(self, value: float, now: float) -> None:
        if not self._pushed:
            self._first_value, self._first_time = value, now
        times, values, capacity = self._times, self._values, self._capacity
        if self._pushed < capacity:
            times.append(now)
            values.append(value)
        else:
            self._drop_oldest()
            place = self._pushed % capacity
            times[place], values[place] = now, value
        self._pushed += 1
        place = self._in_slots % capacity
        while times[place] < now - HELD_BACK_SECONDS:
            insort(self._slots[int(times[place] % DAY_SECONDS / SLOT_SECONDS)], values[place])
            self._in_slots += 1
            place = self._in_slots % capacity
        place = self._day_ago % capacity
        while times[place] < now - DAY_SECONDS:
            self._day_ago += 1
            place = self._day_ago % capacity
        away, keep = value - self._first_value, self._keep
        self._weight = self._weight * keep + 1
        self._sum = self._sum * keep + away
        self._squares = self._squares * keep + away * away
        if times[place] < now - DAY_SECONDS + NEAR_SECONDS:
            away = value - values[place]
            self._pairs = self._pairs * keep + 1
            self._differences = self._differences * keep + away * away

    def _explained(self) -> bool:
        if not self._pairs:
            return False
        variance = self._squares / self._weight - (self._sum / self._weight) ** 2
        return self._differences / self._pairs < (1 - LEAST_EXPLAINED) * 2 * variance

    def _drop_oldest(self) -> None:
        oldest = self._pushed - self._capacity
        if self._in_slots > oldest:
            place = oldest % self._capacity
            slot = self._slots[int(self._times[place] % DAY_SECONDS / SLOT_SECONDS)]
            del slot[bisect_left(slot, self._values[place])]
        else:
            self._in_slots = oldest + 1
        self._day_ago = max(self._day_ago, oldest + 1)
