"""What the tap has measured, as a source: it reads memory only, so a read never fails."""

from collections.abc import Callable, Sequence

from tidegauge.catalog import traffic
from tidegauge.samples import Sample
from tidegauge.traffic.ledger import Ledger


class TrafficSource:
    """The ledger's series, and how many requests were begun and are under way now."""

    def __init__(
        self, ledger: Ledger, *, started: Callable[[], int], in_flight: Callable[[], int]
    ) -> None:
        self._ledger = ledger
        self._started = started
        self._in_flight = in_flight

    @property
    def name(self) -> str:
        return "traffic"

    async def read(self) -> Sequence[Sample]:
        return (
            *self._ledger.samples(),
            Sample(traffic.STARTED, self._started()),
            Sample(traffic.IN_FLIGHT, self._in_flight()),
        )

    def unread(self) -> Sequence[Sample]:
        return ()

    async def close(self) -> None:
        return
