"""A tap that listens, as `serve` lets it, before an engine that says exactly what it is told to."""

import asyncio
import random
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.client_limits import Limits
from tidegauge.traffic.ended import Ended
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.measuring import Measuring
from tidegauge.traffic.proxy import Tap
from tidegauge.traffic.vector_settings import NO_VECTORS, VectorTallies

Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
QUICK = Limits(linger_seconds=2, doubt_seconds=0.05, proof_seconds=0.05, probe_seconds=0.05)


@asynccontextmanager
async def listening_tap(tap: Tap, *, within_seconds: float = 1.0) -> AsyncIterator[str]:
    """Its URL."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(tap.connection, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.close()
        await tap.close(within_seconds=within_seconds)


@asynccontextmanager
async def engine(connected: Connected, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a raw engine: what `connected` writes is all that is sent."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await connected(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@dataclass
class Raw:
    """A tap, and raw connections to it."""

    tap: Tap
    url: str
    arrivals: Arrivals
    exchanges: list[Exchange]
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(self, sent: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.url.split(":")[2]))
        self.writers.append(writer)
        writer.write(sent)
        return reader, writer

    async def answer(self, sent: bytes) -> bytes:
        """All that comes back until the tap closes."""
        reader, writer = await self.connect(sent)
        async with asyncio.timeout(30):
            received = await reader.read()
        writer.close()
        return received

    async def exchange(self) -> Exchange:
        """The one that is recorded."""
        async with asyncio.timeout(20):
            while not self.exchanges:
                await asyncio.sleep(0.01)
        (exchange,) = self.exchanges
        return exchange


@asynccontextmanager
async def raw_tap(
    upstream: str | int, *, limits: Limits = QUICK, record: Callable[[Exchange], None] | None = None
) -> AsyncIterator[Raw]:
    """A tap before `upstream`, a URL or a port of this host; when left, nothing is in flight."""
    arrivals, exchanges = Arrivals(), list[Exchange]()
    tap = Tap(
        upstream if isinstance(upstream, str) else f"http://127.0.0.1:{upstream}",
        telling(record or exchanges.append),
        clock=time.monotonic,
        arrivals=arrivals,
        labelling=Labelling(frozenset({"chat"})),
        connect_seconds=2,
        limits=limits,
    )
    async with listening_tap(tap) as url:
        raw = Raw(tap, url, arrivals, exchanges)
        try:
            yield raw
        finally:
            for writer in raw.writers:
                writer.transport.abort()
    assert arrivals.in_flight == 0


async def settled(value: Callable[[], int]) -> int:
    """A number that grows no more, once it has begun to."""
    before, at_rest = value(), 0
    async with asyncio.timeout(20):
        while not before or at_rest < 4:
            await asyncio.sleep(0.05)
            at_rest = at_rest + 1 if value() == before else 0
            before = value()
    return before


def recording(exchanges: list[Exchange]) -> Callable[[Ended], None]:
    """What a tap is to tell of each completion, so that `exchanges` gets it with its features."""
    return telling(exchanges.append)


def telling(record: Callable[[Exchange], None]) -> Callable[[Ended], None]:
    """The same, for whatever takes exchanges."""
    measuring = Measuring(
        NO_VECTORS,
        hand_back=asyncio.get_running_loop().call_soon_threadsafe,
        tallies=VectorTallies(),
        clock=time.monotonic,
        draw=random.random,
    )
    return lambda ended: measuring.measure(ended, record)
