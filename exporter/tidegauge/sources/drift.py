"""Drift as a source: it is told of requests that ended, looks at them once a tick, and is read."""

import asyncio
from collections.abc import Callable, Sequence

from tidegauge.drift.monitor import DriftMonitor
from tidegauge.samples import Sample
from tidegauge.sources.drift_keeping import DriftKeeping
from tidegauge.traffic.exchange import Exchange


class DriftSource:
    """Scores of every model that is watched. A read is a tick.

    `clock` gives seconds and must not go back (time.monotonic): the age of a request hangs on it.
    `wall` gives seconds since 1970: blocks of a reference are cut by it, so that those of several
    sidecars fit. Between two models others get a turn: with a hundred of them a tick takes a tenth
    of a second, for which no request need wait.
    """

    name = "drift"

    def __init__(
        self,
        monitor: DriftMonitor,
        keeping: DriftKeeping,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self.monitor = monitor
        self.keeping = keeping
        self._clock = clock
        self._wall = wall

    def observe(self, exchange: Exchange) -> None:
        """Take note of one exchange that has just ended."""
        self.monitor.observe(exchange, at=self._wall())

    async def read(self) -> Sequence[Sample]:
        now, at = self._clock(), self._wall()
        samples = list[Sample]()
        for model in self.monitor.models.values():
            learned = model.tick(now=now)
            if learned is not None:
                self.keeping.learned(learned)
            samples += model.samples(at=at)
            await asyncio.sleep(0)
        self.keeping.look(now=now, at=at)
        return samples

    def unread(self) -> Sequence[Sample]:
        return ()

    async def close(self) -> None:
        await self.keeping.close()
