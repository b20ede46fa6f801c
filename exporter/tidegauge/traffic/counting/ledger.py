"""Exchanges added up into counters and histograms, one set per configured model and version.

No clock, no network: it lives in one event loop, where the doors add and the source reads.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from tidegauge.catalog import traffic
from tidegauge.samples import Sample
from tidegauge.traffic.counting.counted import Pair, Series, counted, expected, expected_routes
from tidegauge.traffic.counting.histogram import Histogram
from tidegauge.traffic.counting.observed import expected_histograms, observed
from tidegauge.traffic.exchange import NO_GAPS, OTHER, Exchange


class Ledger:
    """Counts what `add` is told, by configured model and version; others are "other".

    Series of `models` exist from the start, those of other names from their first request.
    """

    def __init__(self, models: Iterable[str], versions: Mapping[str, str] | None = None) -> None:
        versions = versions or {}
        self._models = {*models, "", OTHER}
        self._versions = {*versions.values(), ""}
        self._counts: Counter[Series] = Counter(dict.fromkeys(expected_routes(), 0))
        self._histograms: dict[Series, Histogram] = {}
        for model in models:
            self._open((model, versions.get(model, "")))

    def add(self, exchange: Exchange) -> None:
        """Count one exchange."""
        pair = self._pair(exchange)
        self._counts.update(counted(exchange, pair))
        for metric, labels, value in observed(exchange, pair):
            self._histogram((metric, labels)).add(value)
        if exchange.gaps != NO_GAPS:
            self._histogram((traffic.INTER_CHUNK, pair)).merge(exchange.gaps)

    def samples(self) -> tuple[Sample, ...]:
        """All series of requests that have ended, but for those by client."""
        return (
            *(Sample(metric, n, labels) for (metric, labels), n in self._counts.items()),
            *(
                Sample(metric, histogram.distribution(), labels)
                for (metric, labels), histogram in self._histograms.items()
            ),
        )

    def _pair(self, exchange: Exchange) -> Pair:
        model = exchange.model if exchange.model in self._models else OTHER
        return model, exchange.version if exchange.version in self._versions else OTHER

    def _open(self, pair: Pair) -> None:
        self._counts.update(dict.fromkeys(expected(pair), 0))
        for series in expected_histograms(pair):
            self._histogram(series)

    def _histogram(self, series: Series) -> Histogram:
        if series not in self._histograms:
            metric, _ = series
            self._histograms[series] = Histogram(metric.buckets or ())
        return self._histograms[series]
