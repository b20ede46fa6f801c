"""A child process that reads answers and learns histories, so that the event loop waits for none.

Tasks and what they make cross its standard input and output as pickles: both ends are this program.
It ends with its input, so it never outlives who started it.
"""

import contextlib
import logging
import os
import pickle
import signal
import subprocess
import sys
from typing import TypeVar

from tidegauge.control.signals.task import Task

Made = TypeVar("Made")

logger = logging.getLogger(__name__)

_MODULE = "tidegauge.control.signals.child"
_END_SECONDS = 5.0


class Child:
    """Started when there is something to do. What it does takes time: for a thread."""

    def __init__(self) -> None:
        self._closed = False
        self._child: subprocess.Popen[bytes] | None = None

    def run(self, task: Task[Made]) -> Made:
        """What the task makes; without a child, by our own work."""
        try:
            return self._ask(task)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            if self._closed:
                raise
            self.rest()
            logger.warning("working without a child", extra={"error": repr(error)})
            return task.run()

    def rest(self) -> None:
        """Let the child end."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()  # first: who writes to it holds the pipe's lock until it reads or ends
        child.wait(_END_SECONDS)
        with contextlib.suppress(OSError):
            if child.stdin:
                child.stdin.close()
        if child.stdout:
            child.stdout.close()

    def close(self) -> None:
        """Let the child end, and whoever waits for it."""
        self._closed = True
        self.rest()

    def _ask(self, task: Task[Made]) -> Made:
        if self._child is None:
            command = [sys.executable, "-P", "-m", _MODULE]
            self._child = subprocess.Popen(  # noqa: S603 - our own module
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        child = self._child
        if child.stdin is None or child.stdout is None:
            raise EOFError
        pickle.dump(task, child.stdin)
        child.stdin.flush()
        made: Made = pickle.load(child.stdout)  # noqa: S301 - of our own child
        return made


def main() -> None:
    """The child: runs each task, until there are no more."""
    for number in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C and systemd reach all; we end with our
        signal.signal(number, signal.SIG_IGN)  # input
    while True:
        try:
            task: Task[object] = pickle.load(sys.stdin.buffer)  # noqa: S301 - of who started us
        except (EOFError, pickle.UnpicklingError):
            return
        try:
            pickle.dump(task.run(), sys.stdout.buffer)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            os._exit(0)  # nobody is there to be told, at exit neither


if __name__ == "__main__":
    main()
