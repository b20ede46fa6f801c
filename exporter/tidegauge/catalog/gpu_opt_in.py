"""What a GPU tells where it is asked for (performance monitoring, processes), or cut up (MIG).

Performance monitoring (GPM) exists on Hopper and later; with MIG its series carry the GPU
instance (`gi`).
"""

from tidegauge.catalog.metric import Metric

_INSTANCE = ("gpu", "uuid", "gi", "ci")
_PROCESS = ("gpu", "uuid", "pid", "container", "pod")

MIG = Metric(
    "llm_gpu_mig_info",
    "gauge",
    "A MIG instance of the device; always 1.",
    (*_INSTANCE, "mig_uuid", "profile"),
    "info",
)
SM_ACTIVE = Metric(
    "llm_gpu_sm_active_ratio",
    "gauge",
    "Share of the multiprocessors that were busy, over the time between two samples.",
    _INSTANCE,
    "ratio",
)
SM_OCCUPANCY = Metric(
    "llm_gpu_sm_occupancy_ratio",
    "gauge",
    "Warps that were active, as a share of as many as the multiprocessors can hold.",
    _INSTANCE,
    "ratio",
)
TENSOR_ACTIVE = Metric(
    "llm_gpu_tensor_active_ratio",
    "gauge",
    "Share of the time in which the tensor cores worked.",
    _INSTANCE,
    "ratio",
)
DRAM_ACTIVE = Metric(
    "llm_gpu_dram_active_ratio",
    "gauge",
    "Memory bandwidth used, as a share of its theoretical maximum.",
    _INSTANCE,
    "ratio",
)
PCIE_RATE = Metric(
    "llm_gpu_pcie_bytes_per_second",
    "gauge",
    "Bytes sent (direction tx) and received (rx) over PCIe per second between two samples.",
    (*_INSTANCE, "direction"),
)
NVLINK_RATE = Metric(
    "llm_gpu_nvlink_bytes_per_second",
    "gauge",
    "Bytes sent (direction tx) and received (rx) over NVLink per second between two samples.",
    (*_INSTANCE, "direction"),
)
PROCESS_MEMORY = Metric(
    "llm_gpu_process_memory_bytes",
    "gauge",
    "Device memory that a process holds; container and pod are its id and uid, if it has one.",
    _PROCESS,
    "bytes",
)
PROCESS_SM_UTILIZATION = Metric(
    "llm_gpu_process_sm_utilization_ratio",
    "gauge",
    "A process's share of the multiprocessors' time; absent while it runs nothing.",
    _PROCESS,
    "ratio",
)

METRICS = (
    MIG,
    SM_ACTIVE,
    SM_OCCUPANCY,
    TENSOR_ACTIVE,
    DRAM_ACTIVE,
    PCIE_RATE,
    NVLINK_RATE,
    PROCESS_MEMORY,
    PROCESS_SM_UTILIZATION,
)
