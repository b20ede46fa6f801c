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
from dataclasses import replace
from pathlib import Path

from tidegauge.control.clock import since_boot
from tidegauge.control.pools import proc
from tidegauge.control.pools.checks import Checks
from tidegauge.control.pools.pool import FAILURES, Failure, PoolError, Replica
from tidegauge.control.pools.ports import free_ports
from tidegauge.control.pools.records import Record, Records
from tidegauge.control.pools.spec import Part, ReplicaSpec, filled
from tidegauge.control.pools.watching import Watched, Watching

logger = logging.getLogger(__name__)

MARK = "TIDEGAUGE_REPLICA"  # environment variable of every process: RUN_DIR:REPLICA:PART
_LONGEST_PAUSE = 6  # a replica that fails to start is tried again after 2, 4, … 64 seconds


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
        self._watching = Watching(
            start_timeout_seconds=spec.start_timeout_seconds,
            unhealthy_timeout_seconds=spec.unhealthy_timeout_seconds,
            clock=clock,
        )
        self._failures: Counter[Failure] = Counter(dict.fromkeys(FAILURES, 0))
        self._restarts = Counter(dict.fromkeys((p.name for p in spec.parts if p.restarts), 0))
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
            records = self._known()
            checks = (self._checks.failing(record.ready) for record in records.values())
            failing = await asyncio.gather(*checks)
            self._watching.note(dict(zip(records, failing, strict=True)))
            return [_replica(watched) for watched in self._looks()]
        except OSError as error:
            self._watching.forget()
            raise PoolError(f"{self._records.directory}: {error}") from error
        except PoolError:
            self._watching.forget()
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

    def restarts(self) -> Mapping[str, int]:
        return dict(self._restarts)

    def _converge(self, size: int, victims: Collection[str]) -> None:
        staying = [watched.record for watched in self._looks() if self._tend(watched)]
        for record in staying:
            if record.name in victims:
                self._stop(record)
        staying = [record for record in staying if record.name not in victims]
        # Where nobody said which: those that do not serve, then the youngest.
        worth = sorted(staying, key=lambda record: not self._watching.is_healthy(record.name))
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

    def _looks(self) -> list[Watched]:
        return self._watching.looks(self._records.all())

    def _tend(self, watched: Watched) -> bool:
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
        for part in self._spec.parts:
            if part.name in watched.broken:
                self._restart(record, part)
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
            serve=_local(ports[self._spec.serve]),
            scrape=_local(ports[self._spec.scrape]),
            backup=_local(ports[self._spec.backup]) if self._spec.backup else "",
            ready={part.name: filled(part.ready, name, ports) for part in self._spec.parts},
            restarts=frozenset(part.name for part in self._spec.parts if part.restarts),
            processes={},
        )

    def _restart(self, record: Record, part: Part) -> None:
        """Have a part again that the replica serves on without: end what hangs, then start it."""
        details = {"replica": record.name, "part": part.name}
        if hangs := self._marked(f"{record.name}:{part.name}"):
            proc.signal_groups(hangs, signal.SIGKILL)
            logger.error("part ended, since it does not answer", extra=details)
        else:
            self._start_part(record, part)
            self._watching.restarted(record.name, part.name)
            self._restarts[part.name] += 1
            logger.error("part started again", extra=details)

    def _start_part(self, record: Record, part: Part) -> Record:
        command = [filled(word, record.name, record.ports) for word in part.command]
        env = {k: filled(text, record.name, record.ports) for k, text in part.env.items()}
        env[MARK] = f"{self._records.directory}:{record.name}:{part.name}"
        try:
            pid = proc.spawn(command, env=env, log=self._records.log(record.name))
        except (OSError, ValueError) as error:
            if record.serving_since is None:
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


def _local(port: int) -> str:
    return f"127.0.0.1:{port}"


def _replica(watched: Watched) -> Replica:
    record = watched.record
    return Replica(
        name=record.name,
        phase=watched.phase,
        healthy=watched.healthy,
        serve=record.serve,
        scrape=record.scrape,
        backup=record.backup,
    )
