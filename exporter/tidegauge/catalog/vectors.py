"""What becomes of the vectors of texts, which cost more than single features."""

from tidegauge.catalog.metric import Metric

VECTORS = Metric(
    "tidegauge_traffic_vectors_total",
    "counter",
    "Exchanges whose texts were to become vectors, by what came of it; in every case the exchange "
    "itself was counted. late: given up after 5 s, or at the end.",
    ("result",),
)
VECTORS_CPU = Metric(
    "tidegauge_traffic_vectors_cpu_seconds_total",
    "counter",
    "CPU time that vectors took, which serve.traffic.vector_budget_ratio bounds.",
    (),
    "seconds",
)

METRICS = (VECTORS, VECTORS_CPU)
