"""Errors as lines on standard output. Whoever reads them may be slow, or gone: nobody waits."""

import os
import queue
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from tidegauge.errors.event import ErrorEvent
from tidegauge.forwarding.ecs import ecs_line
from tidegauge.forwarding.sink import RESULTS, Result

_LINES_MAX = 1000
_CLOSE_SECONDS = 2.0


class StandardOutput:
    """Writes ECS lines to a file descriptor in a thread, which may block there for ever.

    Not by O_NONBLOCK: the description is shared with other programs, such as the shell.
    """

    name = "ecs"

    def __init__(
        self, descriptor: int, now: Callable[[], datetime], *, lines_max: int = _LINES_MAX
    ) -> None:
        self._descriptor = descriptor
        self._now = now
        self._lines: queue.Queue[bytes | None] = queue.Queue(lines_max)
        self._results: Counter[Result] = Counter(dict.fromkeys(RESULTS, 0))
        self._thread = threading.Thread(target=self._write_all, name="ecs", daemon=True)
        self._thread.start()

    def send(self, event: ErrorEvent) -> None:
        try:
            self._lines.put_nowait(ecs_line(event, _spelled(self._now())))
        except queue.Full:
            self._results["dropped"] += 1
        else:
            self._results["accepted"] += 1

    def results(self) -> Mapping[Result, int]:
        return dict(self._results)

    def close(self) -> None:
        try:
            self._lines.put(None, timeout=_CLOSE_SECONDS)
        except queue.Full:
            return
        self._thread.join(_CLOSE_SECONDS)

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except OSError:  # nobody reads any more
                self._results["lost"] += 1


def _spelled(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
