"""Whether a count of ours stands in for one of NVML's: where NVML has none, and only there.

No clock, no network, no logging: same arguments, same answer. A series that changes from one
count to the other would look like a counter that was reset.
"""

READS_WITHOUT_COUNTER = 3  # one call may fail now and then


class Fallback:
    """Told at each read; `needed` once NVML's counter did not come a few times, and never did.

    >>> fallback = Fallback()
    >>> for counter in (False, False, False):
    ...     fallback.heard(counter=counter)
    >>> fallback.needed
    True
    """

    __slots__ = ("_counted", "_reads_without")

    def __init__(self) -> None:
        self._counted = False
        self._reads_without = 0

    def heard(self, *, counter: bool) -> None:
        """Whether a read brought NVML's own counter."""
        self._counted = self._counted or counter
        self._reads_without += not counter

    @property
    def needed(self) -> bool:
        return not self._counted and self._reads_without >= READS_WITHOUT_COUNTER
