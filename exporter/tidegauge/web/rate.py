"""A token bucket: so many requests at once, and one more per interval.

No clock, no network, no logging: same arguments, same answer.
"""


class TokenBucket:
    """Full at first. `interval_seconds` of 0 lets everything through."""

    def __init__(self, interval_seconds: float, burst: int) -> None:
        self._interval_seconds = interval_seconds
        self._burst = burst
        self._tokens = float(burst)
        self._filled_at: float | None = None

    def take(self, now: float) -> bool:
        """Whether there was a token. `now`: seconds of a clock that never goes back."""
        if not self._interval_seconds:
            return True
        if self._filled_at is not None:
            earned = (now - self._filled_at) / self._interval_seconds
            self._tokens = min(self._tokens + earned, float(self._burst))
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
