"""What becomes of replicas: from their records, their processes and their checks to a judgement."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tidegauge.control.pools import proc
from tidegauge.control.pools.pool import Failure, Phase
from tidegauge.control.pools.records import Record

_CHECKS_TO_FAIL = 3  # in a row, however long ago the first of them was


@dataclass(frozen=True, slots=True)
class Watched:
    """A record, and what was found when its replica was looked at.

    `broken` are the parts that the replica serves on without, and that are to be started again.
    """

    record: Record
    healthy: bool
    failure: Failure | None
    broken: frozenset[str] = frozenset()

    @property
    def phase(self) -> Phase:
        if self.failure or self.record.stopping_since is not None:
            return "stopping"
        return "starting" if self.record.serving_since is None else "serving"


@dataclass(frozen=True, slots=True)
class _Failing:
    """Checks that failed one after the other: since when, and how many."""

    since: float
    times: int


class Watching:
    """Remembers for how long which checks have failed. Seconds are those of `clock`."""

    def __init__(
        self,
        *,
        start_timeout_seconds: float,
        unhealthy_timeout_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._start_timeout = start_timeout_seconds
        self._unhealthy_timeout = unhealthy_timeout_seconds
        self._clock = clock
        self._healthy: dict[str, bool] = {}
        self._failing: dict[tuple[str, str], _Failing] = {}
        self._given_until: dict[tuple[str, str], float] = {}  # to parts that were started again

    def note(self, failing: Mapping[str, frozenset[str]]) -> None:
        """What every replica's checks just said: the parts that do not pass, by replica."""
        self._healthy = {name: not parts for name, parts in failing.items()}
        given = self._given_until.items()
        self._given_until = {key: until for key, until in given if key[0] in failing}
        first = _Failing(self._clock(), 0)
        keys = ((name, part) for name, parts in failing.items() for part in parts)
        known = {key: self._failing.get(key, first) for key in keys}
        self._failing = {key: _Failing(was.since, was.times + 1) for key, was in known.items()}

    def restarted(self, name: str, part: str) -> None:
        """A part was started again, and gets the time that a start may take."""
        self._given_until[name, part] = self._clock() + self._start_timeout

    def forget(self) -> None:
        """What cannot be watched is not known to fail without a break."""
        self._failing.clear()

    def is_healthy(self, name: str) -> bool:
        """Whether every check of the replica passed."""
        return self._healthy.get(name, False)

    def looks(self, records: Sequence[Record]) -> list[Watched]:
        """Processes as they are now; answers as they were when last noted.

        Checks that fail are doubtful evidence, and may be our own fault: one replica goes for
        them at a time, and only while nothing else changes.
        """
        looks = [self._look(record) for record in records]
        ill = [watched for watched in looks if watched.failure == "unhealthy"]
        changing = any(watched.phase != "serving" for watched in looks if watched not in ill)
        spared = ill if changing else ill[1:]
        return [replace(w, failure=None) if w in spared else w for w in looks]

    def _look(self, record: Record) -> Watched:
        healthy = self.is_healthy(record.name) and record.stopping_since is None
        return Watched(record, healthy, self._failure(record), self._broken(record))

    def _failure(self, record: Record) -> Failure | None:
        if record.stopping_since is not None:
            return None
        if record.serving_since is None:
            needed = set(record.ready)
        else:
            needed = record.ready.keys() - record.restarts
        if not all(_runs(record, part) for part in needed):
            return "died"
        if record.serving_since is None:
            late = self._clock() - record.created >= self._start_timeout
            return "start_timeout" if late and not self.is_healthy(record.name) else None
        return "unhealthy" if any(self._long_ill(record, part) for part in needed) else None

    def _broken(self, record: Record) -> frozenset[str]:
        if record.serving_since is None or record.stopping_since is not None:
            return frozenset()
        return frozenset(
            part
            for part in record.restarts
            if not _runs(record, part)
            or (self._long_ill(record, part) and self._was_given_time(record, part))
        )

    def _was_given_time(self, record: Record, part: str) -> bool:
        return self._clock() >= self._given_until.get((record.name, part), 0.0)

    def _long_ill(self, record: Record, part: str) -> bool:
        failing = self._failing.get((record.name, part))
        if failing is None:
            return False
        lasts = self._clock() - failing.since >= self._unhealthy_timeout
        return lasts and failing.times >= _CHECKS_TO_FAIL


def _runs(record: Record, part: str) -> bool:
    process = record.processes.get(part)
    return process is not None and proc.alive(process)
