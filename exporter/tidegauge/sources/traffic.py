"""What was measured of requests, as a source: it reads memory only, so a read never fails."""

from collections.abc import Sequence

from tidegauge.catalog import traffic
from tidegauge.samples import Sample
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.counting.clients import Clients
from tidegauge.traffic.counting.ledger import Ledger


class TrafficSource:
    """The ledger's series, those by client, and how many requests are under way now."""

    name = "traffic"

    def __init__(self, ledger: Ledger, arrivals: Arrivals, clients: Clients | None = None) -> None:
        self._ledger = ledger
        self._arrivals = arrivals
        self._clients = clients

    async def read(self) -> Sequence[Sample]:
        return (
            *self._ledger.samples(),
            *(self._clients.samples() if self._clients else ()),
            Sample(traffic.STARTED, self._arrivals.started),
            Sample(traffic.IN_FLIGHT, self._arrivals.in_flight),
            Sample(traffic.STREAMS_IN_FLIGHT, self._arrivals.streams),
        )

    def unread(self) -> Sequence[Sample]:
        return ()

    async def close(self) -> None:
        return
