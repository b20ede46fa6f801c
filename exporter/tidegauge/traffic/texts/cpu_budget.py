"""A share of one core that may be used, with what was not used saved up for a moment.

No clock, no network, no logging: `now` is an argument.
"""

_SAVED_SECONDS = 10.0


class CpuBudget:
    """Allows `ratio` of a core: what is used beyond it is paid back before more is allowed.

    At most what 10 s bring is saved up.
    """

    def __init__(self, ratio: float, *, now: float) -> None:
        self._ratio = ratio
        self._most = ratio * _SAVED_SECONDS
        self._left = self._most
        self._at = now

    def allows(self, now: float) -> bool:
        """Whether there is anything left at `now`, of a clock that does not go back."""
        self._left = min(self._left + (now - self._at) * self._ratio, self._most)
        self._at = now
        return self._left > 0

    def spend(self, cpu_seconds: float) -> None:
        self._left -= cpu_seconds
