"""Is the machine fit to serve: checks that pass or fail, and what the environment is made of."""

from tidegauge.catalog.metric import Metric

CHECK = Metric(
    "llm_health_check",
    "gauge",
    "1 if the check passes, 0 if it fails; absent where it could not run. docs/health.md says "
    "what each one means and what to do.",
    ("check", "component"),
)
ENVIRONMENT_INFO = Metric(
    "llm_environment_info",
    "gauge",
    "What a component of the environment is now: a version, or a digest of files; always 1, and "
    "absent while unknown.",
    ("component", "value"),
    "info",
)
ENVIRONMENT_CHANGES = Metric(
    "llm_environment_changes_total",
    "counter",
    "How often a component of the environment was seen to change while tidegauge ran.",
    ("component",),
)

METRICS = (CHECK, ENVIRONMENT_INFO, ENVIRONMENT_CHANGES)
