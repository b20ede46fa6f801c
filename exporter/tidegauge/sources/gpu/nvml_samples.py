"""The untyped edge: the ring of samples that the driver keeps, about 20 ms apart."""

from typing import Literal

import pynvml

from tidegauge.sources.gpu.nvml import Handle
from tidegauge.sources.gpu.nvml_errors import NOT_FOUND, NvmlError, ours

RingKind = Literal["power", "utilization"]
Ring = tuple[tuple[int, float], ...]
"""(driver's time in µs, watts or a share of 1), oldest first."""

# nvmlSamplingType_t, and what a sample is divided by: mW to W, percent to a ratio.
_TYPES: dict[RingKind, tuple[int, int]] = {"power": (0, 1000), "utilization": (1, 100)}
_MEMBERS = ("dVal", "uiVal", "ulVal", "ullVal", "sllVal", "siVal", "usVal")


def ring(device: Handle, kind: RingKind, since_us: int) -> Ring:
    """The samples after `since_us`; none is no error."""
    type_, divisor = _TYPES[kind]
    try:
        with ours:
            value_type, samples = pynvml.nvmlDeviceGetSamples(device, type_, since_us)
    except NvmlError as error:
        if error.code == NOT_FOUND:
            return ()
        raise
    member = _MEMBERS[value_type]
    pairs = ((int(s.timeStamp), getattr(s.sampleValue, member) / divisor) for s in samples)
    # A driver whose ring is not full leaves the rest at time 0.
    return tuple(sorted(pair for pair in pairs if pair[0] > since_us))
