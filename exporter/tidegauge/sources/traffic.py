"""What was measured of requests, as a source: it reads memory only, so a read never fails."""

from collections.abc import Sequence

from tidegauge.catalog import traffic
from tidegauge.samples import Sample
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.ledger import Ledger


class TrafficSource:
    """The ledger's series, and how many requests were begun and are under way now."""

    name = "traffic"

    def __init__(self, ledger: Ledger, arrivals: Arrivals) -> None:
        self._ledger = ledger
        self._arrivals = arrivals

    async def read(self) -> Sequence[Sample]:
        return (
            *self._ledger.samples(),
            Sample(traffic.STARTED, self._arrivals.started),
            Sample(traffic.IN_FLIGHT, self._arrivals.in_flight),
        )

    def unread(self) -> Sequence[Sample]:
        return ()

    async def close(self) -> None:
        return
