"""What prometheus_client's parsers make of an exposition, in our own values."""

from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from tidegauge.engines import RawFamily, RawSeries


def reference(text: str) -> tuple[RawFamily, ...]:
    """By the parser for Prometheus text. Raises whatever that raises."""
    return _ours(plain(text))


def openmetrics_reference(text: str) -> tuple[RawFamily, ...]:
    """By the parser for OpenMetrics."""
    return _ours(openmetrics(text))


def _ours(metrics: Iterable[Metric]) -> tuple[RawFamily, ...]:
    return tuple(
        RawFamily(
            metric.name,
            tuple(
                RawSeries(row.name, _number(row.value), tuple(row.labels.items()))
                for row in metric.samples
            ),
        )
        for metric in metrics
    )


def _number(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # it makes an int of a number without a point, however long
        return float("inf") if value > 0 else float("-inf")
