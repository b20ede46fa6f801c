"""The drift monitor as a source: it is told of requests that ended, and read like the others."""

from collections.abc import Callable, Sequence

from tidegauge.drift.monitor import DriftMonitor
from tidegauge.samples import Sample
from tidegauge.traffic.exchange import Exchange


class DriftSource:
    """Drift scores of every model that has a reference.

    `clock` gives seconds and must not go back (time.monotonic): the window's age hangs on it, and
    a read lets go of requests that grew too old even when no new ones come.
    """

    name = "drift"

    def __init__(self, monitor: DriftMonitor, *, clock: Callable[[], float]) -> None:
        self._monitor = monitor
        self._clock = clock

    def observe(self, exchange: Exchange) -> None:
        """Take note of one exchange that has just ended."""
        self._monitor.observe(exchange, now=self._clock())

    async def read(self) -> Sequence[Sample]:
        return self._monitor.samples(now=self._clock())

    def unread(self) -> Sequence[Sample]:
        return ()

    async def close(self) -> None:
        return
