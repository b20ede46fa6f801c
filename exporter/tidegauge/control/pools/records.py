"""The run directory: one JSON file per replica, written before its processes and removed after.

A record is written whole or not at all (rename), so a kill at any moment leaves the old one or the
new one. One controller at a time: the directory is locked while it is in charge. A directory that
cannot be read is an error, never an empty pool.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from tidegauge.control.pools.pool import PoolError
from tidegauge.control.pools.proc import Process, boot

_FORMAT = 1
_LOGS_KEPT = 10  # of replicas that are gone
_SIZE = "size"


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of a replica: enough to judge it, whatever the configuration says now.

    `ready` maps each part's name to the URL that says whether it can serve, `processes` to its
    process; a part that is missing there was never recorded as started. `restarts` are the parts
    that it serves on without. `serve`, `scrape` and `backup` (or "") are HOST:PORT. Times are
    seconds since boot, None until it happened.
    """

    name: str
    created: float
    ports: Mapping[str, int]
    serve: str
    scrape: str
    ready: Mapping[str, str]
    processes: Mapping[str, Process]
    serving_since: float | None = None
    stopping_since: float | None = None
    backup: str = ""
    restarts: frozenset[str] = frozenset()

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
            for unfinished in self.directory.glob("*.new"):  # of a controller that was killed
                unfinished.unlink()
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
        """Every record, oldest first.

        Raises:
            PoolError: the directory cannot be read, or a record is none; it is never guessed at.
        """
        paths = [self.directory / name for name in self._names() if name.endswith(".json")]
        return sorted(map(_read, paths), key=lambda record: (record.created, record.name))

    def write(self, record: Record) -> None:
        """Write a record, whole.

        Raises:
            PoolError: it could not be written, as on a full disk; the old one still stands.
        """
        tree = {"format": _FORMAT, "boot": boot(), **asdict(record)}
        tree["restarts"] = sorted(record.restarts)
        self._write(f"{record.name}.json", json.dumps(tree, indent=1))

    def remove(self, record: Record) -> None:
        """Forget a replica. Its log stays for the post-mortem, with those of a few before it.

        Raises:
            PoolError: it could not be removed.
        """
        try:
            (self.directory / f"{record.name}.json").unlink(missing_ok=True)
            for log in self._logs_of_the_gone()[:-_LOGS_KEPT]:
                log.unlink(missing_ok=True)
        except OSError as error:
            raise PoolError(f"{self.directory}: cannot be cleared: {error.strerror}") from None

    def size(self) -> int | None:
        """The size that was asked for last; None if nobody ever did."""
        try:
            return int((self.directory / _SIZE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def write_size(self, size: int) -> None:
        """Remember a size.

        Raises:
            PoolError: it could not be written.
        """
        if size != self.size():
            self._write(_SIZE, f"{size}\n")

    def log(self, name: str) -> Path:
        """Where the output of a replica's processes goes."""
        return self.directory / f"{name}.log"

    def _names(self) -> list[str]:
        try:
            return [path.name for path in self.directory.iterdir()]
        except FileNotFoundError:
            if self._lock is None:  # nobody was ever in charge here
                return []
            raise PoolError(f"{self.directory}: is gone, and the pool's records with it") from None
        except OSError as error:
            raise PoolError(f"{self.directory}: cannot be read: {error.strerror}") from None

    def _logs_of_the_gone(self) -> list[Path]:
        names = set(self._names())
        gone = [n for n in names if n.endswith(".log") and f"{n[:-4]}.json" not in names]
        paths = [self.directory / name for name in gone]
        return sorted(paths, key=lambda path: path.lstat().st_mtime)

    def _write(self, name: str, text: str) -> None:
        path, new = self.directory / name, self.directory / f"{name}.new"
        try:
            with new.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                new.unlink()
            raise PoolError(f"{path}: cannot be written: {error.strerror}") from None


def _read(path: Path) -> Record:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        if tree["format"] != _FORMAT:
            raise PoolError(f"{path}: format {tree['format']} is not {_FORMAT}; move it away")
        # After a reboot nothing of it runs, and its pids are somebody else's.
        started = tree["processes"] if tree["boot"] == boot() else {}
        return Record(
            name=str(tree["name"]),
            created=float(tree["created"]),
            ports={name: int(port) for name, port in tree["ports"].items()},
            serve=str(tree["serve"]),
            scrape=str(tree["scrape"]),
            ready={str(part): str(url) for part, url in tree["ready"].items()},
            processes={
                part: Process(int(process["pid"]), int(process["start"]))
                for part, process in started.items()
            },
            serving_since=_moment(tree["serving_since"]),
            stopping_since=_moment(tree["stopping_since"]),
            # Not in records of tidegauge 0.1, whose replicas had neither.
            backup=str(tree.get("backup", "")),
            restarts=frozenset(map(str, tree.get("restarts", ()))),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PoolError(f"{path}: is no replica record ({error!r}); move it away") from None


def _moment(value: float | None) -> float | None:
    return None if value is None else float(value)
