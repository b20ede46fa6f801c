"""Every metric that tidegauge exports, as data: one module per subject, one table here."""

from tidegauge.catalog import (
    control,
    drift,
    gpu,
    gpu_health,
    gpu_links,
    gpu_meters,
    gpu_opt_in,
    health,
    inference,
    middleware,
    nvml,
    own,
    traffic,
    vectors,
)
from tidegauge.catalog.metric import Kind, Metric, Unit

CATALOG: tuple[Metric, ...] = (
    *inference.METRICS,
    *gpu.METRICS,
    *gpu_meters.METRICS,
    *gpu_health.METRICS,
    *gpu_links.METRICS,
    *gpu_opt_in.METRICS,
    *nvml.METRICS,
    *traffic.METRICS,
    *middleware.METRICS,
    *vectors.METRICS,
    *drift.METRICS,
    *health.METRICS,
    *control.METRICS,
    *own.METRICS,
)

__all__ = ["CATALOG", "Kind", "Metric", "Unit"]
