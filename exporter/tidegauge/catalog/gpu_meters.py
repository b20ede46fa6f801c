"""What is worked out from many readings of a GPU, so that nothing is lost between scrapes."""

from tidegauge.catalog.metric import Metric

_SERIES = ("gpu", "uuid")

BUSY = Metric(
    "llm_gpu_busy_seconds_total",
    "counter",
    "Time in which any kernel ran, added up from every sample of the utilisation.",
    _SERIES,
    "seconds",
)
POWER_WINDOW = Metric(
    "llm_gpu_power_watts_window",
    "gauge",
    "Power over the last whole window (stat is min, mean, max or p95): the same for every scraper.",
    (*_SERIES, "stat"),
    "watts",
)
SAMPLE_AGE = Metric(
    "llm_gpu_sample_age_seconds",
    "gauge",
    "How long ago the device last answered.",
    _SERIES,
    "seconds",
)
METRICS = (BUSY, POWER_WINDOW, SAMPLE_AGE)
