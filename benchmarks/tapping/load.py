"""Streams that are asked for and timed by a client that costs little, so that it is not what waits.

What was received is only kept while a stream runs; whether it is whole is looked at afterwards.
"""

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

_WRITTEN = re.compile(rb'"content":"(\d+)"')


@dataclass(frozen=True, slots=True)
class Load:
    """`streams` at a time, each asked for `requests` times: `tokens` in steps of `step_ms`."""

    streams: int
    requests: int
    tokens: int
    step_ms: float


@dataclass(slots=True)
class Timed:
    """Seconds of each whole request; microseconds from a chunk's being written to its arrival."""

    seconds: list[float] = field(default_factory=list)
    chunk_us: list[float] = field(default_factory=list)
    changed: int = 0


async def run(port: int, load: Load) -> Timed:
    """Put the load on what listens at `port`."""
    timed = Timed()
    body = {"model": "chat", "stream": True, "tokens": load.tokens, "step_ms": load.step_ms}
    body["messages"] = [{"role": "user", "content": "Say something. " * 40}]
    sent = json.dumps(body).encode()
    head = (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    )
    request = head + b"Content-Length: %d\r\n\r\n" % len(sent) + sent
    await asyncio.gather(*(_stream(port, request, load, timed) for _ in range(load.streams)))
    return timed


async def _stream(port: int, request: bytes, load: Load, timed: Timed) -> None:
    loop = asyncio.get_running_loop()
    _, answer = await loop.create_connection(_Answer, "127.0.0.1", port)
    for _ in range(load.requests):
        arrived, seconds = await answer.ask(request)
        timed.seconds.append(seconds)
        _judge(arrived, load, timed)
    answer.transport.close()


class _Answer(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self) -> None:
        self._arrived: list[tuple[int, bytes]] = []
        self._whole: asyncio.Future[None] | None = None

    async def ask(self, request: bytes) -> tuple[Sequence[tuple[int, bytes]], float]:
        self._arrived = []
        self._whole = asyncio.get_running_loop().create_future()
        begun = time.monotonic_ns()
        self.transport.write(request)
        await self._whole
        return self._arrived, (self._arrived[-1][0] - begun) / 1e9

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - it is a TCP connection's
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._arrived.append((time.monotonic_ns(), data))
        if data.endswith(b"\r\n0\r\n\r\n") and self._whole and not self._whole.done():
            self._whole.set_result(None)
        elif len(data) < 7 and self._whole and not self._whole.done():  # noqa: PLR2004 - as above
            tail = b"".join(piece for _, piece in self._arrived[-8:])
            if tail.endswith(b"\r\n0\r\n\r\n"):
                self._whole.set_result(None)

    def connection_lost(self, _exc: Exception | None) -> None:
        if self._whole and not self._whole.done():
            self._whole.set_exception(ConnectionError("a stream was cut"))


def _judge(arrived: Sequence[tuple[int, bytes]], load: Load, timed: Timed) -> None:
    """Each chunk's delay, and whether the stream is what was sent."""
    for at, piece in arrived:
        timed.chunk_us += [(at - int(sent)) / 1000 for sent in _WRITTEN.findall(piece)]
    events = content(b"".join(piece for _, piece in arrived).partition(b"\r\n\r\n")[2])
    tokens, mark, told = events.partition(b"\n\n: ")
    digest = hashlib.sha256(tokens + b"\n\n").hexdigest().encode()
    whole = bool(mark) and told == digest + b"\n\ndata: [DONE]\n\n"
    timed.changed += not (whole and len(_WRITTEN.findall(tokens)) == load.tokens)


def content(chunks: bytes) -> bytes:
    """What stands in the chunks of a whole body."""
    pieces: list[bytes] = []
    at = 0
    while True:
        line = chunks.index(b"\r\n", at)
        size = int(chunks[at:line], 16)
        if not size:
            return b"".join(pieces)
        pieces.append(chunks[line + 2 : line + 2 + size])
        at = line + 2 + size + 2
