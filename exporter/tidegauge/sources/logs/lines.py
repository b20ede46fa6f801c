"""Bytes to lines, bounded: a line has at most LINE_BYTES, whatever comes.

No clock, no network, no logging: same arguments, same answer.
"""

from dataclasses import dataclass

LINE_BYTES = 32 * 1024


@dataclass(slots=True)
class Counts:
    """Lines by what became of them. A line that was cut was not counted as read."""

    read: int = 0
    cut: int = 0
    skipped: int = 0


class Lines:
    """Splits what it is fed. What is beyond LINE_BYTES of a line is dropped as it comes."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._part = b""  # of a line that has not ended
        self._dropping = False  # the rest of a line that was cut or skipped

    def __repr__(self) -> str:
        return f"Lines({len(self._part)} bytes waiting)"

    def feed(self, chunk: bytes, most: int) -> list[bytes]:
        """At most `most` lines, without their ends; lines beyond are skipped, and counted."""
        if most <= 0:
            self._skip(chunk)
            return []
        *ended, rest = chunk.split(b"\n")
        if ended and self._dropping:
            self._dropping = False
            ended.pop(0)
        elif ended:
            ended[0] = self._part + ended[0]
            self._part = b""
        self._counts.skipped += max(0, len(ended) - most)
        taken = [self._bounded(line) for line in ended[:most]]
        if not self._dropping:
            self._part += rest
        if len(self._part) > LINE_BYTES:
            taken.append(self._bounded(self._part))
            self._part, self._dropping = b"", True
        return taken

    def end(self) -> list[bytes]:
        """The last line, which nothing has ended: no more of its file will come."""
        part, self._part, self._dropping = self._part, b"", False
        return [self._bounded(part)] if part else []

    def _skip(self, chunk: bytes) -> None:
        ends = chunk.count(b"\n")
        self._counts.skipped += ends
        self._part = b""
        self._dropping = not chunk.endswith(b"\n")

    def _bounded(self, line: bytes) -> bytes:
        if len(line) > LINE_BYTES:
            self._counts.cut += 1
            return line[:LINE_BYTES]
        self._counts.read += 1
        return line
