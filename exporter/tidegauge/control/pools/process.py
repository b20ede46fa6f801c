"""Replicas as groups of local processes: started, checked, adopted after a restart, and stopped.

The order that loses nothing at a kill: the record first, then each process with a mark in its
environment, then its pid in the record. What is marked as a part that its record does not name as
started is a stray, and ends. A record outlives every process that bears its mark.
"""

import asyncio
import logging
import secrets
import signal
import socket
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tidegauge.control.clock import since_boot
from tidegauge.control.pools import proc
from tidegauge.control.pools.checks import Checks
from tidegauge.control.pools.pool import FAILURES, Failure, Phase, PoolError, Replica
from tidegauge.control.pools.records import Record, Records
from tidegauge.control.pools.spec import Part, ReplicaSpec

logger = logging.getLogger(__name__)

MARK = "TIDEGAUGE_REPLICA"  # environment variable of every process: RUN_DIR:REPLICA:PART
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
        return "starting" if self.record.serving_since is None and not self.healthy else "serving"


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
        self._unhealthy_since: dict[str, float] = {}
        self._failures: Counter[Failure] = Counter(dict.fromkeys(FAILURES, 0))
        self._failed_in_a_row = 0
        self._not_before = 0.0

    def adopt(self) -> None:
        self._records.lock()
        self._end_strays()

    async def close(self) -> None:
        """Let go of the directory; the replicas run on."""
        await self._checks.close()
        self._records.close()

    def wanted(self) -> int | None:
        return self._records.size()

    async def replicas(self) -> Sequence[Replica]:
        records = self._records.all()
        checks = (self._checks.all_pass(record.ready.values()) for record in records)
        names = (record.name for record in records)
        self._healthy = dict(zip(names, await asyncio.gather(*checks), strict=True))
        return [_replica(self._look(record)) for record in records]

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
        staying = self._tended([self._look(record) for record in self._records.all()])
        for record in staying:
            if record.name in victims:
                self._stop(record)
        staying = [record for record in staying if record.name not in victims]
        for record in staying[size:]:  # the youngest, where nobody said which
            self._stop(record)
        for _ in range(size - len(staying)):
            if self._clock() >= self._not_before:
                self._start()

    # Watching.

    def _look(self, record: Record) -> _Watched:
        """Processes as they are now; answers as they were when `replicas` last asked."""
        healthy = self._healthy.get(record.name, False) and record.stopping_since is None
        return _Watched(record, healthy, self._failure(record, self._clock(), healthy=healthy))

    def _failure(self, record: Record, now: float, *, healthy: bool) -> Failure | None:
        if record.stopping_since is not None:
            return None
        parts = [record.processes.get(part) for part in record.ready]
        if not all(process is not None and proc.alive(process) for process in parts):
            return "died"
        if healthy:
            self._unhealthy_since.pop(record.name, None)
            return None
        since = self._unhealthy_since.setdefault(record.name, now)
        if record.serving_since is None:
            late = now - record.created >= self._spec.start_timeout_seconds
            return "start_timeout" if late else None
        return "unhealthy" if now - since >= self._spec.unhealthy_timeout_seconds else None

    def _tended(self, looks: Sequence[_Watched]) -> list[Record]:
        """Do what each replica's state asks for; those that stay."""
        staying = []
        unhealthy = [watched for watched in looks if watched.failure == "unhealthy"]
        for watched in looks:
            if watched.record.stopping_since is not None:
                self._finish(watched.record, self._clock() - watched.record.stopping_since)
            elif watched.failure and watched not in unhealthy[1:]:  # one at a time
                self._fail(watched.record, watched.failure)
            else:
                staying.append(self._settled(watched))
        return staying

    def _settled(self, watched: _Watched) -> Record:
        """Note that a replica serves, when it first does."""
        record, now = watched.record, self._clock()
        if not watched.healthy or record.serving_since is not None:
            return record
        record = replace(record, serving_since=now)
        self._records.write(record)
        self._failed_in_a_row = 0
        took = now - record.created
        logger.info("replica ready", extra={"replica": record.name, "after_seconds": took})
        return record

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
        ports = _free_ports(self._spec.ports, taken)
        return Record(
            name=name,
            created=self._clock(),
            ports=ports,
            serve=f"127.0.0.1:{ports[self._spec.serve]}",
            scrape=f"127.0.0.1:{ports[self._spec.scrape]}",
            ready={part.name: _filled(part.ready, name, ports) for part in self._spec.parts},
            processes={},
        )

    def _start_part(self, record: Record, part: Part) -> Record:
        command = [_filled(word, record.name, record.ports) for word in part.command]
        env = {k: _filled(text, record.name, record.ports) for k, text in part.env.items()}
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
        self._unhealthy_since.pop(record.name, None)
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

    def _end_strays(self) -> None:
        """Kill what an earlier controller started and had no time to record.

        Raises:
            PoolError: replicas run that no record knows: the records are lost, and to kill what
                may well be serving is not for us.
        """
        records = {record.name: record for record in self._records.all()}
        marked = {group: mark.split(":") for group, mark in self._marked().items()}
        if lost := sorted(group for group, (name, *_) in marked.items() if name not in records):
            raise PoolError(
                f"{self._records.directory}: no record names the replicas that process groups "
                f"{', '.join(map(str, lost))} belong to; restore the folder, or end them"
            )
        strays = [g for g, (name, part) in marked.items() if part not in records[name].processes]
        proc.signal_groups(strays, signal.SIGKILL)
        if strays:
            logger.warning("strays ended", extra={"process_groups": strays})
        if records:
            logger.info("replicas adopted", extra={"replicas": " ".join(records)})


def _replica(watched: _Watched) -> Replica:
    record = watched.record
    return Replica(
        name=record.name,
        phase=watched.phase,
        healthy=watched.healthy,
        serve=record.serve,
        scrape=record.scrape,
    )


def _filled(text: str, name: str, ports: Mapping[str, int]) -> str:
    return text.format(replica=name, **ports)


def _free_ports(names: Sequence[str], taken: Collection[int]) -> dict[str, int]:
    """A free loopback port for each name, none of them in `taken`."""
    ports: dict[str, int] = {}
    while len(ports) < len(names):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in taken and port not in ports.values():
            ports[names[len(ports)]] = port
    return ports
