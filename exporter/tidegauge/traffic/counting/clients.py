"""Requests and tokens by client: keyed hashes for the few who have most, one sum for the rest.

No clock of its own, no network: it lives in one event loop, where doors add and the source reads.
"""

import re
from collections.abc import Callable

from tidegauge.catalog import Metric, traffic
from tidegauge.samples import Sample
from tidegauge.traffic.counting.top import Top
from tidegauge.traffic.exchange import OTHER, Exchange

NOBODY = ""
"""The label value of requests that name no client."""

_HASH = re.compile(r"[0-9a-f]{1,64}")

# More tokens than any engine could have made; numbers from outside may be larger.
_MOST_TOKENS = 2**40


class Clients:
    """Counts what `add` is told, for `top` clients by requests and `top` by tokens, each by name.

    `clock` is monotonic, in seconds.
    """

    def __init__(self, top: int, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._requests = _ByClient(traffic.CLIENT_REQUESTS, top)
        self._tokens = _ByClient(traffic.CLIENT_TOKENS, top)

    def add(self, exchange: Exchange) -> None:
        """Count one exchange. What is no hash is no client that we know of: it is in "other"."""
        now = self._clock()
        self._requests.add(exchange.client, 1, now)
        self._tokens.add(exchange.client, _tokens(exchange), now)

    def samples(self) -> tuple[Sample, ...]:
        """The series by client; at most `top` + 2 of each kind."""
        return (*self._requests.samples(), *self._tokens.samples())


class _ByClient:
    def __init__(self, metric: Metric, top: int) -> None:
        self._metric = metric
        self._top = Top(top)
        self._nobody = 0
        self._unknown = 0

    def add(self, client: str, amount: int, now: float) -> None:
        if client == NOBODY:
            self._nobody += amount
        elif _HASH.fullmatch(client):
            self._top.add(client, amount, now=now)
        else:
            self._unknown += amount

    def samples(self) -> tuple[Sample, ...]:
        rest = {NOBODY: self._nobody, OTHER: self._top.others + self._unknown}
        named = {**self._top.named(), **rest}
        return tuple(Sample(self._metric, value, (client,)) for client, value in named.items())


def _tokens(exchange: Exchange) -> int:
    known = (exchange.prompt_tokens or 0, exchange.generation_tokens or 0)
    return sum(tokens for tokens in known if 0 < tokens <= _MOST_TOKENS)
