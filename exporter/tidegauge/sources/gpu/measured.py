"""One quantity that comes twice, from our own polls and from NVML's ring of samples, added up once.

No clock, no network, no logging: same arguments, same answer. The ring is finer, so it counts
wherever it speaks; polls fill in where it is not supported, or has fallen silent.
"""

from collections.abc import Iterable

from tidegauge.sources.gpu.integral import Integral


class Measured:
    """The integral of both. `ramp` as for Integral; times are those of each one's own clock."""

    __slots__ = ("_heard", "_polled", "_ring", "_speaks_until")

    def __init__(self, *, ramp: bool) -> None:
        self._polled = Integral(ramp=ramp)
        self._ring = Integral(ramp=ramp)
        self._speaks_until: float | None = None
        self._heard = False

    @property
    def total(self) -> float | None:
        """None before the first sample: nothing is known of it."""
        return self._polled.total + self._ring.total if self._heard else None

    def polled(self, at: float, value: float, *, within: float) -> float:
        """The seconds that the sample stands for: none while the ring speaks."""
        self._heard = True
        if self._speaks_until is not None:
            if at <= self._speaks_until:
                self._polled.skip()
                return 0.0
            self._ring.skip()
        return self._polled.add(at, value, within=within)

    def drained(
        self, now: float, samples: Iterable[tuple[float, float]], *, within: float
    ) -> list[float]:
        """The same for each (seconds, value) that was drained from the ring at `now`.

        `within` is also how long the ring is taken to speak: a few drains may find nothing.
        """
        stood = [self._ring.add(at, value, within=within) for at, value in samples]
        if stood:
            self._speaks_until, self._heard = now + within, True
        return stood
