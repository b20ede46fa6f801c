"""What a GPU is and does. Labels `gpu` (index) and `uuid` on every series.

Series that a MIG instance has too carry `gi` and `ci`, its GPU and compute instance: empty, which
is absent, on the series of the whole device.
"""

from tidegauge.catalog.metric import Metric

_SERIES = ("gpu", "uuid")
_INSTANCE = (*_SERIES, "gi", "ci")

INFO = Metric(
    "llm_gpu_info",
    "gauge",
    "The device and its driver; modes are on, off, or absent where they can't be read. Always 1.",
    (*_SERIES, "name", "pci", "driver", "cuda", "mig", "ecc", "persistence", "cc"),
    "info",
)
UP = Metric(
    "llm_gpu_up",
    "gauge",
    "1 if the device answered at the last read, 0 if it is lost or hangs.",
    _SERIES,
)
UTILIZATION = Metric(
    "llm_gpu_utilization_ratio",
    "gauge",
    "Share of the driver's sample period in which any kernel ran; not how full the device was.",
    _SERIES,
    "ratio",
)
MEMORY_UTILIZATION = Metric(
    "llm_gpu_memory_utilization_ratio",
    "gauge",
    "Share of the driver's sample period in which device memory was read or written.",
    _SERIES,
    "ratio",
)
MEMORY_TOTAL = Metric(
    "llm_gpu_memory_total_bytes", "gauge", "Device memory installed.", _INSTANCE, "bytes"
)
MEMORY_USED = Metric(
    "llm_gpu_memory_used_bytes",
    "gauge",
    "Device memory in use; with drivers that can't tell apart, what is reserved too.",
    _INSTANCE,
    "bytes",
)
MEMORY_FREE = Metric(
    "llm_gpu_memory_free_bytes", "gauge", "Device memory free.", _INSTANCE, "bytes"
)
MEMORY_RESERVED = Metric(
    "llm_gpu_memory_reserved_bytes",
    "gauge",
    "Device memory that driver and firmware keep for themselves.",
    _INSTANCE,
    "bytes",
)
POWER = Metric(
    "llm_gpu_power_watts",
    "gauge",
    "Power drawn: now (kind instant), or the mean of the last second (kind average).",
    (*_SERIES, "kind"),
    "watts",
)
POWER_LIMIT = Metric(
    "llm_gpu_power_limit_watts", "gauge", "Power limit that is enforced now.", _SERIES, "watts"
)
ENERGY = Metric(
    "llm_gpu_energy_joules_total",
    "counter",
    "Energy used since the driver was loaded.",
    _SERIES,
    "joules",
)
TEMPERATURE = Metric(
    "llm_gpu_temperature_celsius",
    "gauge",
    "Temperature by sensor (core, memory); sensor margin is how far the device is below the "
    "nearest temperature at which it slows down.",
    (*_SERIES, "sensor"),
    "celsius",
)
FAN = Metric(
    "llm_gpu_fan_speed_ratio",
    "gauge",
    "Intended fan speed as a share of its maximum; some boards go above 1.",
    _SERIES,
    "ratio",
)
CLOCK = Metric(
    "llm_gpu_clock_hertz",
    "gauge",
    "Clock rate by domain (graphics, sm, memory, video).",
    (*_SERIES, "domain"),
    "hertz",
)
THROTTLED = Metric(
    "llm_gpu_throttled",
    "gauge",
    "1 while clocks are held down for this reason, else 0.",
    (*_SERIES, "reason"),
)
THROTTLE_SECONDS = Metric(
    "llm_gpu_throttle_seconds_total",
    "counter",
    "Time for which clocks were held down for this reason, as the driver counts it.",
    (*_SERIES, "reason"),
    "seconds",
)

METRICS = (
    INFO,
    UP,
    UTILIZATION,
    MEMORY_UTILIZATION,
    MEMORY_TOTAL,
    MEMORY_USED,
    MEMORY_FREE,
    MEMORY_RESERVED,
    POWER,
    POWER_LIMIT,
    ENERGY,
    TEMPERATURE,
    FAN,
    CLOCK,
    THROTTLED,
    THROTTLE_SECONDS,
)
