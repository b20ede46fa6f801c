"""How much CPU a demo replica may use, kept by a warden: a small process of its own beside it.

The warden lives exactly as long as the process that it watches, however that one ends, and takes
away what it made. It ignores what is sent to the whole process group, so that a stopped engine is
always continued to hear its own SIGTERM.
"""

import contextlib
import os
import signal
from collections.abc import Callable
from typing import Literal, NoReturn

from demo import cgroup
from demo.duty import duty_cycle
from demo.process import Process

Mechanism = Literal["auto", "cgroup", "duty"]


class AllowanceError(Exception):
    """The process could not be held to its allowance."""


def limit_cpu(cores: float, *, mechanism: Mechanism = "auto") -> str:
    """Hold the calling process, and all its later threads, to `cores`; return what does it.

    "auto" takes a cgroup quota where one can be written, else the duty cycle. Call it before any
    thread is started: it forks. Raises AllowanceError.
    """
    if not 0 < cores <= (os.cpu_count() or 1):
        raise AllowanceError(f"{cores} cores: must be above 0 and at most {os.cpu_count()}")
    ours, theirs = os.pipe()
    watched = os.getpid()
    if os.fork() == 0:
        _stand_guard(watched, cores, mechanism, report=theirs)
    os.close(theirs)
    with os.fdopen(ours, "r") as reports:
        outcome, _, reason = reports.read().partition(": ")
    if outcome not in ("cgroup", "duty"):
        raise AllowanceError(f"{mechanism}: {reason or 'its warden ended'}")
    return outcome


def _stand_guard(watched: int, cores: float, mechanism: Mechanism, *, report: int) -> NoReturn:
    status = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        process = Process(watched)
        if (
            os.getppid() == watched
        ):  # else it ended before we held it, and the number may be another's
            _release_streams()
            _guard(process, cores, mechanism, say=lambda text: _say_once(report, text))
            status = 0
    finally:
        os._exit(status)


def _guard(
    process: Process, cores: float, mechanism: Mechanism, *, say: Callable[[str], None]
) -> None:
    if mechanism != "duty":
        try:
            group = cgroup.confine(process.pid, cores)
        except cgroup.CgroupError as error:
            if mechanism == "cgroup":
                say(f"error: {error}")
                return
        else:
            say("cgroup")
            process.ended(within=None)
            cgroup.remove(group)
            return
    say("duty")
    duty_cycle(process, cores)


def _say_once(descriptor: int, text: str) -> None:
    with os.fdopen(descriptor, "w") as report, contextlib.suppress(BrokenPipeError):
        report.write(text)


def _release_streams() -> None:
    """Whoever reads the engine's output sees its end when the engine ends, not when we do."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
