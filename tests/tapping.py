"""A tap that listens, as `serve` lets it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tidegauge.traffic.proxy import Tap


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
