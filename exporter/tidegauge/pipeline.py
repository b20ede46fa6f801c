"""Sources to a snapshot: each source on its own clock, and a failing one costs only its own series.

A scrape calls `snapshot()`, which waits for nothing. A source that hangs is given up on after its
timeout, and is asked again when its interval comes round; a reading that has outlived its welcome
is left out of the snapshot rather than repeated. What is read may change while it runs: `adopt`.
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
    """When a source is read: every `interval_seconds`, giving up after `timeout_seconds`.

    First after those named in `after` were tried once, where they are read at all: it looks at
    what they found.
    """

    source: Source
    interval_seconds: float
    timeout_seconds: float
    after: tuple[str, ...] = ()

    @classmethod
    def of_memory(cls, source: Source) -> "Schedule":
        """For a source that reads our own memory, which is no burden."""
        return cls(source, interval_seconds=1.0, timeout_seconds=1.0)

    @property
    def stale_after_seconds(self) -> float:
        return STALE_INTERVALS * self.interval_seconds + self.timeout_seconds


class Pipeline:
    """Reads every scheduled source until it is cancelled, and knows the latest reading of each."""

    def __init__(
        self, schedules: Sequence[Schedule], *, clock: Callable[[], float] = time.time
    ) -> None:
        _distinct(schedules)
        self._schedules = tuple(schedules)
        self._clock = clock
        self._group: asyncio.TaskGroup | None = None  # while it runs
        self._following: dict[str, asyncio.Task[None]] = {}
        self._turns: dict[int, asyncio.Lock] = {}  # by source: one is never read twice at a time
        self._all_read = False
        self._tried = asyncio.Event()  # set whenever a source was, or none is waited for any more
        self._readings: dict[str, Reading] = {}
        self._successes: dict[str, float] = {}
        self._states: dict[str, str] = {}  # "up", or the reason why not: what was last logged
        self._errors: Counter[tuple[str, str]] = Counter()
        self._count_from_zero()

    async def run(self) -> None:
        """Read until cancelled, then close the sources."""
        try:
            async with asyncio.TaskGroup() as self._group:
                for schedule in self._schedules:
                    self._follow(schedule)
                await asyncio.Event().wait()
        finally:
            self._group = None
            await asyncio.gather(*(_closed(schedule.source) for schedule in self._schedules))

    def adopt(self, schedules: Sequence[Schedule]) -> None:
        """Read these from now on; a source that is among them already goes on as it is.

        One that is not is closed, and its series vanish. One that takes over a name goes on with
        the counters of its predecessor, whose last reading stands until the first of its own: no
        scrape in between finds less.

        Raises:
            ValueError: two sources have one name; nothing has changed then.
        """
        _distinct(schedules)
        before, self._schedules = self._schedules, tuple(schedules)
        kept = {id(schedule.source) for schedule in schedules}
        names = {schedule.source.name for schedule in schedules}
        for schedule in before:
            if schedule not in self._schedules:
                self._leave(schedule, close=id(schedule.source) not in kept)
        for schedule in self._schedules:
            if schedule not in before:
                self._follow(schedule)
        for name in {schedule.source.name for schedule in before} - names:
            self._forget(name)
        self._count_from_zero()
        self._tried.set()

    async def read_all(self) -> None:
        """Read every source once, at the same time."""
        await asyncio.gather(*(self._read(schedule) for schedule in self._schedules))

    @property
    def began(self) -> bool:
        """Whether every source has been tried once; a later `adopt` does not take that back."""
        self._all_read |= all(each.source.name in self._readings for each in self._schedules)
        return self._all_read

    def snapshot(self) -> Snapshot:
        """The latest readings, those that have gone stale without their samples."""
        now = self._clock()
        readings = tuple(
            self._fresh(schedule, now)
            for schedule in self._schedules
            if schedule.source.name in self._readings
        )
        return Snapshot(now, readings, self._own(readings))

    def _follow(self, schedule: Schedule) -> None:
        if self._group:
            task = self._group.create_task(self._keep_reading(schedule))
            self._following[schedule.source.name] = task

    def _leave(self, schedule: Schedule, *, close: bool) -> None:
        following = self._following.get(schedule.source.name)
        if following:
            following.cancel()
        if self._group and close:
            self._group.create_task(self._close(schedule.source))

    async def _close(self, source: Source) -> None:
        turn = self._turns.pop(id(source), asyncio.Lock())
        try:
            async with turn:  # a read that was cancelled may take a moment to let go
                pass
        finally:  # also at the end of the program: it may hold a process
            await _closed(source)

    def _forget(self, name: str) -> None:
        self._following.pop(name, None)
        self._readings.pop(name, None)
        self._successes.pop(name, None)
        self._states.pop(name, None)
        for reason in REASONS:
            self._errors.pop((name, reason), None)

    def _count_from_zero(self) -> None:
        """Every error that may come exists before it does, so that increase() sees the first."""
        for schedule in self._schedules:
            for reason in REASONS:
                self._errors.setdefault((schedule.source.name, reason), 0)

    async def _keep_reading(self, schedule: Schedule) -> None:
        loop = asyncio.get_running_loop()
        await self._neighbours(schedule.after)
        due = loop.time()
        while True:
            async with self._turns.setdefault(id(schedule.source), asyncio.Lock()):
                retry_after = await self._read(schedule)
            due = max(due + max(schedule.interval_seconds, retry_after), loop.time())
            await asyncio.sleep(due - loop.time())

    async def _neighbours(self, after: Sequence[str]) -> None:
        """Wait until all of those that are read at all were tried once."""
        while any(
            each.source.name in after and each.source.name not in self._readings
            for each in self._schedules
        ):
            self._tried.clear()
            await self._tried.wait()

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
        self._tried.set()
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
        self._tried.set()

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


def _distinct(schedules: Sequence[Schedule]) -> None:
    names = [schedule.source.name for schedule in schedules]
    if len(set(names)) != len(names):
        raise ValueError(f"source names must differ: {', '.join(names)}")


async def _closed(source: Source) -> None:
    try:
        await source.close()
    except Exception:  # it is gone either way, and must not take the others along
        logger.exception("source did not close", extra={"source": source.name})
