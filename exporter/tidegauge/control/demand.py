"""What Prometheus says of a pool's demand, None where it says nothing that may be acted on."""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tidegauge.promql.decode import REASONS, Answer, PromqlError, Reason, amount

logger = logging.getLogger(__name__)


class Asks(Protocol):
    """Anything that answers PromQL, such as promql.client.Prometheus."""

    async def query(self, expression: str) -> Answer:
        """The answer now.

        Raises:
            PromqlError: there is none.
        """


@dataclass(frozen=True, slots=True)
class Demand:
    """Demand in the unit of the pool's capacity, and how many replicas are counted in it."""

    value: float | None
    reporting: int | None


class DemandQuery:
    """Asks for demand, and counts why it was not told."""

    def __init__(self, prometheus: Asks, *, pool: str, demand: str, reporting: str) -> None:
        self._prometheus = prometheus
        self._pool = pool
        self._demand = demand
        self._reporting = reporting
        self._errors: Counter[Reason] = Counter(dict.fromkeys(REASONS, 0))

    async def ask(self) -> Demand:
        """Both queries at the same time; a failed one is None."""
        demand, reporting = await asyncio.gather(
            self._amount("demand", self._demand), self._amount("reporting", self._reporting)
        )
        return Demand(demand, None if reporting is None else int(reporting))

    def errors(self) -> Mapping[Reason, int]:
        """Queries without a usable answer, by reason; every reason is present."""
        return dict(self._errors)

    async def _amount(self, what: str, expression: str) -> float | None:
        try:
            return amount(await self._prometheus.query(expression))
        except PromqlError as error:
            self._errors[error.reason] += 1
            details = {"pool": self._pool, "query": what, "reason": error.reason}
            logger.warning("no answer", extra={**details, "error": str(error)})
            return None
