"""How many requests have begun, are under way and are being answered, by whichever door.

No clock, no network: it lives in one event loop.
"""


class Arrivals:
    """Counts from 0, once per program: it goes on when the configuration changes."""

    def __init__(self) -> None:
        self._started = 0
        self._in_flight = 0
        self._streams = 0

    @property
    def started(self) -> int:
        """Requests begun, ended or not."""
        return self._started

    @property
    def in_flight(self) -> int:
        """Requests begun and not yet ended; those that the engine has queued are included."""
        return self._in_flight

    @property
    def streams(self) -> int:
        """Answers that are being streamed: begun and not yet ended."""
        return self._streams

    def begin(self) -> None:
        """A request has come."""
        self._started += 1
        self._in_flight += 1

    def end(self) -> None:
        """One that had begun has ended, however it did."""
        self._in_flight -= 1

    def begin_stream(self) -> None:
        """The head of an answer has come that is an event stream, or lines that come one by one."""
        self._streams += 1

    def end_stream(self) -> None:
        """A stream that had begun has ended, however it did."""
        self._streams -= 1
