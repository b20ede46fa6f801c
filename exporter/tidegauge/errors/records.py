"""Lines joined to records: a message and, of a traceback below it, the line that names the error.

No clock, no network, no logging: same arguments, same answer. What lies between (source code,
variables, the second line of a prompt that an engine logged) is dropped where it is read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tidegauge.errors.severity import MESSAGE_CHARACTERS, Head, Level, guessed, head_of

_TRACEBACK = "Traceback (most recent call last)"
# A line that starts something of its own although it says neither time nor level.
_CRASHES = (
    "terminate called",
    "CUDA error",
    "CUDA_ERROR",
    "NCCL error",
    "ggml_",
    "GGML_ASSERT",
    "Fatal Python error",
    "Segmentation fault",
    "Bus error",
    "Killed",
    "Process ",
)
_BEGINNINGS = (
    *_CRASHES,
    _TRACEBACK,
    "RuntimeError: ",
    "torch.OutOfMemoryError: ",
    "torch.cuda.OutOfMemoryError: ",
)
_RAISED = re.compile(r"(?:(?:[A-Za-z_]\w{0,63}\.){1,8}[A-Za-z_]\w{0,63}|[A-Z]\w{0,63})(?::\s|$)")
_HARMLESS: frozenset[Level] = frozenset({"debug", "info"})
_CHAINED = ("During handling of the above", "The above exception was the direct")


@dataclass(frozen=True, slots=True)
class Record:
    """One event of a log. Its texts are raw: they go to the miner, and nowhere else."""

    level: Level
    message: str
    ending: str = ""

    def __repr__(self) -> str:
        return f"Record({self.level})"


class Joiner:
    """Feeds on the lines of one stream, in order."""

    def __init__(self) -> None:
        self._open: _Open | None = None

    def feed(self, line: str) -> Iterator[Record]:
        """The records that this line shows to be over."""
        head = head_of(line)
        if head is not None:
            if self._open is None or not self._open.goes_on(head):
                yield from self.flush()
                self._open = _Open(head.level, head.stamp, head.message, ending=head.ending)
            return
        if self._open is not None and self._open.takes(line):
            return
        if not line.strip():
            return
        yield from self.flush()
        message = line[:MESSAGE_CHARACTERS]
        self._open = _Open(guessed(message), None, message)

    def flush(self) -> Iterator[Record]:
        """The record that was being joined: nothing more of it came in time."""
        if self._open is not None:
            was, self._open = self._open, None
            yield was.record()


class _Open:
    """A record while it is joined. `stamp` is None where it began without one."""

    def __init__(self, level: Level, stamp: str | None, message: str, *, ending: str = "") -> None:
        self._level = level
        self._stamp = stamp
        self._message = message
        self._ending = ending
        self._tracing = message.startswith(_TRACEBACK)

    def goes_on(self, head: Head) -> bool:
        """Whether a line with a head belongs here: vLLM stamps every line of a traceback alike."""
        alike = bool(head.stamp) and head.stamp == self._stamp
        if not alike or not (self._tracing or head.message.startswith((" ", _TRACEBACK))):
            return False
        self._follow(head.message)
        return True

    def takes(self, line: str) -> bool:
        """Whether a line without a head belongs here."""
        if line.startswith(_TRACEBACK):
            # Below a message of no harm it is somebody else's, who writes to the same place.
            if self._tracing or self._stamp is None or self._level in _HARMLESS:
                return self._tracing and not self._ending
            self._tracing = True
            return True
        if self._tracing:
            return self._takes_of_traceback(line)
        if line.startswith(_BEGINNINGS):
            return False
        return self._stamp is not None or line[:1].isspace()

    def _takes_of_traceback(self, line: str) -> bool:
        """Code is indented, and what is not names the exception, or has come in between."""
        if not line.strip() or line[0].isspace() or line.startswith(_CHAINED):
            self._follow(line)
            return True
        if self._ending or line.startswith(_CRASHES) or not _RAISED.match(line):
            return self._stamp is not None and not line.startswith(_BEGINNINGS)
        self._follow(line)
        return True

    def _follow(self, line: str) -> None:
        self._tracing = self._tracing or line.startswith(_TRACEBACK)
        if line.startswith(_CHAINED):
            self._ending = ""
        elif _RAISED.match(line):
            self._ending = line[:MESSAGE_CHARACTERS]

    def record(self) -> Record:
        begun_by_trace = self._message.startswith(_TRACEBACK)
        return Record(self._level, "" if begun_by_trace else self._message, self._ending)
