"""Energy of a device that has no counter of its own: the integral of its power.

No clock, no network, no logging: same arguments, same answer.
"""

from tidegauge.sources.gpu.measured import Measured

READS_WITHOUT_COUNTER = 3  # one call may fail now and then


class EnergyMeter:
    """`joules` is None as long as NVML's own counter speaks, or may yet."""

    __slots__ = ("_counted", "_reads_without", "power")

    def __init__(self) -> None:
        self.power = Measured(ramp=True)
        self._counted = False
        self._reads_without = 0

    def heard(self, *, counter: bool) -> None:
        """Whether a read brought NVML's own counter."""
        self._counted = self._counted or counter
        self._reads_without += not counter

    @property
    def joules(self) -> float | None:
        unsupported = not self._counted and self._reads_without >= READS_WITHOUT_COUNTER
        return self.power.total if unsupported else None
