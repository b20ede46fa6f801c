"""What a signal was at the same time of earlier days, if its days are alike.

Whether they are is asked of the data: with x' the value a day before x, the share of the variance
that yesterday explains is

    1 - mean (x - x')² / (2 var x)

over the history, fading with its length: 1 if each day is like the one before, 0 if a value says
nothing about the next day's.
"""

from array import array
from bisect import bisect_left, insort

DAY_SECONDS = 86400.0
SLOTS = 48  # of half an hour; a value is compared with its slot and the two beside it
WARM_UP_SECONDS = 3 * DAY_SECONDS
LEAST_EXPLAINED = 0.3
HELD_BACK_SECONDS = DAY_SECONDS / 2  # until then a value belongs to the same day


class TimeOfDay:
    """At most `capacity` values with their times and slots, 24 bytes each. Times of day are UTC.

    >>> day = TimeOfDay(1000)
    >>> for hour in range(24 * 4 - 5):
    ...     day.push(float(hour % 24), hour * 3600.0)
    >>> [list(slot) for slot in day.alike((24 * 3 + 18) * 3600.0)]
    [[18.0, 18.0, 18.0]]
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = max(1, capacity)
        self._times = array("d")
        self._values = array("d")
        self._slots = [array("d") for _ in range(SLOTS)]  # each ascending
        self._pushed = 0
        self._in_slots = 0  # how many, of all pushed, were put into their slots
        self._day_ago = 0  # which, of all pushed, is the first of the last day
        self._keep = 1 - 1 / self._capacity
        self._weight = self._sum = self._squares = 0.0
        self._pairs = self._differences = 0.0
        self._first_value = self._first_time = 0.0
        self._slot = -1  # that `_alike` is of
        self._alike: list[array[float]] = []

    def alike(self, now: float) -> "list[array[float]]":
        """Values of this time of day on earlier days, ascending, up to three lists of them.

        None before three days, and none where days are not alike, which is asked anew in each slot.
        """
        slot = int(now % DAY_SECONDS * SLOTS / DAY_SECONDS)
        if slot != self._slot:
            self._slot = slot
            self._alike = self._around(slot) if self._repeats(now) else []
        return self._alike

    def push(self, value: float, now: float) -> None:
        if not self._pushed:
            self._first_value, self._first_time = value, now
        self._keep_last(value, now)
        place = self._in_slots % self._capacity
        while self._times[place] < now - HELD_BACK_SECONDS:
            insort(self._slots[_slot(self._times[place])], self._values[place])
            self._in_slots += 1
            place = self._in_slots % self._capacity
        self._compare(value, now)

    def _around(self, slot: int) -> "list[array[float]]":
        around = (self._slots[slot - 1], self._slots[slot], self._slots[slot + 1 - SLOTS])
        return [values for values in around if values]

    def _repeats(self, now: float) -> bool:
        if now - self._first_time < WARM_UP_SECONDS or not self._pairs:
            return False
        variance = self._squares / self._weight - (self._sum / self._weight) ** 2
        return self._differences / self._pairs <= (1 - LEAST_EXPLAINED) * 2 * variance

    def _keep_last(self, value: float, now: float) -> None:
        if self._pushed < self._capacity:
            self._times.append(now)
            self._values.append(value)
        else:
            self._drop_oldest()
            place = self._pushed % self._capacity
            self._times[place], self._values[place] = now, value
        self._pushed += 1

    def _drop_oldest(self) -> None:
        oldest = self._pushed - self._capacity
        if self._in_slots > oldest:
            place = oldest % self._capacity
            slot = self._slots[_slot(self._times[place])]
            del slot[bisect_left(slot, self._values[place])]
            if not slot:
                self._slot = -1
        self._in_slots = max(self._in_slots, oldest + 1)
        self._day_ago = max(self._day_ago, oldest + 1)

    def _compare(self, value: float, now: float) -> None:
        """Take the value and its difference from a day before, if there is such, into the means."""
        place = self._day_ago % self._capacity
        while self._times[place] < now - DAY_SECONDS:
            self._day_ago += 1
            place = self._day_ago % self._capacity
        away = value - self._first_value
        self._weight = self._weight * self._keep + 1
        self._sum = self._sum * self._keep + away
        self._squares = self._squares * self._keep + away * away
        if self._times[place] < now - DAY_SECONDS + DAY_SECONDS / SLOTS:
            difference = value - self._values[place]
            self._pairs = self._pairs * self._keep + 1
            self._differences = self._differences * self._keep + difference * difference


def _slot(now: float) -> int:
    return int(now % DAY_SECONDS * SLOTS / DAY_SECONDS)
