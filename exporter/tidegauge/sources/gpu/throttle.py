"""Time throttled, for the reasons that NVML keeps no counter of: the integral of each one's bit.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Mapping

from tidegauge.sources.gpu.integral import Integral

IDLE = "gpu_idle"  # holds nothing back


class ThrottleMeter:
    """`seconds` by reason; what happens between two reads is taken to be as the later one says."""

    __slots__ = ("_reasons",)

    def __init__(self) -> None:
        self._reasons: dict[str, Integral] = {}

    def add(self, at: float, bits: Mapping[str, float], *, within: float) -> None:
        for reason, bit in bits.items():
            if reason != IDLE:
                meter = self._reasons.setdefault(reason, Integral(ramp=False))
                meter.add(at, bit, within=within)

    @property
    def seconds(self) -> dict[str, float]:
        reasons = dict(self._reasons)  # asked from another thread
        return {reason: meter.total for reason, meter in reasons.items()}
