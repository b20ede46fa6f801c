"""Processes as the kernel knows them: a pid is only an identity together with its start time.

Linux only, through /proc. An OSError from here means that it could not be told.
"""

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
# What is gone, or somebody else's. Anything else (no file descriptor left, say) is no answer.
_NOT_OURS = (FileNotFoundError, ProcessLookupError, PermissionError)
_STATE, _GROUP, _START = 0, 2, 19  # fields of /proc/PID/stat after the command's name


@dataclass(frozen=True, slots=True)
class Process:
    """A process, and the clock tick since boot at which it started."""

    pid: int
    start: int


def spawn(command: Sequence[str], *, env: Mapping[str, str], log: Path) -> int:
    """Start `command` as leader of a session and process group of its own; its pid.

    Its output is appended to `log`. It outlives us, so it is no subprocess.Popen, which would
    want to see it end.

    Raises:
        OSError: the program or the log cannot be opened.
    """
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.posix_spawnp(
        command[0],
        list(command),
        {**os.environ, **env},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o640),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # Python ignores them, and so would the child
    )


def reap(pid: int) -> bool:
    """Whether a child has ended; then its corpse is gone too."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def identify(pid: int) -> Process | None:
    """The process that has this pid now; None if there is none, or only its corpse."""
    stat = _stat(pid)
    return Process(pid, int(stat[_START])) if stat and stat[_STATE] not in "ZX" else None


def alive(process: Process) -> bool:
    """Whether this very process is still running; a pid used again does not count."""
    return identify(process.pid) == process


def group_alive(process: Process) -> bool:
    """Whether the process or any member of the group that it leads is still running."""
    now = identify(process.pid)
    if now is not None:
        return now == process  # else the kernel gave the pid to somebody else: the group is gone
    return any(_members(process.pid))


def boot() -> str:
    """What names the time since the last boot."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def marked_groups(name: str, prefix: str) -> dict[int, str]:
    """Process groups with a member whose environment variable `name` starts with `prefix`.

    Each with what follows the prefix. A child that leads a group of its own has its parent's mark.
    """
    return dict(_marked(f"{name}={prefix}".encode()))


def signal_groups(groups: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to process groups; one that is gone, or is not ours to end, is passed over."""
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
            if number is signal.SIGTERM:
                os.killpg(group, signal.SIGCONT)  # a stopped process hears no SIGTERM


def _marked(wanted: bytes) -> Iterator[tuple[int, str]]:
    for pid in _pids():
        try:
            environment = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
        except _NOT_OURS:
            continue
        stat = _stat(pid)
        found = next((each for each in environment if each.startswith(wanted)), None)
        if found is not None and stat and stat[_STATE] not in "ZX":
            yield int(stat[_GROUP]), os.fsdecode(found.removeprefix(wanted))


def _members(leader: int) -> Iterator[int]:
    for pid in _pids():
        stat = _stat(pid)
        if stat and int(stat[_GROUP]) == leader and stat[_STATE] not in "ZX":
            yield pid


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())


def _stat(pid: int) -> list[str] | None:
    try:
        # A process may call itself anything, half a character included.
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except _NOT_OURS:
        return None
    return text.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
