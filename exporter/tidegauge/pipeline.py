"""Sources to a snapshot: each source on its own clock, and a failing one costs only its own series.

A scrape calls `snapshot()`, which waits for nothing. A source that hangs is given up on after its
timeout, and is asked again when its interval comes round; a reading that has outlived its welcome
is left out of the snapshot rather than repeated.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tidegauge.catalog import own
from tidegauge.samples import Reading, Sample, Snapshot
from tidegauge.sources.source import REASONS, Source, SourceError

logger = logging.getLogger(__name__)

STALE_INTERVALS = 3  # a reading older than this many intervals plus the timeout is no longer true


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a source is read: every `interval_seconds`, giving up after `timeout_seconds`."""

    source: Source
    interval_seconds: float
    timeout_seconds: float

    @property
    def stale_after_seconds(self) -> float:
        return STALE_INTERVALS * self.interval_seconds + self.timeout_seconds


class Pipeline:
    """Reads every scheduled source until it is cancelled, and knows the latest reading of each."""

    def __init__(
        self, schedules: Sequence[Schedule], *, clock: Callable[[], float] = time.time
    ) -> None:
        names = [schedule.source.name for schedule in schedules]
        if len(set(names)) != len(names):
            raise ValueError(f"source names must differ: {', '.join(names)}")
        self._schedules = tuple(schedules)
        self._clock = clock
        self._readings: dict[str, Reading] = {}
        self._successes: dict[str, float] = {}
        self._states: dict[str, str] = {}  # "up", or the reason why not: what was last logged
        self._errors: Counter[tuple[str, str]] = Counter(
            {(name, reason): 0 for name in names for reason in REASONS}
        )

    async def run(self) -> None:
        """Read until cancelled, then close the sources."""
        try:
            async with asyncio.TaskGroup() as group:
                for schedule in self._schedules:
                    group.create_task(self._follow(schedule))
        finally:
            closings = (schedule.source.close() for schedule in self._schedules)
            await asyncio.gather(*closings, return_exceptions=True)

    async def read_all(self) -> None:
        """Read every source once, at the same time."""
        await asyncio.gather(*(self._read(schedule) for schedule in self._schedules))

    @property
    def began(self) -> bool:
        """Whether every source has been tried at least once."""
        return len(self._readings) == len(self._schedules)

    def snapshot(self) -> Snapshot:
        """The latest readings, those that have gone stale without their samples."""
        now = self._clock()
        readings = tuple(
            self._fresh(schedule, now)
            for schedule in self._schedules
            if schedule.source.name in self._readings
        )
        return Snapshot(now, readings, self._own(readings))

    async def _follow(self, schedule: Schedule) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            retry_after = await self._read(schedule)
            due = max(due + max(schedule.interval_seconds, retry_after), loop.time())
            await asyncio.sleep(due - loop.time())

    async def _read(self, schedule: Schedule) -> float:
        """Read once; how long the source wants to be left alone at least."""
        source, started = schedule.source, self._clock()
        try:
            async with asyncio.timeout(schedule.timeout_seconds):
                samples = tuple(await source.read())
        except SourceError as error:
            self._failed(schedule, started, error)
            return error.retry_after_seconds or 0.0
        except TimeoutError:
            message = f"no answer within {schedule.timeout_seconds:g} s"
            self._failed(schedule, started, SourceError("timeout", message))
        except Exception as error:  # a bug in one source must not cost the others, or the tap
            logger.exception("source broken", extra={"source": source.name})
            self._failed(schedule, started, SourceError("internal", repr(error)))
        else:
            self._succeeded(source.name, started, samples)
        return 0.0

    def _succeeded(self, name: str, started: float, samples: tuple[Sample, ...]) -> None:
        if self._states.get(name) != "up":
            logger.info("source up", extra={"source": name, "series": len(samples)})
        ended = self._clock()
        self._states[name] = "up"
        self._readings[name] = Reading(name, ended, ended - started, samples)
        self._successes[name] = ended

    def _failed(self, schedule: Schedule, started: float, error: SourceError) -> None:
        name, ended = schedule.source.name, self._clock()
        if self._states.get(name) != error.reason:  # one line per fact, not one per second
            details = {"source": name, "reason": error.reason, "error": str(error)}
            logger.warning("source down", extra=details)
        self._states[name] = error.reason
        self._errors[name, error.reason] += 1
        unread = tuple(schedule.source.unread())
        self._readings[name] = Reading(name, ended, ended - started, unread, str(error))

    def _fresh(self, schedule: Schedule, now: float) -> Reading:
        reading = self._readings[schedule.source.name]
        age = now - reading.taken_at
        if age <= schedule.stale_after_seconds:
            return reading
        error = reading.error or f"last read {age:.0f} s ago"
        unread = tuple(schedule.source.unread())
        return Reading(reading.source, reading.taken_at, reading.seconds, unread, error)

    def _own(self, readings: Sequence[Reading]) -> tuple[Sample, ...]:
        up = (
            Sample(own.SOURCE_UP, float(reading.error is None), (reading.source,))
            for reading in readings
        )
        took = (
            Sample(own.SOURCE_READ_SECONDS, reading.seconds, (reading.source,))
            for reading in readings
        )
        succeeded = (
            Sample(own.SOURCE_LAST_SUCCESS, at, (name,)) for name, at in self._successes.items()
        )
        errors = (Sample(own.SOURCE_ERRORS, n, labels) for labels, n in self._errors.items())
        return (*up, *took, *succeeded, *errors)
