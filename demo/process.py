"""Another process, held by a file descriptor, so that its number can be reused without harm."""

import os
import select
import signal
import time


class Process:
    """A process to wait for, to signal and to ask for its CPU time.

    Raises ProcessLookupError from the constructor if there is none with that number.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)
        # The kernel's name for the CPU clock of another process: clock_getcpuclockid(3).
        self._cpu_clock = (~pid << 3) | 2

    def ended(self, *, within: float | None = 0.0) -> bool:
        """Whether it ended, waiting up to `within` seconds for that (None: until it does)."""
        ready, _, _ = select.select([self._descriptor], [], [], within)
        return bool(ready)

    def send(self, signal_number: signal.Signals) -> None:
        """Signal it; nothing happens if it has ended."""
        try:
            signal.pidfd_send_signal(self._descriptor, signal_number)
        except ProcessLookupError:
            return

    def cpu_seconds(self) -> float:
        """CPU time of all its threads, user and system; raises ProcessLookupError once it ended."""
        try:
            return time.clock_gettime(self._cpu_clock)
        except OSError as error:
            raise ProcessLookupError(self.pid) from error
