"""One request's way to the engine, and its answer's way back: the upstream side of the tap.

Every request has a connection of its own: llama.cpp closes after each streamed answer without
saying so, and up to 8 % of the requests on pooled connections failed. It also leaves nothing to
smuggle a request into.
"""

import asyncio
from collections.abc import Sequence

from tidegauge.traffic.client import Client
from tidegauge.traffic.course import Course, asked_upgrade
from tidegauge.traffic.ear import Ear
from tidegauge.traffic.framing import Body, Chunked, FramingError, answer_body
from tidegauge.traffic.head import (
    HEAD_END,
    AnswerHead,
    HeadError,
    RequestHead,
    read_answer,
    written,
)
from tidegauge.traffic.headers import passed_on, upgrade
from tidegauge.traffic.refusing import CLOSE, refusal
from tidegauge.traffic.resets import left_behind
from tidegauge.traffic.room import Room
from tidegauge.traffic.wire import End

# HAProxy takes heads of 16 KiB, nginx of 32 KiB: whatever they pass fits.
HEAD_BYTES = 128 << 10

_HTTP = b"HTTP/"
_SWITCHING = 101


class Passage(asyncio.BufferedProtocol):
    """Starts when it is made; tells `client` once that it is `answered` or `cut`.

    After `client_left` it tells nothing more.
    """

    def __init__(
        self, head: RequestHead, client: Client, course: Course, *, ear: Ear | None, room: Room
    ) -> None:
        self._head = head
        self._client = client
        self._ear = ear
        self._room = room
        self._upgrade = asked_upgrade(head)
        self._transport: asyncio.Transport | None = None
        self._waiting = [course.request_head(head, measured=ear is not None)]
        self._blocked = False
        self._buffer = bytearray()  # of the answer's head
        self._body: Body | None = None
        self._unframe = False
        self._tunnel = False
        self._tunnel_ends = 0
        self._says_last = False
        self.answering = False
        self.takes_interim = head.minor > 0
        self._ended = False
        self._connecting = asyncio.get_running_loop().create_task(self._connect(course))

    @property
    def blocked(self) -> bool:
        """The engine takes no more of the request now."""
        return self._blocked or self._transport is None

    def send(self, data: bytes, pieces: Sequence[bytes] = ()) -> None:
        """Pass on some of the request; `pieces` are the content in it."""
        if self._ended:
            return
        if self._transport:
            self._transport.write(data)
        else:
            self._waiting.append(data)
        if self._ear:
            self._ear.request(pieces)

    def request_ended(self) -> None:
        """The request is whole."""
        if self._ear and not self._ended:
            self._ear.request_end()

    def pause(self) -> None:
        """The client has not taken what was sent."""
        if self._transport and not self._ended:
            self._transport.pause_reading()

    def resume(self) -> None:
        """The client takes more."""
        if self._transport and not self._ended:
            self._transport.resume_reading()

    def client_ended_tunnel(self) -> None:
        """The client sends no more through the tunnel."""
        self._tunnel_ends += 1
        if self._transport and self._transport.can_write_eof() and self._tunnel_ends == 1:
            self._transport.write_eof()
        else:
            self._tunnel_over()

    def client_left(self) -> None:
        """Nobody waits for the answer any more: the engine need not go on with it."""
        self._end("complete" if self._tunnel else "aborted")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream's transport")
        self._transport = transport
        transport.write(b"".join(self._waiting))
        self._waiting.clear()
        if self._client.full:
            transport.pause_reading()
        self._client.regulate()

    def pause_writing(self) -> None:
        self._blocked = True
        self._client.regulate()

    def resume_writing(self) -> None:
        self._blocked = False
        self._client.regulate()

    def get_buffer(self, _sizehint: int) -> memoryview:
        return self._room.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._arrived(self._room.taken(nbytes))

    def eof_received(self) -> bool:
        if self._tunnel and not self._ended:
            self._tunnel_ends += 1
            if self._tunnel_ends == 1 and self._transport and self._transport.can_write_eof():
                self._client.end_tunnel()
                return True
        self._over(cleanly=True)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if exc and not self._ended and not self._tunnel:
            for data in left_behind(self._transport):
                self._arrived(data)
        self._over(cleanly=exc is None)

    def _arrived(self, data: bytes) -> None:
        if self._ended:
            return
        if self._body:
            self._pass_on(b"", data)
        elif self._tunnel:
            self._client.send(data)
        else:
            self._buffer += data
            self._read_heads()

    async def _connect(self, course: Course) -> None:
        try:
            await course.upstream.connect(lambda: self, seconds=course.connect_seconds)
        except (OSError, UnicodeError):
            pass  # said below, whatever it was
        finally:
            if not self._transport:
                self._fail("the engine cannot be reached", "upstream_unreachable", "unreachable")

    def _read_heads(self) -> None:
        """The answer's head, and before it any that say that it is still to come (1xx)."""
        while not (self._ended or self.answering):
            end = self._buffer.find(HEAD_END) + len(HEAD_END)
            begun = self._buffer[: len(_HTTP)]
            whole = end >= len(HEAD_END) or len(self._buffer) > HEAD_BYTES
            if not whole and _HTTP.startswith(begun):
                return
            block = bytes(self._buffer[:end])
            del self._buffer[:end]
            try:
                head = read_answer(block)
                body = answer_body(self._head.method, head)
            except HeadError:
                self._fail("the engine's answer is no HTTP", "upstream_closed", "cut")
                return
            if head.status == _SWITCHING or self._is_connected(head):
                self._switch(head)
            elif head.status < 200:  # noqa: PLR2004 - as RFC 9110 divides statuses
                if self._head.minor:
                    self._client.send(written(_first_line(head), passed_on(head.fields)))
            else:
                self._answer(head, body)

    def _is_connected(self, head: AnswerHead) -> bool:
        return self._head.method == b"CONNECT" and head.status // 100 == 2  # noqa: PLR2004

    def _switch(self, head: AnswerHead) -> None:
        if head.status == _SWITCHING and not self._upgrade:
            self._fail("the engine changed the protocol unasked", "upstream_closed", "cut")
            return
        self.answering = self._tunnel = True
        data, self._buffer = bytes(self._buffer), bytearray()
        fields = passed_on(head.fields) + upgrade(head.fields)
        self._client.send(written(_first_line(head), fields) + data)
        self._client.tunnel()

    def _answer(self, head: AnswerHead, body: Body | None) -> None:
        data, self._buffer = bytes(self._buffer), bytearray()
        self.answering = True
        self._body = body
        self._unframe = isinstance(body, Chunked) and not self._head.minor
        without = frozenset({b"transfer-encoding"}) if self._unframe else frozenset[bytes]()
        fields = passed_on(head.fields, without=without)
        if self._client.last or (body and body.closes):
            fields += CLOSE
            self._says_last = True
        if self._ear:
            self._ear.answer_head(head)
        begun = written(_first_line(head), fields)
        if body:
            self._pass_on(begun, data)
        else:
            self._client.send(begun)
            self._complete()

    def _pass_on(self, begun: bytes, data: bytes) -> None:
        body = self._body
        if not body:
            return
        try:
            used, pieces = body.take(data)
        except FramingError:
            self._client.send(begun)
            self._cut()
            return
        raw = b"".join(pieces) if self._unframe else data if used == len(data) else data[:used]
        if raw or begun:
            self._client.send(begun + raw if begun else raw)
        if self._ear:
            self._ear.answer(pieces)
        if body.done:
            self._complete()

    def _over(self, *, cleanly: bool) -> None:
        """The engine sends no more."""
        if self._ended:
            return
        if self._tunnel:
            self._tunnel_over()
        elif not self.answering:
            self._fail("the engine closed without an answer", "upstream_closed", "cut")
        elif cleanly and self._body and self._body.closes:
            self._complete()
        else:
            self._cut()

    def _tunnel_over(self) -> None:
        if not self._ended:
            self._end("complete")
            self._client.answered(last=True)

    def _complete(self) -> None:
        self._end("complete")
        self._client.answered(last=self._says_last)

    def _cut(self) -> None:
        self._end("cut")
        # For these a plain close is the body's proper end.
        self._client.cut(reset=self._unframe or (self._body is not None and self._body.closes))

    def _fail(self, message: str, kind: str, how: End) -> None:
        if self._ended:
            return
        self._end(how)
        last = self._client.last
        refused = refusal(502, message, kind=kind, last=last)
        is_head = self._head.method == b"HEAD"
        self._client.send(refused.partition(HEAD_END)[0] + HEAD_END if is_head else refused)
        self._client.answered(last=last)

    def _end(self, how: End) -> None:
        if self._ended:
            return
        self._ended = True
        self._waiting.clear()
        if self._transport is None:
            self._connecting.cancel()
        elif self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()
        if self._ear:
            self._ear.end(how)


def _first_line(head: AnswerHead) -> bytes:
    return b"HTTP/1.1 %d %s" % (head.status, head.reason)
