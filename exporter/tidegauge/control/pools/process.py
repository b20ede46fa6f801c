"""Replicas as groups of local processes: started, checked, adopted after a restart, and stopped.

The order that loses nothing at a kill: the record first, then each process with a mark in its
environment, then its pid in the record. What is marked as a part that its record does not name as
started is a stray, and ends. A record outlives every process that bears its mark.
"""

import asyncio
import logging
import secrets
import signal
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tidegauge.control.clock import since_boot
from tidegauge.control.pools import proc
from tidegauge.control.pools.checks import Checks
from tidegauge.control.pools.pool import FAILURES, Failure, Phase, PoolError, Replica
from tidegauge.control.pools.ports import free_ports
from tidegauge.control.pools.records import Record, Records
from tidegauge.control.pools.spec import Part, ReplicaSpec, filled

logger = logging.getLogger(__name__)

MARK = "TIDEGAUGE_REPLICA"  # environment variable of every process: RUN_DIR:REPLICA:PART
_CHECKS_TO_FAIL = 3  # in a row, however long ago the first of them was
_LONGEST_PAUSE = 6  # a replica that fails to start is tried again after 2, 4, … 64 seconds


@dataclass(frozen=True, slots=True)
class _Watched:
    """A record, and what was found when its replica was looked at."""

    record: Record
    healthy: bool
    failure: Failure | None

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


