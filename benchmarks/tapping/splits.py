"""Is a stream the same, framing and all, wherever the network splits it?"""

import asyncio
import hashlib
from dataclasses import dataclass

from benchmarks.tapping.engine import SPLIT

_AT_A_TIME = 16


@dataclass(frozen=True, slots=True)
class Compared:
    """Streams that were asked for, one per place of the split, and those that differ."""

    streams: int
    changed: int


async def compare(port: int) -> Compared:
    """Ask what listens at `port` for the stream split at each byte of its body, and hash it."""
    body = SPLIT.index(b"\r\n\r\n") + 4
    digest = hashlib.sha256(SPLIT[body:]).digest()
    places = list(range(body, len(SPLIT)))
    slots = asyncio.Semaphore(_AT_A_TIME)

    async def same(place: int) -> bool:
        async with slots:
            return await _digest(port, place, len(SPLIT) - body) == digest

    found = await asyncio.gather(*(same(place) for place in places))
    return Compared(len(places), found.count(False))


async def _digest(port: int, place: int, size: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b"{}"
    head = b"POST /split/%d HTTP/1.1\r\nHost: bench\r\nContent-Length: 2\r\n\r\n" % place
    writer.write(head + body)
    await reader.readuntil(b"\r\n\r\n")
    received = await reader.readexactly(size)
    writer.close()
    return hashlib.sha256(received).digest()
