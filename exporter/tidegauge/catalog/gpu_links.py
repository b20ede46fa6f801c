"""What goes over a GPU's links: PCIe and NVLink."""

from tidegauge.catalog.metric import Metric

_SERIES = ("gpu", "uuid")
_BY_DIRECTION = (*_SERIES, "direction")

PCIE_BYTES = Metric(
    "llm_gpu_pcie_bytes_total",
    "counter",
    "Bytes sent (direction tx) and received (rx) over PCIe. Where the driver counts with 32 bits, "
    "turns of 4 GiB between two reads go unseen: a lower bound.",
    _BY_DIRECTION,
    "bytes",
)
PCIE_GENERATION = Metric(
    "llm_gpu_pcie_link_generation",
    "gauge",
    "Generation at which the PCIe link runs now; lower while the device idles.",
    _SERIES,
)
PCIE_WIDTH = Metric(
    "llm_gpu_pcie_link_width",
    "gauge",
    "Lanes that the PCIe link uses now.",
    _SERIES,
)
PCIE_REPLAYS = Metric(
    "llm_gpu_pcie_replays_total",
    "counter",
    "Packets that had to be sent again over PCIe.",
    _SERIES,
)
NVLINK_BYTES = Metric(
    "llm_gpu_nvlink_bytes_total",
    "counter",
    "Bytes sent (direction tx) and received (rx) over all NVLinks, without protocol overhead.",
    _BY_DIRECTION,
    "bytes",
)
NVLINK_ERRORS = Metric(
    "llm_gpu_nvlink_errors_total",
    "counter",
    "Errors on all NVLinks, by type; which types there are depends on the NVLink generation.",
    (*_SERIES, "type"),
)

METRICS = (
    PCIE_BYTES,
    PCIE_GENERATION,
    PCIE_WIDTH,
    PCIE_REPLAYS,
    NVLINK_BYTES,
    NVLINK_ERRORS,
)
