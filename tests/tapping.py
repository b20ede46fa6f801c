"""A tap that listens, as `serve` lets it."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tidegauge.traffic.ended import Ended
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.measuring import Measuring
from tidegauge.traffic.proxy import Tap
from tidegauge.traffic.vector_settings import VectorSettings, VectorTallies


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


def recording(exchanges: list[Exchange]) -> Callable[[Ended], None]:
    """What a tap is to tell of each completion, so that `exchanges` gets it with its features."""
    measuring = Measuring(
        VectorSettings(),
        hand_back=asyncio.get_running_loop().call_soon_threadsafe,
        tallies=VectorTallies(),
        clock=time.monotonic,
        draw=random.random,
    )
    return lambda ended: measuring.measure(ended, exchanges.append)
