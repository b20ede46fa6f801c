"""One connection from a client: its requests one after another, and what it is told.

Reading goes on while an answer is under way, so that a client's leaving is seen at once; it stops
where more would only be kept: while the engine takes no more of a body, and behind a request that
is not answered yet.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Protocol

from tidegauge.traffic.client import Client
from tidegauge.traffic.client_limits import Limits
from tidegauge.traffic.framing import Body, FramingError, request_body
from tidegauge.traffic.head import HEAD_END, HeadError, RequestHead, listed, read_request, written
from tidegauge.traffic.passage import HEAD_BYTES, Passage
from tidegauge.traffic.refusing import refusal
from tidegauge.traffic.resets import reset_at_close
from tidegauge.traffic.room import Room

_PROBE = written(b"HTTP/1.1 100 Continue", ())


class Around(Protocol):
    """What a connection needs of the tap that it came to."""

    @property
    def limits(self) -> Limits: ...
    @property
    def room(self) -> Room: ...

    def begin(self, head: RequestHead, client: Client) -> Passage: ...
    def opened(self, client: "ClientSide") -> None: ...
    def closed(self, client: "ClientSide") -> None: ...


class ClientSide(asyncio.BufferedProtocol):
    """Reads requests, and hands each to a passage of its own."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._limits = around.limits
        self._room = around.room
        self._transport: asyncio.Transport
        self._buffer = bytearray()
        self._scanned = 0  # of the buffer, for the end of a head
        self._passage: Passage | None = None
        self._body: Body | None = None
        self._last = False
        self._tunnel = False
        self._lingers = False
        self._left = False  # its sending side is closed
        self._sends = 0
        self._timer: asyncio.TimerHandle | None = None
        self.full = False

    @property
    def last(self) -> bool:
        """No request is read after the one that is under way, as far as is known now."""
        return self._last or self._body is not None

    def drain(self) -> None:
        """Answer what is under way, and nothing more."""
        self._last = True
        if not self._passage and not self._lingers:
            self._close()

    def answer_one(self) -> None:
        """Answer the first request, and nothing more."""
        self._last = True

    def abort(self) -> None:
        """End at once, whatever is under way, and by no means as if it were whole."""
        reset_at_close(self._transport)
        self._transport.abort()

    # What its transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream's transport")
        self._transport = transport
        self._around.opened(self)
        self._await(self._limits.head_seconds, self._close)

    def get_buffer(self, _sizehint: int) -> memoryview:
        return self._room.buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._lingers:
            return
        data = self._room.taken(nbytes)
        if self._passage and self._tunnel:
            self._passage.send(data)
        elif self._body:
            self._pass_on(data)
        else:
            self._buffer += data
            if not self._passage:
                self._read_head()
        self.regulate()

    def eof_received(self) -> bool:
        self._left = True
        if not self._passage or self._body or self._lingers:
            return False  # it has asked for nothing, or not to the end
        if self._tunnel:
            self._passage.client_ended_tunnel()
        else:
            self._await(self._limits.doubt_seconds, partial(self._doubt, self._sends))
        return True

    def connection_lost(self, _exc: Exception | None) -> None:
        self._stop_waiting()
        passage, self._passage = self._passage, None
        if passage:
            passage.client_left()
        self._around.closed(self)

    def pause_writing(self) -> None:
        self.full = True
        if self._passage:
            self._passage.pause()

    def resume_writing(self) -> None:
        self.full = False
        if self._passage:
            self._passage.resume()
        elif not (self._lingers or self._transport.is_closing()):
            self._next()

    # What its passage calls.

    def send(self, data: bytes) -> None:
        self._sends += 1
        self._transport.write(data)

    def regulate(self) -> None:
        """Read on, or pause."""
        passage = self._passage
        if self._left or self._transport.is_closing():
            return
        blocked = passage is not None and passage.blocked and (self._tunnel or bool(self._body))
        if blocked or (passage is not None and self._buffer):
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def tunnel(self) -> None:
        """From here on bytes pass both ways, whatever they mean."""
        self._tunnel = True
        self._stop_waiting()
        data = self._taken()
        if self._passage and data:
            self._passage.send(data)
        if self._passage and self._left:
            self._passage.client_ended_tunnel()
        self.regulate()

    def end_tunnel(self) -> None:
        """Nothing more comes through the tunnel; the client may go on sending."""
        self._transport.write_eof()

    def answered(self, *, last: bool) -> None:
        """The answer has been sent, and said whether it was the connection's last."""
        self._passage = None
        self._stop_waiting()
        if self._body or (self._buffer and (last or self._last)):
            self._linger()
        elif last or self._last:
            self._close()
        elif not self.full:
            self._next()

    def cut(self, *, reset: bool) -> None:
        """Close without the answer's proper end; what was sent of it before still goes out.

        With `reset` for whom a plain close would be a proper end.
        """
        self._passage = None
        if reset:
            reset_at_close(self._transport)
        self._close()

    def _next(self) -> None:
        self._await(self._limits.idle_seconds, self._close)
        self._read_head()
        if self._left and not self._passage:
            self._close()
        self.regulate()

    def _read_head(self) -> None:
        buffer = self._buffer
        while buffer.startswith(b"\r\n"):  # some send one too many after a body
            del buffer[:2]
        end = buffer.find(HEAD_END, max(0, self._scanned - len(HEAD_END)))
        if (len(buffer) if end < 0 else end) > HEAD_BYTES:
            self._refuse(431, f"a head of more than {HEAD_BYTES} bytes")
        elif end < 0:
            if buffer and not self._scanned:
                late = partial(self._refuse, 408, "no whole head in time")
                self._await(self._limits.head_seconds, late)
            self._scanned = len(buffer)
        else:
            block = bytes(buffer[: end + len(HEAD_END)])
            del buffer[: len(block)]
            self._scanned = 0
            self._begin(block)

    def _begin(self, block: bytes) -> None:
        try:
            head = read_request(block)
            self._body = request_body(head)
        except HeadError as error:
            self._refuse(error.status, str(error))
            return
        self._stop_waiting()
        self._last |= head.minor == 0 or b"close" in listed(head.fields, b"connection")
        self._passage = self._around.begin(head, self)
        if not self._body:
            self._passage.request_ended()
        elif self._buffer:
            self._pass_on(self._taken())

    def _pass_on(self, data: bytes) -> None:
        passage, body = self._passage, self._body
        if not passage or not body:
            return
        try:
            used, pieces = body.take(data)
        except FramingError as error:
            answering, self._passage = passage.answering, None
            passage.client_left()
            if answering:
                self._close()
            else:
                self._refuse(400, str(error))
            return
        passage.send(data if used == len(data) else data[:used], pieces)
        if body.done:
            self._body = None
            passage.request_ended()
            self._buffer += data[used:]

    def _taken(self) -> bytes:
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    def _refuse(self, status: int, message: str) -> None:
        kind = "invalid_request_error"
        self.send(refusal(status, message, kind=kind, last=True))
        self._linger()

    def _linger(self) -> None:
        """Close once the client has, or after a while: what it still sends would reset it."""
        self._lingers = True
        self._taken()
        if self._left:
            self._close()
            return
        self._transport.write_eof()
        self._await(self._limits.linger_seconds, self.abort)
        self.regulate()

    def _doubt(self, sent_before: int) -> None:
        """Has a client that sends no more left altogether?

        Only what is sent to it can tell: whoever has left resets the connection at that, and the
        next write meets the reset. Until the answer begins, 100 (Continue) says nothing that a
        client minds. One to which nothing can be sent is taken to have left, as others do at once.
        """
        if not self._passage:
            return
        told = self._sends != sent_before
        if told and self._passage.answering:
            return
        if self._passage.answering or not self._passage.takes_interim:
            self.abort()
            return
        again = partial(self._doubt, self._sends)
        self.send(_PROBE)
        self._await(self._limits.probe_seconds if told else self._limits.proof_seconds, again)

    def _close(self) -> None:
        self._stop_waiting()
        self._transport.close()

    def _await(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_waiting()
        self._timer = asyncio.get_running_loop().call_later(seconds, then)

    def _stop_waiting(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
