"""What came of errors that were to be forwarded."""

from tidegauge.catalog.metric import Metric

EVENTS = Metric(
    "tidegauge_forwarded_events_total",
    "counter",
    "Events about errors, each with a count, handed to a sink: accepted, dropped (a full queue, "
    "or left out by sampling), or lost after they had been accepted.",
    ("sink", "result"),
)

METRICS = (EVENTS,)
