"""What one read of a tier costs the driver: a moving average that one odd read does not upset.

No clock, no network, no logging: same arguments, same answer.
"""

NEWS = 0.2  # weight of the newest read
ODD = 10  # times the average: more than that, one read does not count for


class Cost:
    """`seconds` of driver time for one read; None before the second, as the first one opens.

    >>> cost = Cost()
    >>> for spent in (3.0, 0.001, 0.002, 30.0):
    ...     cost.add(spent)
    >>> round(cost.seconds, 5)
    0.00336
    """

    __slots__ = ("_opened", "seconds")

    def __init__(self) -> None:
        self._opened = False
        self.seconds: float | None = None

    def add(self, spent: float) -> None:
        """One read more. A call that hung for long is no measure of what the next one costs."""
        if self.seconds is not None:
            spent = min(spent, ODD * self.seconds)
            self.seconds += NEWS * (spent - self.seconds)
        elif self._opened:
            self.seconds = spent
        self._opened = True
