"""One log, whatever wrote it down: bytes in, records out.

No clock, no network, no logging: `now` is in seconds, of any clock that does not go back.
"""

from collections.abc import Iterator, Sequence

from tidegauge.errors.container import unwrapped
from tidegauge.errors.records import Joiner, Record
from tidegauge.sources.logs.lines import LINE_BYTES, Counts, Lines

JOIN_SECONDS = 1.0  # after which a record without a successor is taken to be whole


class Stream:
    """Joins lines that containers cut up, and tracebacks."""

    def __init__(self, counts: Counts) -> None:
        self._lines = Lines(counts)
        self._joiner = Joiner()
        self._part = ""  # of a line that a container runtime has cut up
        self._fed_at = 0.0

    def feed(self, chunk: bytes, most: int, now: float) -> Iterator[Record]:
        """The records that ended with it. Of its lines, at most `most` are looked at."""
        self._fed_at = now
        yield from self._records(self._lines.feed(chunk, most))

    def settle(self, now: float) -> Iterator[Record]:
        """The last record, when nothing has followed it for JOIN_SECONDS."""
        if now - self._fed_at >= JOIN_SECONDS:
            yield from self._joiner.flush()

    def end(self) -> Iterator[Record]:
        """What is left: the file has come to its end, and another begins."""
        yield from self._records(self._lines.end())
        yield from self._joiner.flush()

    def _records(self, lines: Sequence[bytes]) -> Iterator[Record]:
        for line in lines:
            piece = unwrapped(line.decode("utf-8", "replace"))
            text = self._part + piece.text if self._part else piece.text
            if not piece.whole:
                self._part = text[:LINE_BYTES]
                continue
            self._part = ""
            # A progress bar writes over itself: the last state is the line.
            yield from self._joiner.feed(text.rstrip("\r").rpartition("\r")[2])
