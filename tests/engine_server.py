"""A raw HTTP server on loopback that answers as told, right or wrong, and a source beside it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from tidegauge.engines import Dialect
from tidegauge.sources.engine import EngineSource

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def saying(
    body: bytes, *, status: str = "200 OK", head: str = "", length: int | None = None
) -> Answer:
    """An answer of these bytes; `length` lies about how many there are."""
    said = len(body) if length is None else length
    # vLLM's content type, whatever was asked for.
    kind = "Content-Type: text/plain; version=1.0.0\r\n"
    top = f"HTTP/1.1 {status}\r\n{kind}Content-Length: {said}\r\n{head}\r\n"

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(top.encode() + body)
        await writer.drain()

    return answer


def bytes_only(body: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(body)
        await writer.drain()

    return answer


@asynccontextmanager
async def engine(*answers: Answer) -> AsyncIterator[str]:
    """The URL of a server that gives these answers in turn, and the last one for ever."""
    waiting = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await (waiting.pop(0) if len(waiting) > 1 else waiting[0])(writer)

    async with listening(serve) as url:
        yield url


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[str]:
    """The URL of a server on loopback; its connections are closed when it ends."""
    open_now: set[asyncio.Task[None] | None] = set()

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(asyncio.current_task())
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(closing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()
        connections = [task for task in open_now if task]
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


@asynccontextmanager
async def source_of(
    url: str,
    *,
    pinned: Dialect | None = None,
    timeout_seconds: float = 10,
    max_bytes: int = 1 << 20,
) -> AsyncIterator[EngineSource]:
    source = EngineSource(
        url, model="chat", engine=pinned, timeout_seconds=timeout_seconds, max_bytes=max_bytes
    )
    try:
        yield source
    finally:
        await source.close()
