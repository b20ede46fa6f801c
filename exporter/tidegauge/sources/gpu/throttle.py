"""Time throttled, for the reasons that NVML keeps no counter of: the integral of each one's bit.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Collection, Mapping

from tidegauge.sources.gpu.fallback import Fallback
from tidegauge.sources.gpu.integral import Integral

IDLE = "gpu_idle"  # holds nothing back


class ThrottleMeter:
    """`seconds` by reason; what happens between two reads is taken to be as the later one says."""

    __slots__ = ("_reasons",)

    def __init__(self) -> None:
        self._reasons: dict[str, tuple[Integral, Fallback]] = {}

    def add(
        self, at: float, bits: Mapping[str, float], *, counted: Collection[str], within: float
    ) -> None:
        """The reasons that hold the clocks down now, and those that NVML counts itself."""
        for reason, bit in bits.items():
            if reason == IDLE:
                continue
            integral, fallback = self._reasons.setdefault(
                reason, (Integral(ramp=False), Fallback())
            )
            integral.add(at, bit, within=within)
            fallback.heard(counter=reason in counted)

    @property
    def seconds(self) -> dict[str, float]:
        reasons = dict(self._reasons)  # asked from another thread
        return {reason: meter.total for reason, (meter, needed) in reasons.items() if needed.needed}
