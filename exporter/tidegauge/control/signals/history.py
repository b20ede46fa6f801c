"""A signal's past, as Prometheus remembers it, read in pieces that neither side minds.

A piece is as long as gives an answer of about a megabyte, and shorter where Prometheus finds it too
large or takes too long.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping

from tidegauge.control.signals.asks import Asks
from tidegauge.control.signals.bench import Bench
from tidegauge.control.signals.keyed import Columns
from tidegauge.control.signals.lanes import Lanes
from tidegauge.control.signals.task import Read
from tidegauge.promql.decode import PromqlError, Reason
from tidegauge.promql.decode_range import RangeBody
from tidegauge.promql.span import MAX_POINTS, Span

ANSWER_POINTS = 30_000  # of all series of an answer, at about 30 bytes each
_SHORTEST_PIECES: Mapping[Reason, int] = {
    "too_large": 10,
    "timeout": 500,  # one that cannot answer this is not to be asked more often
}


class History:
    """Reads ranges through lanes."""

    def __init__(self, prometheus: Asks, lanes: Lanes, bench: Bench) -> None:
        self._prometheus = prometheus
        self._lanes = lanes
        self._bench = bench

    async def read(self, expression: str, columns: Columns, *, series: int = 1) -> None:
        """Enter all values of the columns' span; `series` is how many are expected.

        Raises:
            PromqlError: there is no answer that may be trusted.
        """
        longest, pieces = _piece(series), deque([columns.span])
        while pieces:
            piece = pieces.popleft()
            if piece.points > longest:
                pieces.extendleft(reversed(list(piece.chunks(longest))))
                continue
            try:
                body = await self._lanes.ask(self._asking(expression, piece))
                read, series = await self._bench.read(Read(body, piece, tuple(columns.labels)))
            except PromqlError as error:
                shortest = _SHORTEST_PIECES.get(error.reason)
                if shortest is None or piece.points <= shortest:
                    raise
                longest = max(shortest, piece.points // 2)
                pieces.appendleft(piece)
                continue
            longest = min(longest, _piece(series))
            columns.join(read)

    def _asking(self, expression: str, piece: Span) -> Callable[[], Awaitable[RangeBody]]:
        return lambda: self._prometheus.query_range(expression, piece)


def _piece(series: int) -> int:
    return min(MAX_POINTS, max(_SHORTEST_PIECES["too_large"], ANSWER_POINTS // max(1, series)))
