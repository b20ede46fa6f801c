"""A streaming engine that costs little: `python engine.py PORT` until it is killed.

All streams get their next token in the same step, as in an engine with continuous batching; steps
are `step_ms` apart, 0 is as fast as they are taken. Each token tells when it was written, on the
clock that all processes of a machine share; the last event tells the SHA-256 of those before it.
A request to /split/N gets a stream that is always the same, sent in two parts, the first N bytes.
"""

import asyncio
import hashlib
import json
import sys
import time

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
DONE = b"data: [DONE]\n\n"
TOKEN = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"chat",'
    b'"choices":[{"index":0,"delta":{"content":"%d"},"finish_reason":null}]}\n\n'
)
SPLIT = (
    HEAD
    + b"".join(
        b"%x\r\n%s\r\n" % (len(piece), piece)
        for piece in (*(TOKEN % number for number in range(4)), 'data: {"é": 1}\n\n'.encode(), DONE)
    )
    + b"0\r\n\r\n"
)


class Connection(asyncio.Protocol):
    """Answers one request after another."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._full = False
        self._digest = hashlib.sha256()
        self._left = 0
        self._step_seconds = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - it is a TCP connection's
        self.transport = transport

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        if not self._step_seconds:
            self._token()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if len(body) < int(length or 0):
            return
        self._buffer = b""
        target = head.split(b" ", 2)[1]
        if target.startswith(b"/split/"):
            self._split(int(target.rpartition(b"/")[2]))
        else:
            self._stream(json.loads(body))

    def _split(self, at: int) -> None:
        self.transport.write(SPLIT[:at])
        self._loop.call_later(0.001, self.transport.write, SPLIT[at:])

    def _stream(self, asked: dict[str, float]) -> None:
        self._digest = hashlib.sha256()
        self._left = int(asked["tokens"])
        self._step_seconds = asked["step_ms"] / 1000
        self.transport.write(HEAD)
        self._next()

    def _next(self) -> None:
        step = self._step_seconds
        if step:
            self._loop.call_at((self._loop.time() // step + 1) * step, self._token)
        elif not self._full:
            self._loop.call_soon(self._token)

    def _token(self) -> None:
        if self.transport.is_closing():
            return
        if self._left:
            self._left -= 1
            event = TOKEN % time.monotonic_ns()
            self._digest.update(event)
            self._write(event)
            self._next()
        else:
            self._write(b": %s\n\n" % self._digest.hexdigest().encode())
            self._write(DONE)
            self.transport.write(b"0\r\n\r\n")

    def _write(self, event: bytes) -> None:
        self.transport.write(b"%x\r\n%s\r\n" % (len(event), event))


async def main() -> None:
    """Serve at the port that is given."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
