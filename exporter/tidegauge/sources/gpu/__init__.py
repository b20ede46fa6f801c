"""The GPU source: what NVML says of every device, each device read by a thread of its own."""

from tidegauge.sources.gpu.source import GpuSource

__all__ = ["GpuSource"]
