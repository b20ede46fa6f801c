"""A counter that starts over where its number is full, followed so that it never goes back.

No clock, no network, no logging: same arguments, same answer.
"""


class Unwrapped:
    """Adds up what was counted between readings, from the first reading on.

    More than one turn between two readings can not be told from none: a lower bound.
    """

    def __init__(self) -> None:
        self._total: int | None = None
        self._last = 0

    def follow(self, reading: int, *, size: int) -> int:
        """The count so far. `size` is how many values the driver's number can tell apart.

        A number of 64 bits is never full: if it goes back, the driver began anew at 0.

        >>> counter = Unwrapped()
        >>> [counter.follow(n, size=2**32) for n in (4_294_967_290, 4_294_967_295, 4)]
        [4294967290, 4294967295, 4294967300]
        >>> counter = Unwrapped()
        >>> [counter.follow(n, size=2**64) for n in (1000, 30)]
        [1000, 1030]
        """
        if self._total is None:
            self._total = reading
        elif reading >= self._last:
            self._total += reading - self._last
        else:
            self._total += reading + (size - self._last if size <= _FULL_AT_MOST else 0)
        self._last = reading
        return self._total


_FULL_AT_MOST = 1 << 32
