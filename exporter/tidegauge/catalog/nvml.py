"""What reading NVML costs, and how the process that reads it fares."""

from tidegauge.catalog.metric import Metric

CHILD_UP = Metric(
    "tidegauge_nvml_child_up",
    "gauge",
    "1 while the process that reads NVML runs and speaks, else 0.",
)
CHILD_RESTARTS = Metric(
    "tidegauge_nvml_child_restarts_total",
    "counter",
    "Times that the process that reads NVML was started anew, by what made it necessary.",
    ("reason",),
)
CALL_SECONDS = Metric(
    "tidegauge_nvml_call_seconds",
    "histogram",
    "How long NVML calls took, all devices together.",
    ("call",),
    "seconds",
    (0.0001, 0.001, 0.01, 0.1, 1.0),
)
ERRORS = Metric(
    "tidegauge_nvml_errors_total",
    "counter",
    "NVML calls that returned an error, by NVML's name for it.",
    ("call", "error"),
)
DRIVER_SECONDS = Metric(
    "tidegauge_nvml_driver_seconds_total",
    "counter",
    "Time spent in NVML calls, all devices together.",
    unit="seconds",
)
TIER_INTERVAL = Metric(
    "tidegauge_nvml_tier_interval_seconds",
    "gauge",
    "Time between two reads of a tier; longer than configured where the budget asks for it. Of the "
    "device that is read least often.",
    ("tier",),
    "seconds",
)

METRICS = (CHILD_UP, CHILD_RESTARTS, CALL_SECONDS, ERRORS, DRIVER_SECONDS, TIER_INTERVAL)
