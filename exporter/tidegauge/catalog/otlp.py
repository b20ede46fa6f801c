"""What came of the spans that other programs sent as OTLP."""

from tidegauge.catalog.metric import Metric

SPANS = Metric(
    "tidegauge_otlp_spans_total",
    "counter",
    "Spans received as OTLP: counted as a request, a duplicate of one, nested in one that another "
    "span tells of, ignored (no request to a model, or not of the side asked for), or rejected.",
    ("result",),
)

METRICS = (SPANS,)
