"""How many requests have begun and are under way now, whichever door they came by.

No clock, no network: it lives in one event loop.
"""


class Arrivals:
    """Counts from 0, once per program: it goes on when the configuration changes."""

    def __init__(self) -> None:
        self._started = 0
        self._in_flight = 0

    @property
    def started(self) -> int:
        """Requests begun, ended or not."""
        return self._started

    @property
    def in_flight(self) -> int:
        """Requests begun and not yet ended; those that the engine has queued are included."""
        return self._in_flight

    def begin(self) -> None:
        """A request has come."""
        self._started += 1
        self._in_flight += 1

    def end(self) -> None:
        """One that had begun has ended, however it did."""
        self._in_flight -= 1
