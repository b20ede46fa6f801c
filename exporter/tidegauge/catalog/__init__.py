"""Every metric that tidegauge exports, as data: one module per subject, one table here."""

from tidegauge.catalog import (
    control,
    drift,
    errors,
    feedback,
    forwarding,
    gpu,
    gpu_health,
    gpu_links,
    gpu_meters,
    gpu_opt_in,
    health,
    inference,
    inputs,
    middleware,
    nvml,
    otlp,
    own,
    signals,
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
    *feedback.METRICS,
    *vectors.METRICS,
    *drift.METRICS,
    *errors.METRICS,
    *health.METRICS,
    *control.METRICS,
    *signals.METRICS,
    *inputs.METRICS,
    *otlp.METRICS,
    *forwarding.METRICS,
    *own.METRICS,
)

__all__ = ["CATALOG", "Kind", "Metric", "Unit"]
