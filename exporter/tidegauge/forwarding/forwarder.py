"""Hears of errors, gathers them, and hands them to sinks when they are due."""

from collections.abc import Callable, Sequence

from tidegauge.catalog import forwarding
from tidegauge.errors.event import ErrorEvent
from tidegauge.forwarding.gathering import Gathering
from tidegauge.forwarding.of_exchange import event_of
from tidegauge.forwarding.sink import Sink
from tidegauge.samples import Sample
from tidegauge.traffic.exchange import Exchange


class Forwarder:
    """Lives in one event loop. `clock` is monotonic, in seconds."""

    def __init__(
        self, sinks: Sequence[Sink], gathering: Gathering, *, clock: Callable[[], float]
    ) -> None:
        self._sinks = sinks
        self._gathering = gathering
        self._clock = clock

    def observe(self, exchange: Exchange) -> None:
        """Take note of a request, if it failed."""
        event = event_of(exchange)
        if event:
            self._gathering.add(event)

    def tell(self, event: ErrorEvent) -> None:
        """Take note of another error."""
        self._gathering.add(event)

    def flush(self) -> None:
        """Send what is due."""
        self._send(self._gathering.due(self._clock()))

    def samples(self) -> tuple[Sample, ...]:
        """How many events came to what, by sink."""
        return tuple(
            Sample(forwarding.EVENTS, n, (sink.name, result))
            for sink in self._sinks
            for result, n in sink.results().items()
        )

    def close(self) -> None:
        """Send all that waits; blocks for some seconds where a sink is slow."""
        self._send(self._gathering.rest())
        for sink in self._sinks:
            sink.close()

    def _send(self, events: Sequence[ErrorEvent]) -> None:
        for event in events:
            for sink in self._sinks:
                sink.send(event)