class ProcessPool:
    """Implements Pool over one run directory."""

    def __init__(
        self, spec: ReplicaSpec, directory: Path, *, clock: Callable[[], float] = since_boot
    ) -> None:
        self._spec = spec
        self._clock = clock
        self._records = Records(directory)
        self._checks = Checks()
        self._children: set[int] = set()
        self._healthy: dict[str, bool] = {}
        self._failing: dict[str, _Failing] = {}
        self._failures: Counter[Failure] = Counter(dict.fromkeys(FAILURES, 0))
        self._failed_in_a_row = 0
        self._not_before = 0.0

    def adopt(self) -> None:
        self._records.lock()
        records = self._known()
        strays = [
            group
            for group, mark in self._marked().items()
            for name, _, part in [mark.partition(":")]
            if part not in records[name].processes
        ]
        proc.signal_groups(strays, signal.SIGKILL)
        if strays:
            logger.warning("strays ended", extra={"process_groups": strays})
        if records:
            logger.info("replicas adopted", extra={"replicas": " ".join(records)})

    async def close(self) -> None:
        """Let go of the directory; the replicas run on."""
        await self._checks.close()
        self._records.close()

    def wanted(self) -> int | None:
        return self._records.size()

    async def replicas(self) -> Sequence[Replica]:
        try:
            records = self._known().values()
            checks = (self._checks.all_pass(record.ready.values()) for record in records)
            answers = await asyncio.gather(*checks)
            names = (record.name for record in records)
            self._note(dict(zip(names, answers, strict=True)))
            return [_replica(watched) for watched in self._looks()]
        except OSError as error:
            self._failing.clear()
            raise PoolError(f"{self._records.directory}: {error}") from error
        except PoolError:
            self._failing.clear()  # what cannot be watched is not known to fail without a break
            raise

    async def resize(self, size: int, *, victims: Collection[str] = ()) -> None:
        self._children = {pid for pid in self._children if not proc.reap(pid)}
        try:
            self._records.write_size(size)
            self._converge(size, victims)
        except OSError as error:
            raise PoolError(f"{self._records.directory}: {error}") from error

    def failures(self) -> Mapping[Failure, int]:
        return dict(self._failures)

    def _converge(self, size: int, victims: Collection[str]) -> None:
        staying = [watched.record for watched in self._looks() if self._tend(watched)]
        for record in staying:
            if record.name in victims:
                self._stop(record)
        staying = [record for record in staying if record.name not in victims]
        # Where nobody said which: those that do not serve, then the youngest.
        worth = sorted(staying, key=lambda record: not self._healthy.get(record.name, False))
        for record in worth[size:]:
            self._stop(record)
        for _ in range(size - len(staying)):
            if self._clock() >= self._not_before:
                self._start()

    # Watching.

    def _known(self) -> dict[str, Record]:
        """Every record, by name.

        Raises:
            PoolError: replicas run that no record knows. The records are lost, and neither to end
                what may well be serving nor to start it again is for us.
        """
        records = {record.name: record for record in self._records.all()}
        marked = self._marked().items()
        if lost := sorted(group for group, mark in marked if mark.partition(":")[0] not in records):
            raise PoolError(
                f"{self._records.directory}: no record names the replicas that process groups "
                f"{', '.join(map(str, lost))} belong to; restore the folder, or end them"
            )
        return records

    def _note(self, healthy: dict[str, bool]) -> None:
        """Remember what the checks said, and for how long they have failed."""
        self._healthy = healthy
        failing = {name: self._failing.get(name) for name, well in healthy.items() if not well}
        self._failing = {
            name: _Failing(before.since, before.times + 1) if before else _Failing(self._clock(), 1)
            for name, before in failing.items()
        }

    def _looks(self) -> list[_Watched]:
        """Processes as they are now; answers as they were when `replicas` last asked.

        Checks that fail are doubtful evidence, and may be our own fault: one replica goes for
        them at a time, and only while nothing else changes.
        """
        looks = [self._look(record) for record in self._records.all()]
        ill = [watched for watched in looks if watched.failure == "unhealthy"]
        changing = any(watched.phase != "serving" for watched in looks if watched not in ill)
        spared = ill if changing else ill[1:]
        return [replace(w, failure=None) if w in spared else w for w in looks]

    def _look(self, record: Record) -> _Watched:
        healthy = self._healthy.get(record.name, False) and record.stopping_since is None
        return _Watched(record, healthy, self._failure(record))

    def _failure(self, record: Record) -> Failure | None:
        if record.stopping_since is not None:
            return None
        parts = [record.processes.get(part) for part in record.ready]
        if not all(process is not None and proc.alive(process) for process in parts):
            return "died"
        failing = self._failing.get(record.name)
        if failing is None:
            return None
        if record.serving_since is None:
            late = self._clock() - record.created >= self._spec.start_timeout_seconds
            return "start_timeout" if late else None
        lasts = self._clock() - failing.since >= self._spec.unhealthy_timeout_seconds
        return "unhealthy" if lasts and failing.times >= _CHECKS_TO_FAIL else None

    def _tend(self, watched: _Watched) -> bool:
        """Do what the replica's state asks for; whether it stays."""
        record, now = watched.record, self._clock()
        if record.stopping_since is not None:
            self._finish(record, now - record.stopping_since)
            return False
        if watched.failure:
            self._fail(record, watched.failure)
            return False
        if watched.healthy and record.serving_since is None:
            self._records.write(replace(record, serving_since=now))
            self._failed_in_a_row = 0
            took = now - record.created
            logger.info("replica ready", extra={"replica": record.name, "after_seconds": took})
        return True

    def _fail(self, record: Record, failure: Failure) -> None:
        self._stop(record)
        self._failures[failure] += 1
        if record.serving_since is None:  # what never served may never do: try ever more slowly
            self._failed_in_a_row += 1
            self._not_before = self._clock() + 2.0 ** min(self._failed_in_a_row, _LONGEST_PAUSE)
        # The log itself is not quoted: an engine may have printed a prompt.
        log = str(self._records.log(record.name))
        details = {"replica": record.name, "reason": failure, "log": log}
        logger.error("replica lost", extra=details)

    # Starting.

    def _start(self) -> None:
        record = self._new_record()
        self._records.write(record)
        for part in self._spec.parts:
            record = self._start_part(record, part)
        ports = " ".join(f"{each}:{port}" for each, port in record.ports.items())
        logger.info("replica started", extra={"replica": record.name, "ports": ports})

    def _new_record(self) -> Record:
        name = f"{self._spec.pool}-{secrets.token_hex(4)}"
        taken = {port for record in self._records.all() for port in record.ports.values()}
        ports = free_ports(self._spec.ports, taken)
        return Record(
            name=name,
            created=self._clock(),
            ports=ports,
            serve=f"127.0.0.1:{ports[self._spec.serve]}",
            scrape=f"127.0.0.1:{ports[self._spec.scrape]}",
            ready={part.name: filled(part.ready, name, ports) for part in self._spec.parts},
            processes={},
        )

    def _start_part(self, record: Record, part: Part) -> Record:
        command = [filled(word, record.name, record.ports) for word in part.command]
        env = {k: filled(text, record.name, record.ports) for k, text in part.env.items()}
        env[MARK] = f"{self._records.directory}:{record.name}:{part.name}"
        try:
            pid = proc.spawn(command, env=env, log=self._records.log(record.name))
        except (OSError, ValueError) as error:
            self._fail(record, "died")
            raise PoolError(f"{part.name}: cannot start {command[0]!r}: {error}") from None
        self._children.add(pid)
        process = proc.identify(pid)
        if process is None:
            return record  # gone already: without a process in its record it counts as died
        record = record.with_process(part.name, process)
        try:
            self._records.write(record)
        except PoolError:  # a full disk: what cannot be recorded must not run
            proc.signal_groups([pid], signal.SIGKILL)
            raise
        return record

    # Stopping.

    def _stop(self, record: Record) -> None:
        self._records.write(replace(record, stopping_since=self._clock()))
        proc.signal_groups(self._groups(record), signal.SIGTERM)
        logger.info("replica stopping", extra={"replica": record.name})

    def _finish(self, record: Record, waited_seconds: float) -> None:
        left = self._groups(record)
        if not left:
            self._records.remove(record)
            logger.info("replica stopped", extra={"replica": record.name})
        elif waited_seconds >= self._spec.kill_grace_seconds:
            proc.signal_groups(left, signal.SIGKILL)

    def _groups(self, record: Record) -> set[int]:
        """Process groups of the replica that still run, those of its children included."""
        recorded = {each.pid for each in record.processes.values() if proc.group_alive(each)}
        return recorded | self._marked(f"{record.name}:").keys()

    def _marked(self, prefix: str = "") -> dict[int, str]:
        return proc.marked_groups(MARK, f"{self._records.directory}:{prefix}")


def _replica(watched: _Watched) -> Replica:
    record = watched.record
    return Replica(
        name=record.name,
        phase=watched.phase,
        healthy=watched.healthy,
        serve=record.serve,
        scrape=record.scrape,
    )
