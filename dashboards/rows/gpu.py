"""GPUs as NVML sees them. The whole row is empty on machines without one."""

from dashboards.expressions import increase, rate, select
from dashboards.panels import Panel, Query, Row, State
from tidegauge.catalog import Metric, gpu, gpu_health, gpu_links, gpu_meters

_EMPTY = "Empty on a machine without an NVIDIA GPU."
_LEGEND = "{{instance}} {{gpu}}"
_PART = f"{_LEGEND} {{{{gi}}}}"
"""A MIG instance beside the whole device, whose `gi` is empty."""


def _per_gpu(metric: Metric) -> Query:
    return Query(select(metric), _LEGEND, needs="gpu")


_MEMORY = f"{gpu.MEMORY_USED.name} / {gpu.MEMORY_TOTAL.name}"
_POWER = (
    f"{select(gpu.POWER, kind='instant')} or on (job, instance, gpu) "
    f"{select(gpu.POWER, kind='average')}"
)
_PEAK = select(gpu_meters.POWER_WINDOW, stat="max")
_THROTTLED = f"max by (reason) ({gpu.THROTTLED.name})"
_XIDS = f"{increase(gpu_health.XID_ERRORS, 'instance', 'gpu', 'xid')} > 0"
_UNCORRECTED = select(gpu_health.ECC_ERRORS, type="uncorrected", scope="volatile")

_NOW = (
    Panel(
        "GPU utilisation",
        "Share of the driver's sample period in which any kernel ran: whether the device was "
        f"busy, not how full it was. {_EMPTY}",
        "percentunit",
        "lines",
        (_per_gpu(gpu.UTILIZATION),),
        width=8,
        high=1,
    ),
    Panel(
        "GPU memory in use",
        f"Share of the installed memory that processes have allocated. {_EMPTY}",
        "percentunit",
        "lines",
        (Query(_MEMORY, _PART, needs="gpu"),),
        width=8,
        high=1,
    ),
    Panel(
        "GPU power",
        "Power drawn, its highest in the last whole window (a burst that falls between two "
        f"scrapes shows there), and the limit that is enforced. {_EMPTY}",
        "watt",
        "lines",
        (
            Query(_POWER, _LEGEND, needs="gpu"),
            Query(_PEAK, f"{_LEGEND} highest", needs="gpu"),
            Query(select(gpu.POWER_LIMIT), f"{_LEGEND} limit", needs="gpu", look="configured"),
        ),
        width=8,
    ),
)
_HELD_DOWN = (
    Panel(
        "GPU temperature",
        "By sensor; the margin is how far a device is below the nearest temperature at which it "
        f"slows down. {_EMPTY}",
        "celsius",
        "lines",
        (Query(select(gpu.TEMPERATURE), f"{_LEGEND} {{{{sensor}}}}", needs="gpu"),),
        width=8,
    ),
    Panel(
        "Time with GPU clocks held down",
        "By reason, the share of time for which the driver held down the clocks, all devices "
        f"added up: it counts what happens between scrapes too. {_EMPTY}",
        "percentunit",
        "lines",
        (Query(rate(gpu.THROTTLE_SECONDS, "reason"), "{{reason}}", needs="gpu"),),
        width=8,
    ),
    Panel(
        "GPU clocks held down",
        f"By reason, whether the driver holds down the clocks of any GPU. {_EMPTY}",
        "short",
        "timeline",
        (Query(_THROTTLED, "{{reason}}", needs="gpu"),),
        width=8,
        states=(State(0, "free", "green"), State(1, "held down", "orange")),
    ),
)
_HEALTH = (
    Panel(
        "GPU errors (Xid)",
        "Errors that the driver reported in each step, by device and Xid; docs/xid.md says what "
        "each means. Empty while there were none.",
        "short",
        "bars",
        (Query(_XIDS, f"{_LEGEND} Xid {{{{xid}}}}", needs="xid"),),
        width=8,
    ),
    Panel(
        "GPU memory errors",
        "Memory errors that could not be corrected since the driver was loaded, and rows that "
        f"were replaced by spare ones. {_EMPTY}",
        "short",
        "lines",
        (
            Query(_UNCORRECTED, f"{_LEGEND} uncorrected", needs="gpu"),
            Query(select(gpu_health.REMAPPED_ROWS), f"{_LEGEND} rows, {{{{cause}}}}", needs="gpu"),
        ),
        width=8,
    ),
    Panel(
        "GPU links",
        "Bytes per second over NVLink and PCIe, all devices added up. Where the driver counts "
        f"PCIe with 32 bits it is a lower bound. {_EMPTY}",
        "Bps",
        "lines",
        (
            Query(rate(gpu_links.NVLINK_BYTES, "direction"), "NVLink {{direction}}", needs="gpu"),
            Query(rate(gpu_links.PCIE_BYTES, "direction"), "PCIe {{direction}}", needs="gpu"),
        ),
        width=8,
    ),
)

ROW = Row("GPUs", (*_NOW, *_HELD_DOWN, *_HEALTH))
