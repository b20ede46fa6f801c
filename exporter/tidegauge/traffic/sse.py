"""Server-sent events out of bytes that were split anywhere.

No clock, no network, no logging: same arguments, same answer. Memory is bounded: a line or an
event longer than the limit is skipped, and the stream is read on behind it.
"""

from dataclasses import dataclass

LIMIT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Event:
    """One event: `name` is empty where the stream gave none, `data` joins its data lines."""

    name: str
    data: bytes


class EventDecoder:
    r"""Turns pieces of a stream into events.

    Lines end in LF or CRLF. A line `error: …` is an event of that name: older llama.cpp servers
    report errors in the middle of a stream so.

    >>> decoder = EventDecoder()
    >>> decoder.feed(b"data: on"), decoder.feed(b"e\r\n\r"), decoder.feed(b"\n: idle\n")
    ([], [], [Event(name='', data=b'one')])
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._partial = bytearray()
        self._overlong = False
        self._name = ""
        self._data = bytearray()
        self._empty = True

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece completes."""
        first, *rest = piece.split(b"\n")
        self._extend(first)
        events: list[Event] = []
        for following in rest:
            events += self._line()
            self._extend(following)
        return events

    def flush(self) -> list[Event]:
        """The event that the end of the stream completes: some servers leave out the blank line."""
        return [*self._line(), *self._dispatch()]

    def _extend(self, part: bytes) -> None:
        self._overlong = self._overlong or len(self._partial) + len(part) > self._limit
        if self._overlong:
            self._partial.clear()
        else:
            self._partial += part

    def _line(self) -> list[Event]:
        line, skipped = bytes(self._partial).removesuffix(b"\r"), self._overlong
        self._partial.clear()
        self._overlong = False
        if skipped:
            return []
        return self._field(line) if line else self._dispatch()

    def _field(self, line: bytes) -> list[Event]:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._append(value)
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        elif field == b"error":
            return [Event("error", value)]
        return []

    def _append(self, value: bytes) -> None:
        if len(self._data) <= self._limit:  # so that many lines stay within twice the limit
            self._data += value if self._empty else b"\n" + value
        self._empty = False

    def _dispatch(self) -> list[Event]:
        event = Event(self._name, bytes(self._data))
        empty, overlong = self._empty, len(self._data) > self._limit
        self._name = ""
        self._data.clear()
        self._empty = True
        return [] if empty or overlong else [event]
