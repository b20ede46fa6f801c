"""Three ways to hear an answer as it passes: as a stream, as one document, or not at all.

No clock, no network, no logging: same arguments, same answer. What can't be read is noted, and
what follows is heard all the same.
"""

from collections.abc import Callable
from typing import Protocol

from tidegauge.traffic.hearing.document import (
    Copy,
    TooLargeError,
    WireError,
    mapping,
    read_object,
    read_value,
)
from tidegauge.traffic.hearing.sse import Event
from tidegauge.traffic.hearing.told import Told

_END_MARKER = b"[DONE]"
_NO_CHUNKS = (b"", b"null")  # llama.cpp opens the stream of a batch of prompts with "data: null"
# Names under which servers send chunks. What has another name is no chunk, and may be anything.
_CHUNK_NAMES = frozenset({"", "message", "error"})


class Hearing(Protocol):
    """Hears one answer, and tells what it told."""

    told: Told

    def piece(self, piece: bytes, now: float) -> None:
        """Hear the next bytes, however they were split."""

    def end(self, now: float) -> None:
        """There will be no more."""


class Decoder(Protocol):
    """Finds the events in a stream."""

    def feed(self, piece: bytes) -> list[Event]:
        """Those that this piece completes."""

    def flush(self) -> list[Event]:
        """Those that the end of the stream completes."""


class StreamHearing:
    """A stream of events: when each chunk of content came, and that the end marker did."""

    def __init__(
        self,
        decoder: Decoder,
        read: Callable[[dict[str, object], float, Told], None],
        told: Told,
    ) -> None:
        self.told = told
        self._decoder = decoder
        self._read = read

    def piece(self, piece: bytes, now: float) -> None:
        for event in self._decoder.feed(piece):
            try:
                self.event(event, now)
            except TooLargeError:
                continue
            except WireError:
                self.told.malformed = True

    def end(self, now: float) -> None:
        for event in self._decoder.flush():
            try:
                self.event(event, now)
            except WireError:
                return  # the stream broke off in it

    def event(self, event: Event, now: float) -> None:
        """Hear one event.

        Raises:
            WireError: it should be a chunk and is no JSON object.
        """
        name, data = event
        if name == "error":
            self._error(data)
        elif data.startswith(b"{") and name in _CHUNK_NAMES:  # what nearly all of them are
            self._read(read_object(data), now, self.told)
        elif data.strip() == _END_MARKER:
            self.told.ended = True
        elif name in _CHUNK_NAMES and data.strip() not in _NO_CHUNKS:
            self._read(read_object(data), now, self.told)

    def _error(self, data: bytes) -> None:
        try:
            said = read_object(data)
        except WireError:
            self.told.fail(None)
        else:
            self.told.fail(said.get("error") or said)


class DocumentHearing:
    """An answer in one document: read at its end, if it is JSON and not too large.

    Only one that says that it is JSON is malformed if it is none.
    """

    def __init__(
        self,
        limit_bytes: int,
        read: Callable[[dict[str, object], Told], None],
        told: Told,
        *,
        says_json: bool,
    ) -> None:
        self.told = told
        self._says_json = says_json
        self._read = read
        self._copy = Copy(limit_bytes)

    def piece(self, piece: bytes, now: float) -> None:
        del now
        self._copy.piece(piece)

    def end(self, now: float) -> None:
        del now
        self.told.ended = True
        raw = self._copy.taken()
        if raw is None:
            return
        try:
            document = mapping(read_value(raw))
        except TooLargeError:
            return
        except WireError:
            self.told.malformed = self._says_json
            return
        if document is not None:
            self._read(document, self.told)


class NoHearing:
    """An answer that we cannot read, such as a compressed one, or that never came."""

    def __init__(self, told: Told) -> None:
        self.told = told

    def piece(self, piece: bytes, now: float) -> None:
        """Let it pass."""

    def end(self, now: float) -> None:
        del now
        self.told.ended = True
