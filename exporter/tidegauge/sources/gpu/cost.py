"""What one read of a tier costs the driver, told from the reads that only had to wait.

No clock, no network, no logging: same arguments, same answer. A call's time is wall time: on a busy
machine some calls are put aside for longer than they take, and one may hang for minutes.
"""

from collections import deque

KEPT = 20  # reads
COUNTED = 0.75  # of them: the quickest


class Cost:
    """`seconds` of driver time for one read: the mean of the quicker ones of the last reads.

    None before the second one: the first opens the device.

    >>> cost = Cost()
    >>> for spent in (3.0, 0.001, 0.002, 0.003, 30.0):
    ...     cost.add(spent)
    >>> cost.seconds
    0.002
    """

    __slots__ = ("_opened", "_spent")

    def __init__(self) -> None:
        self._opened = False
        self._spent: deque[float] = deque(maxlen=KEPT)

    def add(self, spent: float) -> None:
        """One read more."""
        if self._opened:
            self._spent.append(spent)
        self._opened = True

    @property
    def seconds(self) -> float | None:
        """May be asked from another thread."""
        spent = sorted(self._spent)
        counted = spent[: max(int(len(spent) * COUNTED), 1)]
        return sum(counted) / len(counted) if counted else None
