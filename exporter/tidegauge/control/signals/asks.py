"""The seam to Prometheus: what signals ask of it."""

from typing import Protocol

from tidegauge.promql.decode import Answer
from tidegauge.promql.decode_range import RangeBody
from tidegauge.promql.span import Span


class Asks(Protocol):
    """Anything that answers PromQL, now and over time, such as promql.client.Prometheus."""

    async def query(self, expression: str, *, at: float | None = None) -> Answer:
        """The answer at a Unix time.

        Raises:
            PromqlError: there is none.
        """

    async def query_range(self, expression: str, span: Span) -> RangeBody:
        """The answers at every point of a span of at most MAX_POINTS points, not decoded yet.

        Raises:
            PromqlError: there are none.
        """
