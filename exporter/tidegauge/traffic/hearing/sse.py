"""Server-sent events out of bytes that were split anywhere.

No clock, no network, no logging: same arguments, same answer. Memory is bounded: a line or an
event longer than the limit is skipped, and the stream is read on behind it.
"""

from typing import NamedTuple

from tidegauge.traffic.hearing.lines import LIMIT_BYTES, LineDecoder


class Event(NamedTuple):  # a tuple, since one is made for every chunk of every answer
    """One event: `name` is empty where the stream gave none, `data` joins its data lines."""

    name: str
    data: bytes


class EventDecoder:
    r"""Turns pieces of a stream into events.

    A line `error: …` is an event of that name: older llama.cpp servers report errors in the
    middle of a stream so.

    >>> decoder = EventDecoder()
    >>> decoder.feed(b"data: on"), decoder.feed(b"e\r\n\r"), decoder.feed(b"\n: idle\n")
    ([], [Event(name='', data=b'one')], [])
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._lines = LineDecoder(limit_bytes)
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece completes."""
        events: list[Event] = []
        for line in self._lines.feed(piece):
            if not line:
                self._dispatch(events)
            elif line.startswith(b"data: "):  # what nearly all lines are
                self._append(line[6:])
            else:
                self._field(line, events)
        return events

    def flush(self) -> list[Event]:
        """The event that the end of the stream completes: some servers leave out the blank line."""
        events: list[Event] = []
        for line in self._lines.flush():
            self._field(line, events)
        self._dispatch(events)
        return events

    def _field(self, line: bytes, events: list[Event]) -> None:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._append(value)
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        elif field == b"error":
            events.append(Event("error", value))

    def _append(self, value: bytes) -> None:
        self._size += len(value) + 1
        if self._size <= self._limit + 1:
            self._data.append(value)
        else:
            self._data = [b""]  # beyond the limit: to be skipped, and held no longer

    def _dispatch(self, events: list[Event]) -> None:
        if self._data and self._size <= self._limit + 1:
            events.append(Event(self._name, b"\n".join(self._data)))
        self._name = ""
        self._data.clear()
        self._size = 0
