"""Newline-delimited JSON, as Ollama streams it, out of bytes that were split anywhere.

No clock, no network, no logging: same arguments, same answer.
"""

from tidegauge.traffic.hearing.lines import LineDecoder
from tidegauge.traffic.hearing.sse import Event


class NdjsonDecoder:
    r"""Turns pieces of a stream into events without a name, one a line; blank lines are none.

    >>> NdjsonDecoder().feed(b'{"done": true}\n\n')
    [Event(name='', data=b'{"done": true}')]
    """

    def __init__(self) -> None:
        self._lines = LineDecoder()

    def feed(self, piece: bytes) -> list[Event]:
        """The lines that this piece completes."""
        return _events(self._lines.feed(piece))

    def flush(self) -> list[Event]:
        """The line that the end of the stream completes."""
        return _events(self._lines.flush())


def _events(lines: list[bytes]) -> list[Event]:
    return [Event("", line) for line in lines if line.strip()]
