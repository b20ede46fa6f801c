"""How far a signal usually moves from one point to the next: the median of |x_n - x_(n-1)|."""

from array import array

import numpy as np

FIRST_FIT = 10  # steps
FIT_SHARE = 50  # a fit for each of so many parts that are new
LEAST_BETWEEN_FITS = 25


class UsualStep:
    """Of the last `capacity` steps, 8 bytes each; made anew when 2 % are new.

    >>> step = UsualStep(1000)
    >>> for value in (0.0, 1.0, 3.0, 4.0, 9.0) * 5:
    ...     step.take(value)
    >>> step.size
    2.0
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = max(1, capacity)
        self._steps = array("d")
        self._oldest = 0
        self._until_fit = FIRST_FIT
        self._last: float | None = None
        self.size = 0.0

    def take(self, value: float) -> None:
        last, self._last = self._last, value
        if last is None:
            return
        if len(self._steps) < self._capacity:
            self._steps.append(abs(value - last))
        else:
            self._steps[self._oldest] = abs(value - last)
            self._oldest = (self._oldest + 1) % self._capacity
        self._until_fit -= 1
        if not self._until_fit:
            known = len(self._steps)
            self.size = float(np.partition(np.frombuffer(self._steps), known // 2)[known // 2])
            self._until_fit = max(LEAST_BETWEEN_FITS, known // FIT_SHARE)
