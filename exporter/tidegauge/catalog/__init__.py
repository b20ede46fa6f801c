"""Every metric that tidegauge exports, as data: one module per subject, one table here."""

from tidegauge.catalog import control, drift, gpu, health, inference, own, traffic
from tidegauge.catalog.metric import Kind, Metric, Unit

CATALOG: tuple[Metric, ...] = (
    *inference.METRICS,
    *gpu.METRICS,
    *traffic.METRICS,
    *drift.METRICS,
    *health.METRICS,
    *control.METRICS,
    *own.METRICS,
)

__all__ = ["CATALOG", "Kind", "Metric", "Unit"]
