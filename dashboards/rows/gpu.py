"""GPUs as NVML sees them. The whole row is empty on machines without one."""

from dashboards.expressions import select
from dashboards.panels import Panel, Query, Row, State
from tidegauge.catalog import Metric, gpu

_EMPTY = "Empty on a machine without an NVIDIA GPU."
_LEGEND = "{{instance}} {{gpu}}"


def _per_gpu(metric: Metric) -> Query:
    return Query(select(metric), _LEGEND, needs="gpu")


_MEMORY = f"{gpu.MEMORY_USED.name} / {gpu.MEMORY_TOTAL.name}"
_THROTTLED = f"max by (reason) ({gpu.THROTTLED.name})"

ROW = Row(
    "GPUs",
    (
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
            (Query(_MEMORY, _LEGEND, needs="gpu"),),
            width=8,
            high=1,
        ),
        Panel(
            "GPU power",
            f"Power drawn, and the limit that is enforced. {_EMPTY}",
            "watt",
            "lines",
            (
                _per_gpu(gpu.POWER),
                Query(select(gpu.POWER_LIMIT), f"{_LEGEND} limit", needs="gpu", look="configured"),
            ),
            width=8,
        ),
        Panel(
            "GPU temperature",
            f"By sensor. {_EMPTY}",
            "celsius",
            "lines",
            (Query(select(gpu.TEMPERATURE), f"{_LEGEND} {{{{sensor}}}}", needs="gpu"),),
            width=12,
        ),
        Panel(
            "GPU clocks held down",
            f"By reason, whether the driver holds down the clocks of any GPU. {_EMPTY}",
            "short",
            "timeline",
            (Query(_THROTTLED, "{{reason}}", needs="gpu"),),
            width=12,
            states=(State(0, "free", "green"), State(1, "held down", "orange")),
        ),
    ),
)
