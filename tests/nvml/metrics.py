"""What one device of the stand-in gives without being asked for more.

An H100 remaps rows and retires no pages; Xids are counted elsewhere.
"""

from tidegauge.catalog import gpu, gpu_health, gpu_links

EVERY = {
    *gpu.METRICS,
    *gpu_links.METRICS,
    gpu_health.ECC_ERRORS,
    gpu_health.REMAPPED_ROWS,
    gpu_health.ROW_REMAP_PENDING,
    gpu_health.ROW_REMAP_FAILED,
    gpu_health.RECOVERY_ACTION,
}
