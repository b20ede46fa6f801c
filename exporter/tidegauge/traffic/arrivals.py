"""How many requests have begun, are under way and are being answered, by whichever door.

No clock, no network: it lives in one event loop.
"""


class Arrivals:
    """Counts from 0, once per program: it goes on when the configuration changes."""

    def __init__(self) -> None:
        self._started = 0
        self._in_flight = 0
        self._streams = 0
        self._elsewhere: dict[object, tuple[int, int]] = {}

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

    def report(self, who: object, *, begun: int, in_flight: int, streams: int) -> None:
        """What another process counts: so many begun since its last report, the others now."""
        before_in_flight, before_streams = self._elsewhere.get(who, (0, 0))
        self._elsewhere[who] = in_flight, streams
        self._started += begun
        self._in_flight += in_flight - before_in_flight
        self._streams += streams - before_streams

    def forget(self, who: object) -> None:
        """A process that reported is gone: what it had begun is under way no more."""
        in_flight, streams = self._elsewhere.pop(who, (0, 0))
        self._in_flight -= in_flight
        self._streams -= streams
