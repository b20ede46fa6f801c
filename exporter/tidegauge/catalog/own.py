"""What tidegauge says of itself."""

from tidegauge.catalog.metric import Metric

BUILD_INFO = Metric(
    "tidegauge_build_info",
    "gauge",
    "Version of tidegauge and of the Python it runs on; always 1.",
    ("version", "python"),
    "info",
)
SOURCE_UP = Metric(
    "tidegauge_source_up",
    "gauge",
    "1 if the source's last read succeeded and is fresh, else 0.",
    ("source",),
)
SOURCE_ERRORS = Metric(
    "tidegauge_source_errors_total",
    "counter",
    "Reads that failed, by reason.",
    ("source", "reason"),
)
SOURCE_READ_SECONDS = Metric(
    "tidegauge_source_read_seconds",
    "gauge",
    "How long the source's last read took.",
    ("source",),
    "seconds",
)
SOURCE_LAST_SUCCESS = Metric(
    "tidegauge_source_last_success_timestamp_seconds",
    "gauge",
    "When the source was last read with success; absent before the first.",
    ("source",),
    "seconds",
)

ENGINE_UNMAPPED = Metric(
    "tidegauge_engine_unmapped_series",
    "gauge",
    "Names in the engine's metrics, under its own prefixes, that this version of tidegauge reads "
    "nothing from and does not leave out on purpose.",
    ("engine",),
)
ENGINE_DISCOVERED = Metric(
    "tidegauge_engine_discovered_info",
    "gauge",
    "The engine that was found at one of the usual ports; always 1, and absent where the engine "
    "is configured.",
    ("url", "engine"),
    "info",
)

METRICS = (
    BUILD_INFO,
    SOURCE_UP,
    SOURCE_ERRORS,
    SOURCE_READ_SECONDS,
    SOURCE_LAST_SUCCESS,
    ENGINE_UNMAPPED,
    ENGINE_DISCOVERED,
)
