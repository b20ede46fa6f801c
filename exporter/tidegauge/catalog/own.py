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

CONFIG_RELOADED = Metric(
    "tidegauge_config_last_reload_successful",
    "gauge",
    "1 if the configuration in force is that of the last attempt to load one, else 0.",
)
CONFIG_RELOADED_AT = Metric(
    "tidegauge_config_last_reload_success_timestamp_seconds",
    "gauge",
    "When the configuration in force was loaded.",
    (),
    "seconds",
)
WEB_CONFIG_RELOADED = Metric(
    "tidegauge_web_config_last_reload_successful",
    "gauge",
    "1 if the file of --web.config.file is in force as it is now, 0 if the last change was wrong.",
)
PROBE_SUCCESS = Metric(
    "tidegauge_probe_success",
    "gauge",
    "1 if the engine that /probe was asked for could be read just now, else 0.",
)
PROBE_DURATION = Metric(
    "tidegauge_probe_duration_seconds",
    "gauge",
    "How long the engine that /probe was asked for took to be read, or to fail.",
    (),
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
    CONFIG_RELOADED,
    CONFIG_RELOADED_AT,
    WEB_CONFIG_RELOADED,
    PROBE_SUCCESS,
    PROBE_DURATION,
    ENGINE_UNMAPPED,
    ENGINE_DISCOVERED,
)
