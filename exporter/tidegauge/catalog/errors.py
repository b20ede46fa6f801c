"""What an engine's log says of errors: how many, of which pattern, and which are new."""

from tidegauge.catalog.metric import Metric

LINES = Metric(
    "llm_log_lines_total",
    "counter",
    "Messages in the engine's log, by the severity that they say; a traceback is one.",
    ("severity",),
)
PATTERNS = Metric(
    "llm_error_patterns_total",
    "counter",
    "Messages of severity warning and worse, by pattern: a known one's name, p… for one that was "
    "found, other for all beyond the configured number. GET /v1/error-patterns says what they are.",
    ("pattern", "severity"),
)
NEW = Metric(
    "llm_error_patterns_new_total",
    "counter",
    "Patterns not seen before, without those of the learning time after the start.",
    ("severity",),
)
FIRST_SEEN = Metric(
    "llm_error_pattern_first_seen_timestamp_seconds",
    "gauge",
    "When a pattern with a series of its own was first seen since tidegauge started.",
    ("pattern",),
    "seconds",
)
INFO = Metric(
    "llm_error_pattern_info",
    "gauge",
    "Known patterns that were seen: their class, and the page that says what to do.",
    ("pattern", "class", "runbook"),
    "info",
)
READ_LINES = Metric(
    "tidegauge_log_lines_total",
    "counter",
    "Lines of the engine's log by what became of them: read; cut, read up to the longest that we "
    "look at; skipped, beyond what we read in a second.",
    ("result",),
)
FOLLOWED = Metric(
    "tidegauge_log_files",
    "gauge",
    "Log files that are being followed; standard input is one.",
)

METRICS = (LINES, PATTERNS, NEW, FIRST_SEEN, INFO, READ_LINES, FOLLOWED)
