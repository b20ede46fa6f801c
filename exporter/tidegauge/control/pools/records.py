"""The run directory: one JSON file per replica, written before its processes and removed after.

A record is written whole or not at all (rename), so a kill at any moment leaves the old one or the
new one. One controller at a time: the directory is locked while it is open.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from tidegauge.control.pools.pool import PoolError
from tidegauge.control.pools.proc import Process

_FORMAT = 1
_LOGS_KEPT = 10  # of replicas that are gone


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of a replica.

    `processes` maps a part's name to its process; a part that is missing was never recorded as
    started. Times are Unix seconds, None until it happened.
    """

    name: str
    created: float
    ports: Mapping[str, int]
    processes: Mapping[str, Process]
    serving_since: float | None = None
    stopping_since: float | None = None

    def with_process(self, part: str, process: Process) -> Self:
        return replace(self, processes={**self.processes, part: process})


class Records:
    """The records in one directory. Reading needs no lock; writing does."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self._lock: int | None = None

    def lock(self) -> None:
        """Create the directory and keep others out until `close()` or the end of this process.

        Raises:
            PoolError: another controller holds it, or it cannot be written.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"{self.directory}: another tidegauge control runs this pool; stop it first"
            raise PoolError(message) from None
        except OSError as error:
            raise PoolError(f"{self.directory}: cannot be used: {error.strerror}") from None

    def close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def all(self) -> list[Record]:
        """Every readable record, oldest first.

        Raises:
            PoolError: a record is not ours to read; it is never guessed at.
        """
        records = [_read(path) for path in self.directory.glob("*.json")]
        return sorted(records, key=lambda record: (record.created, record.name))

    def write(self, record: Record) -> None:
        """Write a record, whole.

        Raises:
            PoolError: it could not be written, as on a full disk; the old one still stands.
        """
        path, new = self._path(record.name), self._path(record.name).with_suffix(".new")
        text = json.dumps({"format": _FORMAT, **asdict(record)}, indent=1)
        try:
            with new.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except OSError as error:
            new.unlink(missing_ok=True)
            raise PoolError(f"{path}: cannot be written: {error.strerror}") from None

    def remove(self, record: Record) -> None:
        """Forget a replica. Its log stays for the post-mortem, with those of a few before it."""
        self._path(record.name).unlink(missing_ok=True)
        logs = [
            log for log in self.directory.glob("*.log") if not log.with_suffix(".json").exists()
        ]
        for log in sorted(logs, key=lambda log: log.stat().st_mtime)[:-_LOGS_KEPT]:
            log.unlink(missing_ok=True)

    def log(self, name: str) -> Path:
        """Where the output of a replica's processes goes."""
        return self.directory / f"{name}.log"

    def _path(self, name: str) -> Path:
        return self.directory / f"{name}.json"


def _read(path: Path) -> Record:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        if tree["format"] != _FORMAT:
            raise PoolError(f"{path}: format {tree['format']} is not {_FORMAT}; move it away")
        processes = {
            part: Process(int(process["pid"]), int(process["start"]))
            for part, process in tree["processes"].items()
        }
        return Record(
            name=str(tree["name"]),
            created=float(tree["created"]),
            ports={name: int(port) for name, port in tree["ports"].items()},
            processes=processes,
            serving_since=tree["serving_since"],
            stopping_since=tree["stopping_since"],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PoolError(f"{path}: is no replica record ({error!r}); move it away") from None
