"""The untyped edge: GPU performance monitoring, metrics of the time between two samples."""

import math
from collections.abc import Sequence
from typing import NewType

import pynvml

from tidegauge.sources.gpu.nvml import Handle
from tidegauge.sources.gpu.nvml_errors import SUCCESS, ours

GpmSample = NewType("GpmSample", object)


def gpm_supported(device: Handle) -> bool:
    with ours:
        return bool(pynvml.nvmlGpmQueryDeviceSupport(device).isSupportedDevice)


def new_sample() -> GpmSample:
    """Memory for one sample: pair with `free_sample`."""
    with ours:
        return GpmSample(pynvml.nvmlGpmSampleAlloc())


def free_sample(sample: GpmSample) -> None:
    with ours:
        pynvml.nvmlGpmSampleFree(sample)


def take_sample(device: Handle, sample: GpmSample, instance: int | None) -> None:
    """Fill `sample` with the device's counters now, or with those of one GPU instance."""
    with ours:
        if instance is None:
            pynvml.nvmlGpmSampleGet(device, sample)
        else:
            pynvml.nvmlGpmMigSampleGet(device, instance, sample)


def metrics(first: GpmSample, second: GpmSample, ids: Sequence[int]) -> tuple[float | None, ...]:
    """What happened between two samples, in GPM's units; None where the device does not know."""
    asked = pynvml.c_nvmlGpmMetricsGet_t()
    asked.version = pynvml.NVML_GPM_METRICS_GET_VERSION
    asked.numMetrics = len(ids)
    asked.sample1, asked.sample2 = first, second
    for place, number in enumerate(ids):
        asked.metrics[place].metricId = number
    with ours:
        answer = pynvml.nvmlGpmMetricsGet(asked)
    return tuple(_value(answer.metrics[place]) for place in range(len(ids)))


def _value(metric: pynvml.c_nvmlGpmMetric_t) -> float | None:
    value = float(metric.value)
    return value if metric.nvmlReturn == SUCCESS and math.isfinite(value) else None
