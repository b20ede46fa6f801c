"""What the inputs of the sidecar's face, which others send to, were asked and what they refused."""

from tidegauge.catalog.metric import Metric

REQUESTS = Metric(
    "tidegauge_input_requests_total",
    "counter",
    "Requests that an input answered, by HTTP status.",
    ("input", "code"),
)
BYTES = Metric(
    "tidegauge_input_bytes_total",
    "counter",
    "Bytes of bodies that an input read, after decompression, whatever came of them.",
    ("input",),
    "bytes",
)
REJECTED = Metric(
    "tidegauge_input_rejected_total",
    "counter",
    "Requests that an input refused, by reason.",
    ("input", "reason"),
)
ITEMS = Metric(
    "tidegauge_input_items_total",
    "counter",
    "Items of bodies, such as one exchange of a batch, by whether they were accepted or rejected.",
    ("input", "result"),
)

METRICS = (REQUESTS, BYTES, REJECTED, ITEMS)
