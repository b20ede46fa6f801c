"""Replicas as groups of local processes: started, checked, adopted after a restart, and stopped.

The order that loses nothing at a kill: the record first, then each process with a mark in its
environment, then its pid in the record. A marked process that no record names is a stray, and ends.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp

from tidegauge.control.pools import proc
from tidegauge.control.pools.pool import FAILURES, Failure, Phase, PoolError, Replica
from tidegauge.control.pools.records import Record, Records

logger = logging.getLogger(__name__)

MARK = "TIDEGAUGE_REPLICA"  # environment variable of every process that a pool starts
_CHECK_SECONDS = 3.0
_BACKOFF_LIMIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Part:
    """One process of a replica; `{port}` and `{replica}` in its texts are filled in."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    ready: str


@dataclass(frozen=True, slots=True)
class ReplicaSpec:
    """What a replica is made of, and how patient to be with it (seconds)."""

    ports: tuple[str, ...]
    serve: str
    scrape: str
    parts: tuple[Part, ...]
    start_timeout_seconds: float
    unhealthy_timeout_seconds: float
    kill_grace_seconds: float


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
        self, spec: ReplicaSpec, directory: Path, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._spec = spec
        self._clock = clock
        self._records = Records(directory)
        self._children: set[int] = set()
        self._healthy: dict[str, bool] = {}
        self._unhealthy_since: dict[str, float] = {}
        self._failures: Counter[Failure] = Counter(dict.fromkeys(FAILURES, 0))
        self._failed_in_a_row = 0
        self._not_before = 0.0
        self._session: aiohttp.ClientSession | None = None

    def adopt(self) -> None:
        self._records.lock()
        self._end_strays()

    async def close(self) -> None:
        """Let go of the directory; the replicas run on."""
        if self._session:
            await self._session.close()
        self._records.close()

    async def replicas(self) -> Sequence[Replica]:
        records = self._records.all()
        answers = await asyncio.gather(*(self._answer(record) for record in records))
        names = (record.name for record in records)
        self._healthy = dict(zip(names, answers, strict=True))
        return [self._replica(self._look(record)) for record in records]

    async def resize(self, size: int, *, victims: Collection[str] = ()) -> None:
        self._reap()
        looks = [self._look(record) for record in self._records.all()]
        staying = [watched.record for watched in looks if self._tend(watched)]
        for record in staying:
            if record.name in victims:
                self._stop(record)
        staying = [record for record in staying if record.name not in victims]
        for record in staying[size:]:  # the youngest, where nobody said which
            self._stop(record)
        for _ in range(size - len(staying)):
            if self._clock() >= self._not_before:
                self._start()

    def failures(self) -> Mapping[Failure, int]:
        return dict(self._failures)

    # Watching.

    def _look(self, record: Record) -> _Watched:
        """Processes as they are now; answers as they were when `replicas` last asked."""
        healthy = self._healthy.get(record.name, False) and record.stopping_since is None
        return _Watched(record, healthy, self._failure(record, self._clock(), healthy=healthy))

    def _replica(self, watched: _Watched) -> Replica:
        record = watched.record
        return Replica(
            name=record.name,
            phase=watched.phase,
            healthy=watched.healthy,
            serve=f"127.0.0.1:{record.ports[self._spec.serve]}",
            scrape=f"127.0.0.1:{record.ports[self._spec.scrape]}",
        )

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

    def _failure(self, record: Record, now: float, *, healthy: bool) -> Failure | None:
        if record.stopping_since is not None:
            return None
        parts = [record.processes.get(part.name) for part in self._spec.parts]
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

    def _fail(self, record: Record, failure: Failure) -> None:
        self._failures[failure] += 1
        if record.serving_since is None:  # what never served may never do: try ever more slowly
            self._failed_in_a_row += 1
            pause = min(2.0**self._failed_in_a_row, _BACKOFF_LIMIT_SECONDS)
            self._not_before = self._clock() + pause
        details = {"replica": record.name, "reason": failure, "log_tail": self._tail(record)}
        logger.error("replica lost", extra=details)
        self._stop(record)

    def _tail(self, record: Record) -> str:
        try:
            lines = self._records.log(record.name).read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return lines[-1][:200] if lines else ""

    async def _answer(self, record: Record) -> bool:
        if record.stopping_since is not None:
            return False
        urls = [self._filled(record, part.ready) for part in self._spec.parts]
        return all(await asyncio.gather(*(self._answers(url) for url in urls)))

    async def _answers(self, url: str) -> bool:
        if self._session is None:
            connector = aiohttp.TCPConnector(force_close=True)
            timeout = aiohttp.ClientTimeout(total=_CHECK_SECONDS)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        try:
            async with self._session.get(url) as response:
                return response.ok
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    # Starting.

    def _start(self) -> None:
        name = secrets.token_hex(4)
        taken = {port for record in self._records.all() for port in record.ports.values()}
        record = Record(name, self._clock(), _free_ports(self._spec.ports, taken), {})
        self._records.write(record)
        for part in self._spec.parts:
            record = self._start_part(record, part)
        ports = " ".join(f"{each}:{port}" for each, port in record.ports.items())
        logger.info("replica started", extra={"replica": name, "ports": ports})

    def _start_part(self, record: Record, part: Part) -> Record:
        command = [self._filled(record, word) for word in part.command]
        env = {key: self._filled(record, value) for key, value in part.env.items()}
        env[MARK] = f"{self._records.directory}:{record.name}"
        try:
            pid = proc.spawn(command, env=env, log=self._records.log(record.name))
        except OSError as error:
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
            proc.signal_group(process, signal.SIGKILL)
            raise
        return record

    def _filled(self, record: Record, text: str) -> str:
        return text.format(replica=record.name, **record.ports)

    # Stopping.

    def _stop(self, record: Record) -> None:
        self._unhealthy_since.pop(record.name, None)
        self._records.write(replace(record, stopping_since=self._clock()))
        for process in record.processes.values():
            proc.signal_group(process, signal.SIGTERM)
        logger.info("replica stopping", extra={"replica": record.name})

    def _finish(self, record: Record, waited_seconds: float) -> None:
        left = [process for process in record.processes.values() if proc.group_alive(process)]
        if not left:
            self._records.remove(record)
            logger.info("replica stopped", extra={"replica": record.name})
        elif waited_seconds >= self._spec.kill_grace_seconds:
            for process in left:
                proc.signal_group(process, signal.SIGKILL)

    def _reap(self) -> None:
        self._children = {pid for pid in self._children if not proc.reap(pid)}

    def _end_strays(self) -> None:
        """Kill what an earlier controller started and had no time to record."""
        records = self._records.all()
        known = {process.pid for record in records for process in record.processes.values()}
        strays = proc.marked_groups(MARK, f"{self._records.directory}:") - known
        for group in strays:
            logger.warning("stray ended", extra={"process_group": group})
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        if records:
            names = ", ".join(record.name for record in records)
            logger.info("replicas adopted", extra={"replicas": names})


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
