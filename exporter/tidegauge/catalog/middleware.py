"""What the sidecar hears of processes that have the middleware in them."""

from tidegauge.catalog.metric import Metric

PROCESSES = Metric(
    "tidegauge_middleware_processes",
    "gauge",
    "Processes with the middleware that have said how they are within the last seconds.",
)
EXCHANGES = Metric(
    "tidegauge_middleware_exchanges_total",
    "counter",
    "Exchanges that were taken in from processes with the middleware.",
)
DROPPED = Metric(
    "tidegauge_middleware_dropped_total",
    "counter",
    "Exchanges that a process with the middleware measured and that never came here: "
    "too many waited, or the sidecar was not there.",
)
VECTORS_LEFT_OUT = Metric(
    "tidegauge_middleware_vectors_left_out_total",
    "counter",
    "Exchanges that came without the vectors that their process was to make of their texts: "
    "no budget was left, too many waited, or it failed.",
)
REJECTED = Metric(
    "tidegauge_middleware_rejected_total",
    "counter",
    "Connections that were closed: what came was no datagram of ours, or of another release, "
    "or there were too many.",
    ("reason",),
)

METRICS = (PROCESSES, EXCHANGES, DROPPED, VECTORS_LEFT_OUT, REJECTED)
