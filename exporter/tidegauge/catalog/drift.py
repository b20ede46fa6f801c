"""How far requests are from the reference, and counts that let Prometheus add up replicas."""

from tidegauge.catalog.metric import Metric

_CHANNEL = ("model", "channel")

SCORE = Metric(
    "llm_drift_score",
    "gauge",
    "Population stability index of this replica's sliding window against the reference; "
    "absent until the window holds enough requests.",
    _CHANNEL,
)
SCORE_BY_CHANCE = Metric(
    "llm_drift_score_by_chance",
    "gauge",
    "What llm_drift_score is on average with no shift, for as many independent requests.",
    _CHANNEL,
)
WINDOW_REQUESTS = Metric(
    "llm_drift_window_requests",
    "gauge",
    "Requests in this replica's sliding window.",
    _CHANNEL,
    "requests",
)
BIN_REQUESTS = Metric(
    "llm_drift_bin_requests_total",
    "counter",
    "Requests seen per reference bin (a request may be split over the bins of a mix), "
    "so that a recording rule scores all replicas of a model as one.",
    (*_CHANNEL, "bin"),
    "requests",
)
REFERENCE_RATIO = Metric(
    "llm_drift_reference_ratio",
    "gauge",
    "Share of the reference's requests in this bin, smoothed by half a request: never 0.",
    (*_CHANNEL, "bin"),
    "ratio",
)
REFERENCE_INFO = Metric(
    "llm_drift_reference_info",
    "gauge",
    "The reference in use: a digest of its content and the version of the features; always 1.",
    ("model", "digest", "features"),
    "info",
)

METRICS = (SCORE, SCORE_BY_CHANCE, WINDOW_REQUESTS, BIN_REQUESTS, REFERENCE_RATIO, REFERENCE_INFO)
