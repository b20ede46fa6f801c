"""Exchanges added up into counters and histograms, one set per configured model.

No clock, no network: it lives in one event loop, where the tap adds and the source reads.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate

from tidegauge.catalog import Metric, traffic
from tidegauge.samples import Distribution, Sample
from tidegauge.traffic.exchange import FINISH_REASONS, OTHER, Exchange, Gaps

_HISTOGRAMS = (
    traffic.TIME_TO_FIRST_TOKEN,
    traffic.INTER_CHUNK,
    traffic.DURATION,
    traffic.PROMPT_TOKENS,
    traffic.GENERATION_TOKENS,
)

# Series that exist from the start, so that increase() sees the first event of each.
_EXPECTED = (
    ("ok", "200"),
    ("client_error", "400"),
    ("server_error", "500"),
    ("server_error", "503"),
    ("aborted", ""),
    ("aborted", "200"),
    ("cut", ""),
    ("cut", "200"),
    ("unreachable", ""),
)


class Ledger:
    """Counts what `add` is told, by configured model; others are one model, "other".

    Durations are those of answers that ended well (outcome "ok"): a refusal in a millisecond
    would make a sick engine look fast. First tokens, gaps and token counts are those of every
    answer that had them.
    """

    def __init__(self, models: Iterable[str]) -> None:
        self._models = {*models, "", OTHER}
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._finished: Counter[tuple[str, str]] = Counter()
        self._histograms: dict[tuple[Metric, str], _Histogram] = {}
        for model in models:
            self._open(model)

    def add(self, exchange: Exchange) -> None:
        """Count one exchange."""
        model = exchange.model if exchange.model in self._models else OTHER
        self._requests[model, exchange.outcome, _code(exchange.status)] += 1
        if exchange.finish_reason is not None:
            self._finished[model, _bounded(exchange.finish_reason)] += 1
        for metric, values in _observations(exchange):
            histogram = self._histogram(metric, model)
            for value in values:
                histogram.add(value)
        self._histogram(traffic.INTER_CHUNK, model).merge(exchange.gaps)

    def samples(self) -> tuple[Sample, ...]:
        """All series of the catalogue's traffic metrics but the gauge of requests in flight."""
        return (
            *(Sample(traffic.REQUESTS, n, labels) for labels, n in self._requests.items()),
            *(Sample(traffic.FINISHED, n, labels) for labels, n in self._finished.items()),
            *(
                Sample(metric, histogram.distribution(), (model,))
                for (metric, model), histogram in self._histograms.items()
            ),
        )

    def _open(self, model: str) -> None:
        self._requests.update({(model, *ending): 0 for ending in _EXPECTED})
        self._finished.update({(model, reason): 0 for reason in FINISH_REASONS})
        for metric in _HISTOGRAMS:
            self._histogram(metric, model)

    def _histogram(self, metric: Metric, model: str) -> "_Histogram":
        key = (metric, model)
        if key not in self._histograms:
            self._histograms[key] = _Histogram(metric.buckets or ())
        return self._histograms[key]


class _Histogram:
    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def merge(self, gaps: Gaps) -> None:
        self._counts = [mine + more for mine, more in zip(self._counts, gaps.counts, strict=True)]
        self._sum += gaps.seconds

    def distribution(self) -> Distribution:
        cumulative = accumulate(self._counts)
        return Distribution(
            tuple(zip((*self._bounds, math.inf), cumulative, strict=True)), self._sum
        )


def _code(status: int | None) -> str:
    if status is None:
        return ""
    return str(status) if 100 <= status <= 599 else OTHER  # noqa: PLR2004  # HTTP's range


def _bounded(reason: str) -> str:
    return reason if reason in FINISH_REASONS else OTHER


def _observations(exchange: Exchange) -> Iterable[tuple[Metric, tuple[float, ...]]]:
    ended_well = exchange.outcome == "ok"
    yield traffic.TIME_TO_FIRST_TOKEN, _known(exchange.first_token_seconds)
    yield traffic.DURATION, (exchange.duration_seconds,) if ended_well else ()
    yield traffic.PROMPT_TOKENS, _known(exchange.prompt_tokens)
    yield traffic.GENERATION_TOKENS, _known(exchange.generation_tokens)


def _known(value: float | None) -> tuple[float, ...]:
    return () if value is None else (value,)
