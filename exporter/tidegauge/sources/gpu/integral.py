"""Samples added up over time: value times seconds, where it is known what happened in between.

No clock, no network, no logging: same arguments, same answer.
"""


class Integral:
    """`total` grows with each sample by the area since the sample before it.

    With `ramp`, values go in a straight line from one sample to the next (the trapezoid rule);
    without, a sample says what was true since the one before, as NVML's utilisation does.

    >>> energy = Integral(ramp=True)
    >>> [energy.add(at, watts, within=3) for at, watts in ((0, 100), (1, 200), (9, 200))]
    [0.0, 1, 0.0]
    >>> energy.total
    150.0
    """

    __slots__ = ("_last", "_ramp", "total")

    def __init__(self, *, ramp: bool) -> None:
        self.total = 0.0
        self._ramp = ramp
        self._last: tuple[float, float] | None = None

    def add(self, at: float, value: float, *, within: float) -> float:
        """The seconds that this sample stands for.

        0 where the one before is unknown, older than `within` seconds, or no older than this one.
        """
        before, self._last = self._last, (at, value)
        if before is None:
            return 0.0
        seconds = at - before[0]
        if not 0 < seconds <= within:
            return 0.0
        self.total += seconds * ((before[1] + value) / 2 if self._ramp else value)
        return seconds

    def skip(self) -> None:
        """What comes next has no sample before it."""
        self._last = None
