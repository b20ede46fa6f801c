"""One line on how the demo is doing, asked of Prometheus like anybody would."""

import asyncio

from tidegauge.promql.client import Access, Prometheus
from tidegauge.promql.decode import PromqlError, number

_SHOWN = (
    ("replicas", "sum(llm_pool_ready_replicas) or vector(0)", "{:.0f}"),
    ("wanted", "sum(llm_pool_desired_replicas)", "{:.0f}"),
    ("in flight", "sum(llm_traffic_requests_in_flight)", "{:.0f}"),
    ("requests/s", "sum(llm:requests:rate)", "{:.1f}"),
    ("first token p95", "max(llm:time_to_first_token_seconds:p95)", "{:.2f} s"),
    ("drift", 'max(llm:drift_ratio{channel="inputs"})', "{:.2f}"),
    ("alerts firing", 'count(ALERTS{alertstate="firing"}) or vector(0)', "{:.0f}"),
)


class Progress:
    """Asks a Prometheus for the demo's few numbers."""

    def __init__(self, url: str) -> None:
        self._prometheus = Prometheus(Access(url, timeout_seconds=2))

    async def line(self) -> str:
        """`replicas 3 · wanted 3 · …`; what is not known is a dash."""
        texts = await asyncio.gather(*(self._text(*shown) for shown in _SHOWN))
        return " · ".join(texts)

    async def close(self) -> None:
        await self._prometheus.close()

    async def _text(self, name: str, expression: str, form: str) -> str:
        try:
            value = number(await self._prometheus.query(expression))
        except PromqlError:
            return f"{name} -"
        return f"{name} {form.format(value)}"
